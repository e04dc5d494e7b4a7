#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes kube-apiserver, etcd and kubectl in bin/controlplane from Go modules, unless they are there in this version.
set -euo pipefail
cd "$(dirname "$0")"
out=$(cd ../../.. && pwd)/bin/controlplane
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
stamp="$version $(go list -m -f '{{.Version}}' go.etcd.io/etcd/server/v3)"
if [ -f "$out/stamp" ] && [ "$(cat "$out/stamp")" = "$stamp" ]; then exit 0; fi
mkdir -p "$out"
build() {
  echo "control plane: building $1 (about $3 on two cores, once)" >&2
  go build -buildvcs=false -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version" -o "$out/$1" "$2"
}
build etcd go.etcd.io/etcd/server/v3 '20 seconds'
build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver '6 minutes'
build kubectl k8s.io/kubernetes/cmd/kubectl '30 seconds'
echo "$stamp" > "$out/stamp"
