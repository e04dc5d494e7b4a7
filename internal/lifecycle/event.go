// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// Event is a Kubernetes event that is emitted after the status was written.
type Event struct{ Type, Reason, Message string }

// Events are what to tell of the difference between the status of an object and what it was before.
func Events(object *cdbv1.ImportJobStop, before *cdbv1.ImportJobStopStatus) (events []Event) {
	if e := outcomeEvent(&object.Status, before); e.Reason != "" {
		events = append(events, e)
	}
	ended := isSettled(object) && (before.CompletionTime == nil || before.ObservedGeneration != object.Generation)
	if tool := ManagedBy(object); ended && tool != "" && object.Spec.TTLSecondsAfterFinished != nil {
		events = append(events, TTLIgnored(tool))
	}
	return events
}

// TTLIgnored says why a finished object is not deleted.
func TTLIgnored(tool string) Event {
	return Event{corev1.EventTypeWarning, cdbv1.ReasonTTLIgnored, fmt.Sprintf(
		"not deleted after ttlSecondsAfterFinished, because %s would create it again and it would act again; delete it at its source instead", tool)}
}

// outcomeEvent is one event for an outcome, and none for a retry of the same kind.
func outcomeEvent(status, before *cdbv1.ImportJobStopStatus) Event {
	ready, was := readyOf(status), readyOf(before)
	refusal, refusedBefore := refusalOf(status), refusalOf(before)
	isRefusedAnew := refusal != "" && refusal != refusedBefore && ready.Reason != cdbv1.ReasonStopping &&
		(refusal != cdbv1.ReasonOutcomeUnknown || ready.Reason == cdbv1.ReasonRetryScheduled)
	warning := Event{corev1.EventTypeWarning, ready.Reason, eventMessage(ready.Message)}
	if ready.Status == was.Status && ready.Reason == was.Reason {
		if isRefusedAnew {
			return warning
		}
		return Event{}
	}
	switch {
	case ready.Status == metav1.ConditionTrue:
		return Event{corev1.EventTypeNormal, ready.Reason, eventMessage(ready.Message)}
	case status.RequestID != "" && before.RequestID == "":
		return Event{corev1.EventTypeNormal, cdbv1.ReasonStopAccepted, eventMessage(ready.Message)}
	case isRefusedAnew:
		return warning
	case ready.Reason == cdbv1.ReasonCredentialsRejected && refusal != "":
		return Event{} // as every ten minutes
	case ready.Status == metav1.ConditionFalse, ready.Reason == cdbv1.ReasonCredentialsNotFound:
		return warning
	}
	return Event{}
}

// eventMessage keeps within the 1 KiB that the note of an event may have.
func eventMessage(message string) string {
	const limit = 1000
	if len(message) <= limit {
		return message
	}
	return Truncate(message, limit-len("…")) + "…"
}
