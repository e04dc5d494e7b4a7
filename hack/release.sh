#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes all that a release consists of into DIST: programs, manifest, SBOMs, provenance and checksums. make release calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ $VERSION =~ ^v[0-9]+\.[0-9]+\.[0-9]+ ]] || { echo "VERSION is $VERSION: give one as in make release VERSION=v0.1.0 IMG=registry.example/importjobstop-operator:v0.1.0" >&2; exit 1; }
git diff --quiet HEAD || { echo "the work tree has changes that are in no commit: commit them first" >&2; exit 1; }
mkdir -p "$DIST"
[ -z "$(ls -A "$DIST")" ] || { echo "$DIST is not empty: remove what is in it first" >&2; exit 1; }

build() { # OS ARCH PACKAGE NAME
  CGO_ENABLED=0 GOOS=$1 GOARCH=$2 go build -trimpath -buildvcs=false -ldflags="-s -w -X main.version=$VERSION" -o "$DIST/$4-$1-$2" "$3"
}
archive() { # OS ARCH: the plugin as krew wants it, with the same bytes wherever it is made
  local folder program=kubectl-stop_import
  folder=$(mktemp -d)
  [ "$1" != windows ] || program=kubectl-stop_import.exe
  cp LICENSE hack/kubectl_complete-stop_import "$folder"
  cp "$DIST/kubectl-stop_import-$1-$2" "$folder/$program"
  chmod 755 "$folder"/* && chmod 644 "$folder/LICENSE"
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$folder" -c . | gzip -n >"$DIST/kubectl-stop_import-$1-$2.tar.gz"
  rm -r "$folder"
}
krew() { # fills in the manifest; a platform that was not built is left out
  local manifest="$DIST/stop-import.yaml" file platform
  sed -e '/^#/d' -e "s/VERSION/$VERSION/" config/krew/stop-import.yaml >"$manifest"
  for platform in $(sed -n 's/.*sha256: SHA256-//p' config/krew/stop-import.yaml); do
    file=$DIST/kubectl-stop_import-$platform.tar.gz
    if [ -e "$file" ]; then
      sed -i "s/SHA256-$platform\$/$(sha256sum "$file" | cut -d' ' -f1)/" "$manifest"
    else
      sed -i "/os: ${platform%-*}, arch: ${platform#*-}}/,+3d" "$manifest"
    fi
  done
}
for platform in ${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64}; do
  os=${platform%/*} arch=${platform#*/}
  [ "$os" != linux ] || build "$os" "$arch" . importjobstop-operator
  build "$os" "$arch" ./cmd/kubectl-stop_import kubectl-stop_import
  archive "$os" "$arch"
done
krew
make --no-print-directory build-installer "DIST=$DIST" "IMG=$IMG" >/dev/null
for main in . cmd/kubectl-stop_import; do
  name=importjobstop-operator
  [ "$main" = . ] || name=kubectl-stop_import
  "$BIN/cyclonedx-gomod" app -licenses -json -noserial -main "$main" -output "$DIST/$name.sbom.json" . 2>/dev/null
done
(cd "$DIST" && sha256sum -- * >SHA256SUMS)

# Provenance by SLSA's predicate: what was made, of which commit, how. It is as trustworthy as the signature that is put over it.
commit=$(git rev-parse HEAD)
subjects=$(awk '{printf "%s{\"name\":\"%s\",\"digest\":{\"sha256\":\"%s\"}}", s, $2, $1; s=","}' "$DIST/SHA256SUMS")
cat >"$DIST/provenance.intoto.json" <<EOF
{"_type":"https://in-toto.io/Statement/v1","subject":[$subjects],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{"buildType":"https://github.com/tencentcloud-cdb/importjobstop-operator/blob/main/docs/release.md","externalParameters":{"version":"$VERSION","image":"$IMG"},"resolvedDependencies":[{"uri":"git+https://github.com/tencentcloud-cdb/importjobstop-operator","digest":{"gitCommit":"$commit"}}],"internalParameters":{"go":"$(go env GOVERSION)"}},"runDetails":{"builder":{"id":"https://github.com/tencentcloud-cdb/importjobstop-operator/blob/main/hack/release.sh"}}}}
EOF
(cd "$DIST" && sha256sum provenance.intoto.json >>SHA256SUMS)
echo "$DIST: $(wc -l <"$DIST/SHA256SUMS") files"

if [ -n "${SIGNING_KEY:-}" ]; then
  ssh-keygen -Y sign -n importjobstop-operator -f "$SIGNING_KEY" "$DIST/SHA256SUMS"
else
  echo "not signed: set SIGNING_KEY to an SSH key for that"
fi
