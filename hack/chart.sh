#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes what the Helm chart has from config/default, config/prometheus, config/grafana and its schema, so that they cannot drift.
set -euo pipefail
cd "$(dirname "$0")/.."
"${KUBEBUILDER_ASSETS:-bin/controlplane}/kubectl" kustomize config/default | go run -buildvcs=false ./hack/chart
