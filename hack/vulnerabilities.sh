#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Looks for known vulnerabilities in what the programs call. Where the database cannot be reached it says SKIPPED, and fails if STRICT=1.
# VULNDB is the URL of another database, as of a copy on this machine: file:///srv/vulndb. Arguments are the packages to look at.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if "$BIN/govulncheck" ${VULNDB:+-db="$VULNDB"} "${@:-./...}" >"$log" 2>&1; then
  tail -n 3 "$log"
elif grep -q "fetching vulnerabilities" "$log"; then
  echo "SKIPPED: the database of vulnerabilities cannot be reached from here: $(tail -n 1 "$log")"
  [ "${STRICT:-}" != 1 ] || { echo "STRICT=1: that is a failure" >&2; exit 1; }
else
  cat "$log" >&2
  exit 1
fi
