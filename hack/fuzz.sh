#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes each target with so many inputs, as in: hack/fuzz.sh 3000x
# A time instead of a number, as in 5s, can fail without a finding: https://go.dev/issue/75804
set -euo pipefail
cd "$(dirname "$0")/.."
echo "fuzzing: the first time, instrumenting what it uses takes some minutes"
grep -rHoE '^func Fuzz[A-Za-z0-9]+' --include='*_test.go' . | sort | while IFS=: read -r file func; do
  echo "fuzzing ${func#func } with ${1:?how many} inputs"
  go test -vet=off "$(dirname "$file")" -run '^$' -fuzz "^${func#func }\$" -fuzztime "$1" -fuzzminimizetime 5s
done
