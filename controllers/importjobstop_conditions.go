// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// change writes a situation of the status contract into an object.
type change func(*cdbv1.ImportJobStop)

// The phases: which of Ready, Reconciling and Stalled go together.
type phase int

const (
	progressing phase = iota
	succeeded
	failed
)

// setPhase writes Ready, Reconciling and Stalled together, each with the generation that it speaks of.
// Where somebody's help is needed, the message says where the remedy is written.
func setPhase(object *cdbv1.ImportJobStop, p phase, reason, message string) {
	ready, reconciling, stalled := metav1.ConditionUnknown, metav1.ConditionTrue, metav1.ConditionFalse
	switch p {
	case succeeded:
		ready, reconciling = metav1.ConditionTrue, metav1.ConditionFalse
	case failed:
		ready, reconciling, stalled = metav1.ConditionFalse, metav1.ConditionFalse, metav1.ConditionTrue
	}
	if p == failed || reason == cdbv1.ReasonCredentialsNotFound {
		message += "; see " + cdbv1.RemediesPage + "#" + strings.ToLower(reason)
	}
	setCondition(object, cdbv1.ConditionReady, ready, reason, message)
	if reconciling == metav1.ConditionTrue {
		setCondition(object, cdbv1.ConditionReconciling, reconciling, reason, message)
	} else {
		setCondition(object, cdbv1.ConditionReconciling, reconciling, cdbv1.ReasonFinished, "there is nothing left to do")
	}
	if stalled == metav1.ConditionTrue {
		setCondition(object, cdbv1.ConditionStalled, stalled, reason, message)
	} else {
		setCondition(object, cdbv1.ConditionStalled, stalled, cdbv1.ReasonProgressing, "nothing stands in the way")
	}
	object.Status.ObservedGeneration = object.Generation
	for i := range object.Status.Conditions {
		object.Status.Conditions[i].ObservedGeneration = object.Generation
	}
}

func setCondition(object *cdbv1.ImportJobStop, kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&object.Status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason,
		Message: message, ObservedGeneration: object.Generation,
	})
}

func finish(object *cdbv1.ImportJobStop, at time.Time) {
	object.Status.CompletionTime, object.Status.NextAttemptTime = secondTime(at), nil
}

// begin makes the status speak of the target of the spec.
func begin(object *cdbv1.ImportJobStop, now time.Time) {
	if isNewWish(object) {
		wish := object.Spec.Target()
		object.Status = cdbv1.ImportJobStopStatus{Target: &wish, LastHandledRetryAt: retryMark(object)}
	}
	if object.Status.StartTime == nil {
		object.Status.StartTime = secondTime(now)
	}
}

// observed only says that the spec, and a wish for a new try that has nothing to try, were seen.
func observed(object *cdbv1.ImportJobStop) {
	if isRetryAsked(object) {
		object.Status.LastHandledRetryAt = retryMark(object)
	}
	object.Status.ObservedGeneration = object.Generation
	for i := range object.Status.Conditions {
		object.Status.Conditions[i].ObservedGeneration = object.Generation
	}
}

func suspended(object *cdbv1.ImportJobStop) {
	begin(object, time.Now())
	object.Status.CompletionTime, object.Status.StartTime = nil, nil
	setPhase(object, progressing, cdbv1.ReasonSuspended, "held back; set spec.suspend to false to go on")
}

func credentialsNotFound(message string) change {
	return func(object *cdbv1.ImportJobStop) {
		begin(object, time.Now())
		object.Status.NextAttemptTime, object.Status.CompletionTime = nil, nil
		setPhase(object, progressing, cdbv1.ReasonCredentialsNotFound, message)
	}
}

// shortTurn is the longest wait in line that is not worth a write.
const shortTurn = 5 * time.Second

// waitingForQuota is written once, with an estimate of the turn, when the wait is worth telling.
func waitingForQuota(now time.Time, turn time.Duration) change {
	return func(object *cdbv1.ImportJobStop) {
		worthTelling := turn > shortTurn || object.Spec.ActiveDeadlineSeconds != nil // which counts from startTime
		if !worthTelling || (readyReason(object) == cdbv1.ReasonWaitingForQuota && !isNewWish(object)) {
			return
		}
		begin(object, now)
		object.Status.NextAttemptTime, object.Status.CompletionTime = microTime(now.Add(turn)), nil
		setPhase(object, progressing, cdbv1.ReasonWaitingForQuota,
			fmt.Sprintf("in line for the cloud's quota since %s", now.UTC().Format(time.RFC3339)))
	}
}

// claimed writes the attempt down before it is made.
func claimed(now time.Time) change {
	return func(object *cdbv1.ImportJobStop) {
		begin(object, now)
		status := &object.Status
		last := status.LastAttempt
		attempt := &cdbv1.Attempt{StartTime: *microTime(now)}
		attempt.FollowsUnknown = last != nil && (last.EndTime == nil || last.FollowsUnknown)
		status.Attempts++
		status.LastAttempt, status.NextAttemptTime, status.CompletionTime, status.ImportStatus = attempt, nil, nil, ""
		message := fmt.Sprintf("calling StopDBImportJob, attempt %d", status.Attempts)
		if attempt.FollowsUnknown {
			message += "; the outcome of an earlier attempt is unknown"
		}
		setPhase(object, progressing, cdbv1.ReasonStopping, message)
	}
}

func acceptedStop(now time.Time) change {
	return func(object *cdbv1.ImportJobStop) {
		message := fmt.Sprintf("the cloud accepted the stop, RequestId %s", object.Status.RequestID)
		setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionTrue, cdbv1.ReasonStopAccepted, message)
		finish(object, now)
		setPhase(object, succeeded, cdbv1.ReasonStopAccepted, message)
	}
}

// retryAsked starts over, because a person has asked for it.
func retryAsked(now time.Time) change {
	return func(object *cdbv1.ImportJobStop) {
		status := &object.Status
		status.LastHandledRetryAt, status.StartTime = retryMark(object), secondTime(now)
		status.NextAttemptTime, status.CompletionTime = nil, nil
		setPhase(object, progressing, cdbv1.ReasonRetryScheduled, fmt.Sprintf("a new try was asked for: %q", status.LastHandledRetryAt))
	}
}

// deadlineExceeded gives up, and says how far it came.
func deadlineExceeded(now time.Time) change {
	return func(object *cdbv1.ImportJobStop) {
		came, last := "no call was made", object.Status.LastAttempt
		switch {
		case accepted(object):
			came = fmt.Sprintf("the cloud accepted the stop, RequestId %s, but the import has not been seen to end", object.Status.RequestID)
		case last != nil && (last.EndTime == nil || last.FollowsUnknown):
			came = "the outcome of an attempt is unknown, it may have stopped the import"
		case last != nil:
			came = "the last answer was " + last.ErrorCode
		}
		message := fmt.Sprintf("not done within the %d s of activeDeadlineSeconds; %s", *object.Spec.ActiveDeadlineSeconds, came)
		if !accepted(object) {
			setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionFalse, cdbv1.ReasonDeadlineExceeded, message)
		}
		finish(object, now)
		setPhase(object, failed, cdbv1.ReasonDeadlineExceeded, message)
	}
}

// retryNow forgets the delay, because what it waited for has changed.
func retryNow(object *cdbv1.ImportJobStop) {
	object.Status.NextAttemptTime, object.Status.CompletionTime = nil, nil
	setPhase(object, progressing, cdbv1.ReasonRetryScheduled, "the credentials have changed; trying again")
}
