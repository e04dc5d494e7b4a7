#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fails if what is generated is not what the sources say.
set -euo pipefail
cd "$(dirname "$0")/.."
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
generated=(docs/reference.md api/v1alpha1/zz_generated.deepcopy.go config/crd/bases config/rbac/role.yaml config/chart go.mod go.sum test/arena/go.mod test/arena/go.sum)
tar -cf "$before/files.tar" "${generated[@]}"
make --no-print-directory generate manifests chart >/dev/null
go mod tidy
(cd test/arena && go mod tidy)
tar -df "$before/files.tar" >"$before/difference" 2>&1 || true
if grep -vE '(Mod time|Uid|Gid|Mode) differs' "$before/difference"; then
  echo "generated files were not up to date; they are now: commit them" >&2
  exit 1
fi
