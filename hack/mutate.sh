#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Mutation testing of one package, as in: hack/mutate.sh internal/quota
# Fails unless its tests reach the thresholds in hack/tools/gremlins/gremlins.yaml. Gremlins finds the script below instead of go. It works
# around two faults:
# - Go measures no coverage of case expressions and constants, so gremlins would leave them alone. The script adds what lies between two
#   blocks to the profile, with the count of the second.
# - Gremlins takes a mutant that does not compile for killed. The script exits with 2 then, which gremlins reads as not viable.
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
