// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// note is an event that is told after the status was written.
type note struct{ kind, reason, message string }

// eventsOf tells what has become of an object since before.
func eventsOf(object *cdbv1.ImportJobStop, before *cdbv1.ImportJobStopStatus) (notes []note) {
	if n := outcomeOf(&object.Status, before); n.reason != "" {
		notes = append(notes, n)
	}
	ended := isFinished(object) && (before.CompletionTime == nil || before.ObservedGeneration != object.Generation)
	if tool := managedBy(object); ended && tool != "" && object.Spec.TTLSecondsAfterFinished != nil {
		notes = append(notes, note{corev1.EventTypeWarning, cdbv1.ReasonTTLIgnored, fmt.Sprintf(
			"not deleted after ttlSecondsAfterFinished, because %s would create it again and it would act again; take it out of the source instead", tool)})
	}
	return notes
}

// outcomeOf is one event for an outcome, and none for a retry of the same kind.
func outcomeOf(status, before *cdbv1.ImportJobStopStatus) note {
	ready, was := readyOf(status), readyOf(before)
	refusal, refusedBefore := refusalOf(status), refusalOf(before)
	isNew := ready.Status != was.Status || ready.Reason != was.Reason
	isRefusedAnew := refusal != "" && refusal != refusedBefore
	switch {
	case isNew && ready.Status == metav1.ConditionTrue:
		return note{corev1.EventTypeNormal, ready.Reason, ready.Message}
	case isNew && status.RequestID != "" && before.RequestID == "":
		return note{corev1.EventTypeNormal, cdbv1.ReasonStopAccepted, ready.Message}
	case isNew && ready.Reason == cdbv1.ReasonCredentialsRejected && refusal != "" && !isRefusedAnew:
		return note{} // as every ten minutes
	case isNew && ready.Status == metav1.ConditionFalse, isRefusedAnew:
		return note{corev1.EventTypeWarning, ready.Reason, cut(ready.Message)}
	}
	return note{}
}

func readyOf(status *cdbv1.ImportJobStopStatus) metav1.Condition {
	if ready := meta.FindStatusCondition(status.Conditions, cdbv1.ConditionReady); ready != nil {
		return *ready
	}
	return metav1.Condition{}
}

// refusalOf is the reason of Accepted=False, or empty.
func refusalOf(status *cdbv1.ImportJobStopStatus) string {
	if c := meta.FindStatusCondition(status.Conditions, cdbv1.ConditionAccepted); c != nil && c.Status == metav1.ConditionFalse {
		return c.Reason
	}
	return ""
}

// cut keeps within the 1 KiB that an event's note may have.
func cut(message string) string {
	const most = 1000
	if len(message) <= most {
		return message
	}
	return head(message, most-len("…")) + "…"
}

// head is the beginning of s, of at most so many bytes, without half a character at its end: JSON would not keep that as it is.
func head(s string, most int) string {
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
