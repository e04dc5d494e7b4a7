#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes all that a release consists of into DIST, from a signed tag and from nothing else: make release calls it. What lies about in the
# work tree is not looked at. docs/release.md has the steps before and after, docs/verify.md what a user does with the result.
set -euo pipefail
cd "$(dirname "$0")/.."
usage="give a tag, an image and its digest, as in: make release VERSION=v0.1.0 IMG=ghcr.io/tencentcloud-cdb/importjobstop-operator DIGEST=sha256:…"
[[ ${VERSION:-} =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || { echo "VERSION is '${VERSION:-}': $usage" >&2; exit 1; }
[[ ${DIGEST:-} =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "DIGEST is '${DIGEST:-}': $usage" >&2; exit 1; }
[[ -n ${IMG:-} && ! ${IMG##*/} =~ [:@] ]] || { echo "IMG is '${IMG:-}', and must have neither tag nor digest: $usage" >&2; exit 1; }
git verify-tag "$VERSION" || { echo "the tag $VERSION is not there, or not signed by somebody whom git trusts" >&2; exit 1; }
mkdir -p "$DIST"
DIST=$(cd "$DIST" && pwd)
[ -z "$(ls -A "$DIST")" ] || { echo "$DIST is not empty: remove what is in it first" >&2; exit 1; }

# Neither an untracked file, nor a go.work above, nor a flag of somebody's environment gets into what is built.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A clone, since what writes the SBOMs cannot read the commits of a worktree.
git clone --quiet --no-hardlinks --no-checkout --template= "$PWD" "$work/source"
git -C "$work/source" checkout --quiet --detach "refs/tags/$VERSION^{commit}"
export GOWORK=off GOFLAGS=-mod=readonly GOENV=off CGO_ENABLED=0
kustomize="${KUBEBUILDER_ASSETS:-$PWD/bin/controlplane}/kubectl"
cd "$work/source"
commit=$(git rev-parse HEAD)
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)

# once FILE OLD NEW replaces a text that must be there once.
once() {
  [ "$(grep -cF -- "$2" "$1")" = 1 ] || { echo "$1 has not one row with $2" >&2; exit 1; }
  sed -i.tmp "s|$2|$3|" "$1" && rm "$1.tmp"
}

build() { # OS ARCH PACKAGE NAME
  local output="$DIST/$4-$1-$2"
  GOOS=$1 GOARCH=$2 go build -trimpath -buildvcs=false -ldflags="-s -w -X main.version=$VERSION" -o "$output" "$3"
  GOOS=$1 GOARCH=$2 "$BIN/cyclonedx-gomod" app -licenses -json -noserial -main "$3" -output "$output.sbom.json" . 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
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

"$kustomize" kustomize config/default >"$DIST/install.yaml"
once "$DIST/install.yaml" "image: controller:latest" "image: $IMG@$DIGEST"

# The chart, with the image by its digest. It is packed here, before anything is signed, and with one time for all files, so that it can be compared.
for field in version appVersion; do
  grep -qx "$field: ${VERSION#v}" config/chart/Chart.yaml || { echo "config/chart/Chart.yaml has another $field than ${VERSION#v}" >&2; exit 1; }
done
once config/chart/values.yaml '  digest: ""' "  digest: \"$DIGEST\""
sed -i.tmp "s|registry.example/importjobstop-operator|$IMG|" config/chart/values.yaml config/chart/values.schema.json config/chart/README.md
rm config/chart/*.tmp
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C config --transform='s|^chart|importjobstop-operator|' -cf - chart |
  gzip -n >"$DIST/importjobstop-operator-${VERSION#v}.tgz"

(cd "$DIST" && sha256sum -- * >"$work/sums")

# Provenance by SLSA's predicate: what was made, of which commit, how. It is as trustworthy as the signature that is put over it.
subjects=$(awk '{printf "{\"name\":\"%s\",\"digest\":{\"sha256\":\"%s\"}},", $2, $1}' "$work/sums")
cat >"$DIST/provenance.intoto.json" <<EOF
{"_type":"https://in-toto.io/Statement/v1","subject":[$subjects{"name":"$IMG","digest":{"sha256":"${DIGEST#sha256:}"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{"buildType":"https://github.com/tencentcloud-cdb/importjobstop-operator/blob/main/docs/release.md","externalParameters":{"version":"$VERSION","image":"$IMG@$DIGEST"},"resolvedDependencies":[{"uri":"git+https://github.com/tencentcloud-cdb/importjobstop-operator@refs/tags/$VERSION","digest":{"gitCommit":"$commit"}}],"internalParameters":{"go":"$(go env GOVERSION)"}},"runDetails":{"builder":{"id":"https://github.com/tencentcloud-cdb/importjobstop-operator/blob/$VERSION/hack/release.sh"}}}}
EOF
(cd "$DIST" && sha256sum -- * >"$work/sums" && mv "$work/sums" SHA256SUMS)
echo "$DIST: $(wc -l <"$DIST/SHA256SUMS") files of $VERSION, commit $commit"

if [ -n "${SIGNING_KEY:-}" ]; then
  ssh-keygen -Y sign -n importjobstop-operator -f "$SIGNING_KEY" "$DIST/SHA256SUMS"
else
  echo "not signed: set SIGNING_KEY to an SSH key, or sign SHA256SUMS with cosign as docs/release.md says"
fi
