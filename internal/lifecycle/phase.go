// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// phase is a combination of Ready, Reconciling and Stalled.
type phase int

const (
	progressing phase = iota // Unknown, True, False: the operator works on the object
	succeeded                // True, False, False: the object has ended
	failed                   // False, False, True: the object has ended, unless the spec changes or a retry is requested
	stalled                  // False, False, True: the object needs help, and goes on by itself when help has come
)

// phaseOf is the phase of a reason of Ready. A reason that is not ours counts as progressing, so that the object is decided anew.
func phaseOf(reason string) phase {
	switch reason {
	case cdbv1.ReasonStopAccepted, cdbv1.ReasonImportStopped, cdbv1.ReasonAlreadyStopped:
		return succeeded
	case cdbv1.ReasonImportNotFound, cdbv1.ReasonInvalidRequest, cdbv1.ReasonImportError, cdbv1.ReasonImportAlreadyFinished,
		cdbv1.ReasonDeadlineExceeded, cdbv1.ReasonInternalError,
		cdbv1.ReasonImportAmbiguous, cdbv1.ReasonImportMismatch, cdbv1.ReasonImportNotPinned:
		return failed
	case cdbv1.ReasonCredentialsRejected:
		return stalled
	}
	return progressing
}

// maxMessage is the longest message of a condition, in bytes, without the link to the remedy. The API server takes 32 KiB.
const maxMessage = 4096

// setPhase writes Ready, Reconciling and Stalled together, each with the generation of the spec, and the times that go with them.
// Where a person must act, the message links to the remedy.
func setPhase(object *cdbv1.ImportJobStop, p phase, reason, message string, at time.Time) {
	was := readyOf(&object.Status)
	message, isStalled := truncate(message, maxMessage), p == failed || p == stalled
	if isStalled || reason == cdbv1.ReasonCredentialsNotFound {
		message += remedy(reason)
	}
	idle := cdbv1.ReasonFinished
	if p == progressing {
		idle = cdbv1.ReasonProgressing
	}
	setCondition(object, cdbv1.ConditionReady, readyIn[p], reason, message, at)
	setBesideReady := func(kind string, is bool) {
		if is || p == stalled {
			setCondition(object, kind, statusOf(is), reason, message, at)
		} else {
			setCondition(object, kind, statusOf(is), idle, idleMessages[idle], at)
		}
	}
	setBesideReady(cdbv1.ConditionReconciling, p == progressing)
	setBesideReady(cdbv1.ConditionStalled, isStalled)
	if isOutcomeOpen(object, p, reason) && conditionOf(&object.Status, cdbv1.ConditionAccepted).Status != metav1.ConditionUnknown {
		setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionUnknown, cdbv1.ReasonOutcomeUnknown, outcomeUnknown, at)
	}
	setCompletion(&object.Status, p, was.Reason == reason && was.Status == readyIn[p], at)
	setWaiting(&object.Status, reason, was.Reason == reason, at)
	setObservedGeneration(object)
}

// readyIn is the status of Ready in each phase.
var readyIn = map[phase]metav1.ConditionStatus{
	progressing: metav1.ConditionUnknown, succeeded: metav1.ConditionTrue, failed: metav1.ConditionFalse, stalled: metav1.ConditionFalse,
}

func statusOf(b bool) metav1.ConditionStatus {
	if b {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}

// setCompletion sets completionTime when the object ends. An object that had ended for the same reason keeps its time.
func setCompletion(status *cdbv1.ImportJobStopStatus, p phase, again bool, at time.Time) {
	if p != succeeded && p != failed {
		status.CompletionTime = nil
		return
	}
	status.NextAttemptTime = nil
	if status.CompletionTime == nil || !again {
		status.CompletionTime = secondTime(at)
	}
}

// setWaiting sets waitingSince when the wait begins, and keeps it while it lasts.
func setWaiting(status *cdbv1.ImportJobStopStatus, reason string, again bool, at time.Time) {
	if reason == cdbv1.ReasonSuspended {
		return // tell knows whether a preview waits for its Secret
	}
	waits := reason == cdbv1.ReasonWaitingForQuota || reason == cdbv1.ReasonCredentialsNotFound
	if !waits || !again {
		status.WaitingSince = nil
	}
	if waits && status.WaitingSince == nil {
		status.WaitingSince = secondTime(at)
	}
}

// isOutcomeOpen: the last attempt has no end, is not in flight, and nothing that was found out since tells its outcome.
func isOutcomeOpen(object *cdbv1.ImportJobStop, p phase, reason string) bool {
	switch reason {
	case cdbv1.ReasonStopping, cdbv1.ReasonImportAlreadyFinished, cdbv1.ReasonInternalError:
		return false
	}
	last := object.Status.LastAttempt
	return last != nil && last.EndTime == nil && !accepted(object) && p != succeeded
}

var idleMessages = map[string]string{
	cdbv1.ReasonFinished:    "nothing is left to do",
	cdbv1.ReasonProgressing: "the operator goes on without help",
}

// remedy links to what a person can do.
func remedy(reason string) string {
	return "; see " + cdbv1.RemediesPage + "#" + strings.ToLower(reason)
}

// setObservedGeneration makes the status, and each condition of ours, describe the spec as it is now.
func setObservedGeneration(object *cdbv1.ImportJobStop) {
	object.Status.ObservedGeneration = object.Generation
	for i, c := range object.Status.Conditions {
		switch c.Type {
		case cdbv1.ConditionReady, cdbv1.ConditionAccepted, cdbv1.ConditionReconciling, cdbv1.ConditionStalled:
			object.Status.Conditions[i].ObservedGeneration = object.Generation
		}
	}
}

// setCondition keeps lastTransitionTime unless the status of the condition changes.
func setCondition(object *cdbv1.ImportJobStop, kind string, status metav1.ConditionStatus, reason, message string, at time.Time) {
	meta.SetStatusCondition(&object.Status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: object.Generation, LastTransitionTime: *secondTime(at),
	})
}

func conditionOf(status *cdbv1.ImportJobStopStatus, kind string) metav1.Condition {
	if c := meta.FindStatusCondition(status.Conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{}
}

func readyOf(status *cdbv1.ImportJobStopStatus) metav1.Condition {
	return conditionOf(status, cdbv1.ConditionReady)
}

// ReadyReason is the reason of Ready; empty before the operator has seen the object.
func ReadyReason(object *cdbv1.ImportJobStop) string { return readyOf(&object.Status).Reason }

// refusalOf is the reason of Accepted while that is not True: the class of the latest refusal. Empty means that there was none.
func refusalOf(status *cdbv1.ImportJobStopStatus) string {
	if c := conditionOf(status, cdbv1.ConditionAccepted); c.Status != metav1.ConditionTrue {
		return c.Reason
	}
	return ""
}

// truncate returns the first limit bytes of s, or less: it drops a character that is cut, because JSON would replace it.
func truncate(s string, limit int) string {
	return strings.ToValidUTF8(s[:min(len(s), limit)], "")
}

func microTime(t time.Time) *metav1.MicroTime {
	return &metav1.MicroTime{Time: t.Truncate(time.Microsecond)}
}

func secondTime(t time.Time) *metav1.Time { return &metav1.Time{Time: t.Truncate(time.Second)} }
