// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"fmt"
	"slices"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// marks has the labels and annotations of tools that create again what was deleted.
var marks = map[string]string{
	"app.kubernetes.io/instance":       "Argo CD or Helm",
	"applyset.kubernetes.io/part-of":   "kubectl apply --prune",
	"argocd.argoproj.io/instance":      "Argo CD",
	"argocd.argoproj.io/tracking-id":   "Argo CD",
	"helm.toolkit.fluxcd.io/name":      "Flux",
	"kapp.k14s.io/app":                 "kapp",
	"kapp.k14s.io/identity":            "kapp",
	"kustomize.toolkit.fluxcd.io/name": "Flux",
	"meta.helm.sh/release-name":        "Helm",
}

// managers has the field managers of such tools. Only a live read has them: the cache drops managedFields.
var managers = map[string]string{
	"argocd-controller":    "Argo CD",
	"helm":                 "Helm",
	"helm-controller":      "Flux",
	"kustomize-controller": "Flux",
}

// managedBy names the owner or the tool that would create the object again after its deletion; empty means none.
func managedBy(object *cdbv1.ImportJobStop) string {
	if len(object.OwnerReferences) > 0 {
		owner := object.OwnerReferences[0]
		return truncate("its owner "+owner.Kind+"/"+owner.Name, maxID)
	}
	var tools []string
	for _, set := range []map[string]string{object.Labels, object.Annotations} {
		for mark := range set {
			if tool := marks[mark]; tool != "" {
				tools = append(tools, tool)
			}
		}
	}
	for _, entry := range object.ManagedFields {
		if tool := managers[entry.Manager]; tool != "" {
			tools = append(tools, tool)
		}
	}
	if len(tools) == 0 {
		return ""
	}
	return slices.Min(tools)
}

// restoreMark is on what Velero restored.
const restoreMark = "velero.io/restore-name"

// MustBePinned returns the tool that could create the object again, under another uid and when another import runs. It is empty if there is
// none, or if spec names the id of the import.
func MustBePinned(object *cdbv1.ImportJobStop) (tool string) {
	if object.Spec.AsyncRequestID != "" {
		return ""
	}
	if object.Labels[restoreMark] != "" || object.Annotations[restoreMark] != "" {
		return "Velero"
	}
	return managedBy(object)
}

// RequirePin ends an object until the id of its import is in spec: the import was found and must be pinned, or status does not say for which
// import a stop was sent.
func RequirePin(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		noteRetry(object)
		object.Status.NextAttemptTime = nil
		message := "a stop was sent, but status does not say for which import; set spec.asyncRequestId"
		if tool := MustBePinned(object); tool != "" && isFound(object) {
			message = fmt.Sprintf("found and not stopped: %s could create this object again, and it would stop whatever runs then; set spec.asyncRequestId to %s",
				tool, object.Status.Import.AsyncRequestID)
		}
		setPhase(object, failed, cdbv1.ReasonImportNotPinned, message, now)
	}
}

// IsRead says whether the operator reads the label or the annotation of this name.
func IsRead(name string) bool {
	switch name {
	case restoreMark, cdbv1.RetryRequestedAtAnnotation, cdbv1.ApprovedByAnnotation, cdbv1.BreakGlassByAnnotation:
		return true
	}
	return marks[name] != ""
}
