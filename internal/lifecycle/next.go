// SPDX-License-Identifier: Apache-2.0

// Package lifecycle decides what an ImportJobStop needs next, what a result means for its status, when to look again and what
// to tell. It is pure: time, jitter and what other packages know come in as parameters.
package lifecycle

import (
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// Change edits the status of an object. Applying it twice equals applying it once.
type Change func(*cdbv1.ImportJobStop)

// Step is what an object needs next: a call of the cloud, its deletion, or a change of its status. Exactly one is set.
type Step struct {
	Action importjob.Action
	Remove bool
	Change Change
}

// Next decides from the object alone. An accepted target is never stopped again, whatever else changes.
// credentialsChanged says that the Secret differs from what the cloud refused, or that it is time to try it again.
func Next(object *cdbv1.ImportJobStop, now time.Time, credentialsChanged bool) Step {
	if !needsRepair(object, now) {
		return next(object, now, credentialsChanged)
	}
	repaired := object.DeepCopy()
	repair(now)(repaired)
	following := next(repaired, now, credentialsChanged).Change
	return Step{Change: func(object *cdbv1.ImportJobStop) {
		repair(now)(object)
		if following != nil {
			following(object) // in one write: nobody may look again after the first
		}
	}}
}

// next is for a status that could be ours.
func next(object *cdbv1.ImportJobStop, now time.Time, credentialsChanged bool) Step {
	switch {
	case targetChanged(object) && object.Spec.Suspend:
		return Step{Change: suspend(now)}
	case targetChanged(object):
		return Step{Action: importjob.ActionStop}
	case isPast(expiry(object), now):
		return Step{Remove: true}
	case isSettled(object):
		return Step{Change: settle(now)}
	case object.Spec.Suspend:
		return Step{Change: suspend(now)}
	}
	return nextUnsettled(object, now, credentialsChanged)
}

// nextUnsettled is for an object whose target is under way.
func nextUnsettled(object *cdbv1.ImportJobStop, now time.Time, credentialsChanged bool) Step {
	switch {
	case accepted(object) && !waitsForEnd(object):
		return Step{Change: confirmAccepted(now)}
	case isRetryRequested(object) && retryStartsOver(object, now):
		return Step{Change: startOver(now)}
	case isPast(deadline(object), now):
		return Step{Change: exceedDeadline(now)}
	case isDelayed(object, now, credentialsChanged):
		return Step{Change: Observe(now)}
	case accepted(object) || mayBeOver(object):
		return Step{Action: importjob.ActionDescribe}
	}
	return Step{Action: importjob.ActionStop}
}

// targetChanged: the status speaks of another target, or of none.
func targetChanged(object *cdbv1.ImportJobStop) bool {
	return object.Status.Target == nil || *object.Status.Target != object.Spec.Target()
}

// isSettled: the object has ended for this spec. Only an edit, a requested retry or its TTL makes a difference.
func isSettled(object *cdbv1.ImportJobStop) bool {
	ready := readyOf(&object.Status)
	switch phaseOf(ready.Reason) {
	case succeeded:
		if ready.Status != "True" {
			return false
		}
		if ready.Reason == cdbv1.ReasonAlreadyStopped || !accepted(object) {
			return ready.Reason == cdbv1.ReasonAlreadyStopped && !accepted(object)
		}
		return ready.Reason == cdbv1.ReasonImportStopped || !waitsForEnd(object)
	case failed:
		if ready.Status != "False" {
			return false
		}
		switch {
		case ready.Reason == cdbv1.ReasonImportAlreadyFinished:
			return true
		case accepted(object) && !waitsForEnd(object):
			return false // the acceptance is all that was asked for
		}
		return object.Generation == object.Status.ObservedGeneration && !isRetryRequested(object)
	}
	return false
}

// isDelayed: the next call is not due. An edit does not wait for what it may have corrected.
func isDelayed(object *cdbv1.ImportJobStop, now time.Time, credentialsChanged bool) bool {
	if !now.Before(dueTime(object)) {
		return false
	}
	rejected := readyReason(object) == cdbv1.ReasonCredentialsRejected
	return !rejected || (!credentialsChanged && object.Generation == object.Status.ObservedGeneration)
}

// retryStartsOver: without the requested retry the object would go on later, or not at all. One that waits for its Secret
// is not among them: its retry is to read the Secret.
func retryStartsOver(object *cdbv1.ImportJobStop, now time.Time) bool {
	if WaitsForSecret(object) {
		return false
	}
	return now.Before(dueTime(object)) || isPast(deadline(object), now) || phaseOf(readyReason(object)) == failed
}

// WaitsForSecret says whether the object goes on when its Secret changes.
func WaitsForSecret(object *cdbv1.ImportJobStop) bool {
	reason := readyReason(object)
	return !object.Spec.Suspend && !targetChanged(object) && object.Generation == object.Status.ObservedGeneration &&
		(reason == cdbv1.ReasonCredentialsNotFound || reason == cdbv1.ReasonCredentialsRejected)
}

// WaitsForMissingSecret says whether the object waits for a Secret that was missing or unusable.
func WaitsForMissingSecret(object *cdbv1.ImportJobStop) bool {
	return WaitsForSecret(object) && readyReason(object) == cdbv1.ReasonCredentialsNotFound
}

// FollowsRefusals says whether the cloud refused the object's credentials, so that it goes by the result of whichever object tries them again.
func FollowsRefusals(object *cdbv1.ImportJobStop) bool {
	return WaitsForSecret(object) && readyReason(object) == cdbv1.ReasonCredentialsRejected
}

// WaitsForRetry says whether the Secret is to be read at once, because a person has asked for it.
func WaitsForRetry(object *cdbv1.ImportJobStop) bool {
	return WaitsForSecret(object) && isRetryRequested(object)
}

// mayBeOver: the last answer can mean that the import is over, and the cloud was not asked yet, or says that the import is ending.
func mayBeOver(object *cdbv1.ImportJobStop) bool {
	status := importjob.Status(object.Status.ImportStatus)
	if status != "" && status != importjob.StatusPaused {
		return false
	}
	last := object.Status.LastAttempt
	if last == nil || last.EndTime == nil {
		return false
	}
	switch refusalOf(&object.Status) {
	case cdbv1.ReasonImportError:
		return true
	case cdbv1.ReasonImportNotFound, cdbv1.ReasonInvalidRequest:
		return last.FollowsUnknown
	}
	return false
}

func accepted(object *cdbv1.ImportJobStop) bool { return object.Status.RequestID != "" }

func waitsForEnd(object *cdbv1.ImportJobStop) bool {
	return object.Spec.WaitFor == cdbv1.WaitForStopped
}

// Target is the object's target in the words of the port.
func Target(object *cdbv1.ImportJobStop) importjob.Target {
	t := object.Spec.Target()
	return importjob.Target{Region: t.Region, AsyncRequestID: t.AsyncRequestID, Site: importjob.Site(t.Site)}
}

// Waits says whether the object waits for its Secret or for its turn.
func Waits(object *cdbv1.ImportJobStop) bool {
	return WaitsForSecret(object) || readyReason(object) == cdbv1.ReasonWaitingForQuota
}

// HasMore says whether the object needs another look right after this status was written. An object that is being stopped or waits
// needs none: its answer, its credit or its Secret brings it back.
func HasMore(object *cdbv1.ImportJobStop) bool {
	switch readyReason(object) {
	case cdbv1.ReasonStopping, cdbv1.ReasonWaitingForQuota:
		return false
	case cdbv1.ReasonCredentialsNotFound:
		return !WaitsForSecret(object)
	}
	return !isSettled(object) || object.Generation != object.Status.ObservedGeneration || !expiry(object).IsZero()
}

// ReadyReason is the reason of Ready; empty before the operator has seen the object.
func ReadyReason(object *cdbv1.ImportJobStop) string { return readyReason(object) }
