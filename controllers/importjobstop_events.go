// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// note is an event that is told after the status was written.
type note struct{ kind, reason, message string }

// eventsOf tells what has become of an object since before: one event for an outcome, none for a retry of the same kind.
func eventsOf(object *cdbv1.ImportJobStop, before *cdbv1.ImportJobStopStatus) (notes []note) {
	ready, was := readyOf(&object.Status), readyOf(before)
	refusal, refusedBefore := refusalOf(&object.Status), refusalOf(before)
	switch {
	case ready.Status == was.Status && ready.Reason == was.Reason && refusal == refusedBefore:
	case ready.Status == metav1.ConditionTrue:
		notes = append(notes, note{corev1.EventTypeNormal, ready.Reason, ready.Message})
	case object.Status.RequestID != "" && before.RequestID == "":
		notes = append(notes, note{corev1.EventTypeNormal, cdbv1.ReasonStopAccepted, ready.Message})
	case ready.Reason == cdbv1.ReasonCredentialsRejected && refusal == refusedBefore && refusal != "":
	case ready.Status == metav1.ConditionFalse, refusal != "" && refusal != refusedBefore:
		notes = append(notes, note{corev1.EventTypeWarning, ready.Reason, cut(ready.Message)})
	}
	ended := isFinished(object) && (before.CompletionTime == nil || before.ObservedGeneration != object.Generation)
	if tool := managedBy(object); ended && tool != "" && object.Spec.TTLSecondsAfterFinished != nil {
		notes = append(notes, note{corev1.EventTypeWarning, cdbv1.ReasonTTLIgnored, fmt.Sprintf(
			"not deleted after ttlSecondsAfterFinished, because %s would create it again and it would act again; take it out of the source instead", tool)})
	}
	return notes
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
	return fmt.Sprintf("%s…", message[:most-len("…")])
}
