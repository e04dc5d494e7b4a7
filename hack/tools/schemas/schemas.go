// SPDX-License-Identifier: Apache-2.0

// Package schemas names the API types of the tools that config/flux and config/prometheus are for. controller-gen makes their CRDs of
// them, which these manifests are then checked against. It is a module of its own to keep them out of the operator's go.mod.
package schemas

import (
	_ "github.com/fluxcd/kustomize-controller/api/v1"
	_ "github.com/fluxcd/source-controller/api/v1"
	_ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
)
