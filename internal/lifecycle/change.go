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

// begin makes the status speak of the target of the spec.
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
		object.Status.LastHandledRetryAt = retryMark(object)
	}
}

// Observe makes the status speak of the spec as it is now, and changes nothing else that is consistent.
func Observe(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		ready := readyOf(&object.Status)
		if ready.Reason == "" {
			return
		}
		p := phaseOf(ready.Reason)
		if ready.Reason == cdbv1.ReasonCredentialsNotFound && ready.Status == metav1.ConditionFalse {
			p = stalled
		}
		setPhase(object, p, ready.Reason, strings.TrimSuffix(ready.Message, remedy(ready.Reason)), now)
	}
}

// settle is for an object that has ended.
func settle(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		noteRetry(object)
		Observe(now)(object)
	}
}

// suspend clears the times that count towards a deadline or a retry, so that a resumed object starts fresh.
func suspend(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		begin(object, now)
		object.Status.StartTime, object.Status.NextAttemptTime = nil, nil
		setPhase(object, progressing, cdbv1.ReasonSuspended, prefixAccepted(object, "held back; set spec.suspend to false to go on"), now)
	}
}

// prefixAccepted names the accepted call, if there is one, before what else there is to say.
func prefixAccepted(object *cdbv1.ImportJobStop, message string) string {
	if !accepted(object) {
		return message
	}
	return acceptedMessage(object) + "; " + message
}

func acceptedMessage(object *cdbv1.ImportJobStop) string {
	return "the cloud accepted the stop, RequestId " + Truncate(object.Status.RequestID, maxID)
}

// maxID bounds, in bytes, the ids and codes that status brings into a message.
const maxID = 128

// stallAfter is how long a missing Secret is waited for before a person is called. Helm and Flux give up after five minutes.
const stallAfter = 2 * time.Minute

// WaitForCredentials says what is wrong with the Secret. After two minutes the object is stalled, and goes on all the same when the Secret comes.
// An empty text keeps what was said before.
func WaitForCredentials(now time.Time, text string) Change {
	return func(object *cdbv1.ImportJobStop) {
		begin(object, now)
		ready := readyOf(&object.Status)
		message := prefixAccepted(object, text)
		if text == "" {
			message = strings.TrimSuffix(ready.Message, remedy(ready.Reason))
		} else {
			noteRetry(object)
		}
		object.Status.NextAttemptTime = nil
		p, since := progressing, object.Status.WaitingSince
		if ready.Reason == cdbv1.ReasonCredentialsNotFound && since != nil && now.Sub(since.Time) >= stallAfter {
			p = stalled
		}
		setPhase(object, p, cdbv1.ReasonCredentialsNotFound, message, now)
	}
}

// FollowRefusal puts off the next try of credentials that the cloud refused, because another object of the same Secret has just tried them.
func FollowRefusal(now, next time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		object.Status.NextAttemptTime = microTime(next)
		Observe(now)(object)
	}
}

// worthTelling is the shortest wait in a queue that is written into status.
const worthTelling = 5 * time.Second

// WaitForQuota says that the object is in the queue of its budget since a time, and about how long its turn takes.
// It writes nothing while the wait is short and the status is about this spec. It does not touch what an accepted object says.
func WaitForQuota(now, since time.Time, turn time.Duration) Change {
	return func(object *cdbv1.ImportJobStop) {
		if accepted(object) && !targetChanged(object) {
			waitToAsk(now)(object)
			return
		}
		current := !targetChanged(object) && object.Status.ObservedGeneration == object.Generation
		if current && readyReason(object) == cdbv1.ReasonWaitingForQuota {
			return
		}
		fresh := object.Status.Target == nil
		isLong := now.Sub(since) >= worthTelling || now.Add(turn).Sub(since) > worthTelling
		isLong = isLong || WaitsForSecret(object)                                      // it has the Secret now: without a word of it, it would wait for that again
		if !isLong && (current || fresh) && object.Spec.ActiveDeadlineSeconds == nil { // a deadline counts from startTime
			return
		}
		begin(object, now)
		noteRetry(object)
		object.Status.NextAttemptTime = microTime(now.Add(turn))
		setPhase(object, progressing, cdbv1.ReasonWaitingForQuota,
			fmt.Sprintf("in the queue for the cloud's quota since %s", since.UTC().Format(time.RFC3339)), now)
		object.Status.WaitingSince = secondTime(since)
	}
}

// waitToAsk is for an accepted object in the queue: what it says of its call stays.
func waitToAsk(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		switch readyReason(object) {
		case cdbv1.ReasonWaitingForStop:
			Observe(now)(object)
		default:
			begin(object, now)
			object.Status.NextAttemptTime = nil
			setPhase(object, progressing, cdbv1.ReasonWaitingForStop, prefixAccepted(object, "the import is still ending"), now)
		}
	}
}

// RecordAttempt writes the attempt down before its call is sent.
func RecordAttempt(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		begin(object, now)
		noteRetry(object)
		status, last := &object.Status, object.Status.LastAttempt
		attempt := &cdbv1.Attempt{StartTime: *microTime(now)}
		attempt.FollowsUnknown = last != nil && (last.EndTime == nil || last.FollowsUnknown)
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

const outcomeUnknown = "the outcome of an attempt is unknown, it may have stopped the import"

func confirmAccepted(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionTrue, cdbv1.ReasonStopAccepted, acceptedMessage(object), now)
		setPhase(object, succeeded, cdbv1.ReasonStopAccepted, acceptedMessage(object), now)
	}
}

// startOver makes a delayed or failed object go on, because a person has asked for it.
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
		progress, last := "no call was made", object.Status.LastAttempt
		value := metav1.ConditionFalse
		switch {
		case accepted(object):
			progress, value = acceptedMessage(object)+", but the import was not seen to end", metav1.ConditionTrue
		case last != nil && (last.EndTime == nil || last.FollowsUnknown):
			progress, value = outcomeUnknown, metav1.ConditionUnknown
		case last != nil:
			progress = "the last answer was " + Truncate(last.ErrorCode, maxID)
		}
		message := fmt.Sprintf("not done within the %d s of activeDeadlineSeconds; %s", *object.Spec.ActiveDeadlineSeconds, progress)
		switch value {
		case metav1.ConditionUnknown:
			setCondition(object, cdbv1.ConditionAccepted, value, cdbv1.ReasonOutcomeUnknown, outcomeUnknown, now)
		case metav1.ConditionFalse:
			setCondition(object, cdbv1.ConditionAccepted, value, cdbv1.ReasonDeadlineExceeded, message, now)
		}
		setPhase(object, failed, cdbv1.ReasonDeadlineExceeded, message, now)
	}
}

// InternalError says that the operator panicked while it judged the object. Accepted stays as it is.
func InternalError(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		if object.Status.Target == nil {
			begin(object, now)
		}
		setPhase(object, failed, cdbv1.ReasonInternalError,
			prefixAccepted(object, "the operator failed to judge this object; its log has the stack trace"), now)
	}
}
