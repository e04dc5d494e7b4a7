// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"fmt"
	"math"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// begin makes the status describe the target of the spec.
func begin(object *cdbv1.ImportJobStop, now time.Time) {
	if targetChanged(object) {
		target := object.Spec.Target()
		object.Status = cdbv1.ImportJobStopStatus{Target: &target}
	}
	if object.Status.StartTime == nil {
		object.Status.StartTime = secondTime(now)
	}
}

// noteRetry records that the requested retry, if any, is under way.
func noteRetry(object *cdbv1.ImportJobStop) {
	if isRetryRequested(object) {
		object.Status.LastHandledRetryAt = RetryMark(object)
	}
}

// observe makes the status describe the spec as it is now. Ready keeps its reason and its message.
func observe(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		ready := readyOf(&object.Status)
		setPhase(object, phaseOf(ready.Reason), ready.Reason, strings.TrimSuffix(ready.Message, remedy(ready.Reason)), now)
	}
}

// settle observes the spec of an object that has ended. A requested retry has nothing to do any more.
func settle(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		noteRetry(object)
		observe(now)(object)
	}
}

// suspend holds the object back. It clears startTime and nextAttemptTime, so that a resumed object gets its full deadline and goes on at once.
func suspend(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		begin(object, now)
		noteRetry(object)
		object.Status.StartTime, object.Status.NextAttemptTime, object.Status.WaitingSince = nil, nil, nil
		if !accepted(object) {
			object.Status.NextAttemptTime = microTime(now) // the import is looked at
		}
		setPhase(object, progressing, cdbv1.ReasonSuspended, prefixAccepted(object, "held back; set spec.suspend to false to go on"), now)
	}
}

// beginLookup observes a changed spec at once: the import is looked for in more than one call.
func beginLookup(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		begin(object, now)
		noteRetry(object)
		object.Status.NextAttemptTime = nil
		setPhase(object, progressing, cdbv1.ReasonRetryScheduled, "looking for the import on "+object.Spec.Target().Import.InstanceID, now)
	}
}

// prefixAccepted puts the accepted call, if there is one, before the message.
func prefixAccepted(object *cdbv1.ImportJobStop, message string) string {
	if !accepted(object) {
		return message
	}
	return acceptedMessage(object) + "; " + message
}

func acceptedMessage(object *cdbv1.ImportJobStop) string {
	return "the cloud accepted the stop, RequestId " + truncate(object.Status.RequestID, maxID)
}

// maxID is how much of an id or a code from status a message quotes, in bytes.
const maxID = 128

// RecordAttempt writes the attempt down before its call is sent.
func RecordAttempt(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		begin(object, now)
		noteRetry(object)
		status, last := &object.Status, object.Status.LastAttempt
		attempt := &cdbv1.Attempt{StartTime: *microTime(now)}
		attempt.FollowsUnknown = isUnknown(last)
		if status.Attempts < math.MaxInt32 {
			status.Attempts++
		}
		status.LastAttempt, status.NextAttemptTime, status.ImportStatus = attempt, nil, ""
		message := fmt.Sprintf("calling %s, attempt %d", importjob.ActionStop, status.Attempts)
		if attempt.FollowsUnknown {
			message += "; the outcome of an earlier attempt is unknown"
			setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionUnknown, cdbv1.ReasonOutcomeUnknown, outcomeUnknown, now)
		}
		setPhase(object, progressing, cdbv1.ReasonStopping, message, now)
	}
}

const outcomeUnknown = "the outcome of an attempt is unknown; it may have stopped the import"

// isUnknown: the outcome of the attempt, or of one before it, is not known.
func isUnknown(attempt *cdbv1.Attempt) bool {
	return attempt != nil && (attempt.EndTime == nil || attempt.FollowsUnknown)
}

// confirmAccepted ends an object that asked for no more than the acceptance.
func confirmAccepted(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionTrue, cdbv1.ReasonStopAccepted, acceptedMessage(object), now)
		setPhase(object, succeeded, cdbv1.ReasonStopAccepted, acceptedMessage(object), now)
	}
}

// startOver makes a delayed or failed object go on at once, because a person has asked for a retry.
func startOver(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		noteRetry(object)
		object.Status.StartTime, object.Status.NextAttemptTime = secondTime(now), nil
		setPhase(object, progressing, cdbv1.ReasonRetryScheduled, fmt.Sprintf("a retry was requested: %q", object.Status.LastHandledRetryAt), now)
	}
}

// exceedDeadline gives up, and says how far the object came.
func exceedDeadline(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		message := fmt.Sprintf("gave up after the %d s of spec.activeDeadlineSeconds; %s", *object.Spec.ActiveDeadlineSeconds, progressOf(object))
		if !accepted(object) {
			if isUnknown(object.Status.LastAttempt) {
				setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionUnknown, cdbv1.ReasonOutcomeUnknown, outcomeUnknown, now)
			} else {
				setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionFalse, cdbv1.ReasonDeadlineExceeded, message, now)
			}
		}
		setPhase(object, failed, cdbv1.ReasonDeadlineExceeded, message, now)
	}
}

// progressOf says how far an object came that is given up.
func progressOf(object *cdbv1.ImportJobStop) string {
	last := object.Status.LastAttempt
	if accepted(object) {
		return acceptedMessage(object) + ", but the operator did not see the import end"
	}
	if isUnknown(last) {
		return outcomeUnknown
	}
	if last == nil {
		return "no call was made"
	}
	return "the last answer was " + truncate(last.ErrorCode, maxID)
}

// InternalError writes that the operator panicked while it reconciled the object. Accepted stays as it is.
func InternalError(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		if object.Status.Target == nil {
			begin(object, now)
		}
		setPhase(object, failed, cdbv1.ReasonInternalError,
			prefixAccepted(object, "the operator had an internal error with this object; its log has the stack trace"), now)
	}
}
