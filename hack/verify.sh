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
hack/vulnerabilities.sh | tee "$work/vulnerabilities"

echo "» SBOM and licences of both programs"
sbom() { "$BIN/cyclonedx-gomod" app -licenses -json -main "$1" -output "$work/$2.json" . 2>"$work/log" || { cat "$work/log" >&2; exit 1; }; }
sbom . operator
sbom cmd/kubectl-stop_import plugin
go run -buildvcs=false ./hack/licences "$work/operator.json" "$work/plugin.json"

echo "» every manifest, against the schemas of the API server; pods against Pod Security \"restricted\"; the check for vulnerabilities finds a known one"
go test -count=1 ./test/security -run 'TestManifests|TestPodsAreRestricted|TestAKnownVulnerability' -v -govulncheck="$BIN/govulncheck" -helm="$BIN/helm" \
  -kubeconform="$BIN/kubeconform" -controller-gen="$BIN/controller-gen" | grep -vE '^(=== |  *--- PASS|PASS)'

echo "» the bundle of the Operator Lifecycle Manager is what config says, and valid"
"${KUBEBUILDER_ASSETS:-bin/controlplane}/kubectl" kustomize config/default | "$BIN/olm" -folder="$work/bundle"
diff -r "$work/bundle" config/bundle || { echo "config/bundle is not up to date: run make bundle" >&2; exit 1; }

# The last line is what people look at.
if grep '^SKIPPED' "$work/vulnerabilities"; then
  echo "verified, except for known vulnerabilities: run it with STRICT=1 where the database can be reached"
else
  echo "verified"
fi
