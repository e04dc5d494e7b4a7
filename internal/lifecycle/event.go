// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// Event is a Kubernetes event, of the type Normal or Warning. Its message has at most 1,000 bytes. It is emitted after the status is written.
type Event struct{ Type, Reason, Message string }

// Events returns the events for what has changed in the status of an object since before.
func Events(object *cdbv1.ImportJobStop, before *cdbv1.ImportJobStopStatus) (events []Event) {
	if e := outcomeEvent(&object.Status, before); e.Reason != "" {
		events = append(events, e)
	}
	if e := breakGlassEvent(object, before); e.Reason != "" {
		events = append(events, e)
	}
	ended := isSettled(object) && (before.CompletionTime == nil || before.ObservedGeneration != object.Generation)
	if e, ignored := TTLIgnored(object); ignored && ended && object.Spec.TTLSecondsAfterFinished != nil {
		events = append(events, e)
	}
	return events
}

// breakGlassEvent returns an event that names who lets an object go on without an approval. There is one for each spec that the operator
// begins to work on, and one for each retry that it handles: it may never have seen that the object was suspended in between.
func breakGlassEvent(object *cdbv1.ImportJobStop, before *cdbv1.ImportJobStopStatus) Event {
	by, status := object.Annotations[cdbv1.BreakGlassByAnnotation], &object.Status
	isNew := status.ObservedGeneration != before.ObservedGeneration || status.LastHandledRetryAt != before.LastHandledRetryAt
	begins := isNew && !object.Spec.Suspend && ReadyReason(object) != cdbv1.ReasonSuspended
	if by == "" || object.Annotations[cdbv1.ApprovedByAnnotation] != "" || !begins {
		return Event{}
	}
	return Event{corev1.EventTypeWarning, cdbv1.ReasonBreakGlass, eventMessage("without a second person, by " + by)}
}

// TTLIgnored says whether the object is not deleted after its TTL, and returns the event that says why.
func TTLIgnored(object *cdbv1.ImportJobStop) (event Event, ignored bool) {
	tool := managedBy(object)
	if tool == "" {
		return Event{}, false
	}
	return Event{corev1.EventTypeWarning, cdbv1.ReasonTTLIgnored, fmt.Sprintf(
		"not deleted after ttlSecondsAfterFinished, because %s would create it again and it would act again; delete it at its source instead", tool)}, true
}

// outcomeEvent returns one event for an outcome, and none for a retry that failed as the one before.
func outcomeEvent(status, before *cdbv1.ImportJobStopStatus) Event {
	ready, was := readyOf(status), readyOf(before)
	if ready.Status == was.Status && ready.Reason == was.Reason && !isRefusedAnew(status, before) {
		return Event{}
	}
	message := eventMessage(ready.Message)
	if ready.Status == metav1.ConditionTrue {
		return Event{corev1.EventTypeNormal, ready.Reason, message}
	}
	if status.RequestID != "" && before.RequestID == "" {
		return Event{corev1.EventTypeNormal, cdbv1.ReasonStopAccepted, message}
	}
	if isRefusedAnew(status, before) || needsHelp(status) {
		return Event{corev1.EventTypeWarning, ready.Reason, message}
	}
	return Event{}
}

// isRefusedAnew: a stop failed, and not as the one before.
func isRefusedAnew(status, before *cdbv1.ImportJobStopStatus) bool {
	reason, refusal := readyOf(status).Reason, refusalOf(status)
	if refusal == "" || refusal == refusalOf(before) || reason == cdbv1.ReasonStopping {
		return false
	}
	return refusal != cdbv1.ReasonOutcomeUnknown || reason == cdbv1.ReasonRetryScheduled
}

// needsHelp: a person must act. Credentials that are refused again, as every ten minutes, are no news.
func needsHelp(status *cdbv1.ImportJobStopStatus) bool {
	ready := readyOf(status)
	if ready.Reason == cdbv1.ReasonCredentialsRejected && refusalOf(status) != "" {
		return false
	}
	return ready.Status == metav1.ConditionFalse || ready.Reason == cdbv1.ReasonCredentialsNotFound
}

// eventMessage shortens a message to fit the note of an event, which has at most 1 KiB.
func eventMessage(message string) string {
	const limit = 1000
	if len(message) <= limit {
		return message
	}
	return truncate(message, limit-len("…")) + "…"
}
