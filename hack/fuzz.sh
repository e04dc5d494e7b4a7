#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes each target for a while, as in: hack/fuzz.sh 5s
set -euo pipefail
cd "$(dirname "$0")/.."
grep -rHoE '^func Fuzz[A-Za-z0-9]+' --include='*_test.go' . | sort | while IFS=: read -r file func; do
  echo "fuzzing ${func#func } for ${1:?how long} (the first time, instrumenting what it uses takes some minutes)"
  go test "$(dirname "$file")" -run '^$' -fuzz "^${func#func }\$" -fuzztime "${1:?how long}" -fuzzminimizetime 5s
done
