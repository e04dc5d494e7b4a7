#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks what is shipped and what it is made of. make verify calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "» modules are what go.sum says"
go mod verify

echo "» known vulnerabilities"
if "$BIN/govulncheck" ./... >"$work/vulnerabilities" 2>&1; then
  tail -n 3 "$work/vulnerabilities"
elif grep -q "fetching vulnerabilities" "$work/vulnerabilities"; then
  echo "SKIPPED: the database of vulnerabilities cannot be reached from here: $(tail -n 1 "$work/vulnerabilities")"
else
  cat "$work/vulnerabilities" >&2
  exit 1
fi

echo "» SBOM and licences of both programs"
sbom() { "$BIN/cyclonedx-gomod" app -licenses -json -main "$1" -output "$work/$2.json" . 2>"$work/log" || { cat "$work/log" >&2; exit 1; }; }
sbom . operator
sbom cmd/kubectl-stop_import plugin
go run -buildvcs=false ./hack/licences "$work/operator.json" "$work/plugin.json"

echo "» every manifest, against the schemas of the API server; pods against Pod Security \"restricted\""
go test -count=1 ./test/security -run 'TestManifests|TestPodsAreRestricted' -v -helm="$BIN/helm" \
  -kubeconform="$BIN/kubeconform" -controller-gen="$BIN/controller-gen" | grep -vE '^(=== |  *--- PASS|PASS)'
