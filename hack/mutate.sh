#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Changes the code of a package, one operator at a time, and fails if its tests notice too little, as in: hack/mutate.sh internal/quota
# Go measures no coverage of the expressions of case clauses and of constants, so gremlins would leave them alone. The go that gremlins
# calls adds them to the profile: what lies between two blocks counts as often as the block after it.
set -euo pipefail
cd "$(dirname "$0")/.."
real=$(command -v go)
export real
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/go" <<'EOF'
#!/usr/bin/env bash
set -euo pipefail
"$real" "$@"
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
