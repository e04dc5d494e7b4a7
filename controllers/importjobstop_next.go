// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// step is what to do next with an object: call the cloud, delete it, write a change of its status, or nothing until its alarm.
type step struct {
	action importjob.Action
	remove bool
	change change
}

var (
	stop = step{action: importjob.ActionStop}
	ask  = step{action: importjob.ActionDescribe}
	rest = step{}
)

// next decides from the object alone. An accepted target is never stopped again, whatever else changes.
func next(object *cdbv1.ImportJobStop, now time.Time) step {
	switch {
	case isNewWish(object) && object.Spec.Suspend:
		return step{change: suspended}
	case isNewWish(object):
		return stop
	case isPast(expiry(object), now):
		return step{remove: true}
	case isSettled(object):
		return step{change: observed}
	case object.Spec.Suspend:
		return step{change: suspended}
	case accepted(object) && !wantsEnd(object):
		return step{change: acceptedStop(now)}
	case isRetryAsked(object):
		return step{change: retryAsked(now)}
	case isPast(deadline(object), now):
		return step{change: deadlineExceeded(now)}
	case isDelayed(object, now):
		return rest
	case accepted(object) || mayBeOver(object):
		return ask
	}
	return stop
}

// isNewWish: the status speaks of another target, or of none.
func isNewWish(object *cdbv1.ImportJobStop) bool {
	return object.Status.Target == nil || *object.Status.Target != object.Spec.Target()
}

// isFinished: it is over, well or badly, for this generation of the spec.
func isFinished(object *cdbv1.ImportJobStop) bool {
	return object.Status.CompletionTime != nil && object.Generation == object.Status.ObservedGeneration
}

// isSettled: it is finished, and neither time nor what has changed makes a difference.
func isSettled(object *cdbv1.ImportJobStop) bool {
	reason := readyReason(object)
	switch {
	case isReady(object):
		return reason != cdbv1.ReasonStopAccepted || !wantsEnd(object)
	case !isStalled(object) || reason == cdbv1.ReasonCredentialsRejected || isRetryAsked(object):
		return false
	}
	return reason == cdbv1.ReasonImportAlreadyFinished || object.Generation == object.Status.ObservedGeneration
}

// isDelayed: the next call is not due. A changed spec does not wait for what it has corrected.
func isDelayed(object *cdbv1.ImportJobStop, now time.Time) bool {
	corrected := isStalled(object) && object.Generation != object.Status.ObservedGeneration
	return now.Before(dueTime(object)) && !corrected
}

// mayBeOver: the last answer can mean that the import is already over, and the cloud has not yet been asked, or says that it is ending.
func mayBeOver(object *cdbv1.ImportJobStop) bool {
	told := object.Status.ImportStatus
	if told != "" && told != string(importjob.StatusPaused) {
		return false
	}
	last := object.Status.LastAttempt
	condition := meta.FindStatusCondition(object.Status.Conditions, cdbv1.ConditionAccepted)
	if last == nil || last.EndTime == nil || condition == nil {
		return false
	}
	return condition.Reason == cdbv1.ReasonImportError ||
		(condition.Reason == cdbv1.ReasonImportNotFound && last.FollowsUnknown)
}

func accepted(object *cdbv1.ImportJobStop) bool { return object.Status.RequestID != "" }

func wantsEnd(object *cdbv1.ImportJobStop) bool { return object.Spec.WaitFor == cdbv1.WaitForStopped }

func isReady(object *cdbv1.ImportJobStop) bool {
	return meta.IsStatusConditionTrue(object.Status.Conditions, cdbv1.ConditionReady)
}

func isStalled(object *cdbv1.ImportJobStop) bool {
	return meta.IsStatusConditionTrue(object.Status.Conditions, cdbv1.ConditionStalled)
}

func readyReason(object *cdbv1.ImportJobStop) string { return readyOf(&object.Status).Reason }

// target is the object's target in the words of the port.
func target(object *cdbv1.ImportJobStop) importjob.Target {
	t := object.Spec.Target()
	return importjob.Target{Region: t.Region, AsyncRequestID: t.AsyncRequestID, Site: importjob.Site(t.Site)}
}

func microTime(t time.Time) *metav1.MicroTime {
	return &metav1.MicroTime{Time: t.Truncate(time.Microsecond)}
}

func secondTime(t time.Time) *metav1.Time { return &metav1.Time{Time: t.Truncate(time.Second)} }
