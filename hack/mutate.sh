#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Changes the code of a package, one operator at a time, and fails if its tests notice too little of it, as in: hack/mutate.sh internal/quota
# hack/tools/gremlins/gremlins.yaml says how much that is. Gremlins calls the go below, which corrects two things:
# - Go measures no coverage of case expressions and constants, so gremlins would leave them alone. What lies between two blocks is added to the
#   profile, and counts as often as the block after it.
# - A mutant that does not compile counts as killed. With the exit code 2, it counts as not viable.
set -euo pipefail
cd "$(dirname "$0")/.."
real=$(command -v go)
export real
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/go" <<'EOF'
#!/usr/bin/env bash
set -euo pipefail
status=0
output=$("$real" "$@" 2>&1) || status=$?
echo "$output"
[[ $output != *"[build failed]"* ]] || exit 2
[ "$status" = 0 ] || exit "$status"
while [ $# -gt 0 ]; do
  [ "$1" = -coverprofile ] && profile=$2
  shift
done
[ -n "${profile:-}" ] || exit 0
awk '
  NR == 1 { print; next }
  {
    split($1, block, /[:,]/)
    print block[1] ":" (block[1] == file ? end : "1.1") "," block[2], 1, $3
    print
    file = block[1]; end = block[3]
  }' "$profile" >"$profile.all"
mv "$profile.all" "$profile"
EOF
chmod +x "$folder/go"
PATH="$folder:$PATH" GOFLAGS=-count=1 "${BIN:-bin}/gremlins" unleash --config hack/tools/gremlins/gremlins.yaml "./${1:?which package}"
