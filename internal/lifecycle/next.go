// SPDX-License-Identifier: Apache-2.0

// Package lifecycle decides what an ImportJobStop needs next, what the result of a call means for its status, when to look again, and
// which events to emit. It is pure: time, jitter and what other packages know are parameters.
package lifecycle

import (
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// Change edits the status of an object. Applying it twice equals applying it once.
type Change func(*cdbv1.ImportJobStop)

// Step is what an object needs next: a call to the cloud, its deletion, or a change of its status. Exactly one of these is set.
type Step struct {
	Action importjob.Action
	Remove bool
	Change Change
	// InTurn says that the change only tells that the object waits. It may come later, after all work that can go on.
	InTurn bool
}

// Next decides what comes next from the object alone. It never stops an accepted target again, whatever else changes.
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
			following(object) // in the same write: perhaps nothing brings the object back after a repair
		}
	}}
}

// next decides for a status that needs no repair.
func next(object *cdbv1.ImportJobStop, now time.Time, credentialsChanged bool) Step {
	switch {
	case targetChanged(object) && object.Spec.Suspend:
		return Step{Change: suspend(now), InTurn: object.Status.Target == nil}
	case targetChanged(object):
		return stopOrList(object, now)
	case isPast(expiry(object), now):
		return Step{Remove: true}
	case isSettled(object):
		return Step{Change: settle(now)}
	case object.Spec.Suspend:
		return nextSuspended(object, now, credentialsChanged)
	}
	return nextUnsettled(object, now, credentialsChanged)
}

// nextUnsettled decides for an object that has not ended and is not suspended.
func nextUnsettled(object *cdbv1.ImportJobStop, now time.Time, credentialsChanged bool) Step {
	switch {
	case accepted(object) && !waitsForEnd(object):
		return Step{Change: confirmAccepted(now)}
	case isRetryRequested(object) && retryStartsOver(object, now):
		return Step{Change: startOver(now)}
	case isPast(deadline(object), now):
		return Step{Change: exceedDeadline(now)}
	case isDelayed(object, now, credentialsChanged):
		return Step{Change: observe(now)}
	case accepted(object) || mayBeOver(object):
		return Step{Action: importjob.ActionDescribe}
	}
	return stopOrList(object, now)
}

// stopOrList stops an import whose id is known, and looks for it otherwise.
func stopOrList(object *cdbv1.ImportJobStop, now time.Time) Step {
	switch {
	case isLost(object):
		return Step{Change: RequirePin(now)}
	case mustBeListed(object) && speaksOfAnotherSpec(object):
		return Step{Change: beginLookup(now)}
	case mustBeListed(object):
		return Step{Action: importjob.ActionList}
	}
	return Step{Action: importjob.ActionStop}
}

// nextSuspended looks at the import of a suspended object once, again when a retry is requested, and when the Secret comes that it waits for.
func nextSuspended(object *cdbv1.ImportJobStop, now time.Time, credentialsChanged bool) Step {
	ready := readyOf(&object.Status)
	isTold := ready.Reason == cdbv1.ReasonSuspended && ready.Status == readyIn[progressing] && object.Generation == object.Status.ObservedGeneration
	switch {
	case !isTold || (isRetryRequested(object) && !waitsForSecret(object)):
		return Step{Change: suspend(now)}
	case accepted(object) || !isLookDue(object, now, credentialsChanged):
		return Step{Change: observe(now)}
	case object.Spec.Import != nil && object.Status.LastAttempt == nil:
		return Step{Action: importjob.ActionList}
	}
	return Step{Action: importjob.ActionDescribe}
}

// isLookDue: the import of a suspended object is to be looked at now.
func isLookDue(object *cdbv1.ImportJobStop, now time.Time, credentialsChanged bool) bool {
	if waitsForSecret(object) && credentialsChanged {
		return true
	}
	return object.Status.NextAttemptTime != nil && !now.Before(dueTime(object))
}

// mustBeListed: spec.import decides before the first attempt, and once.
func mustBeListed(object *cdbv1.ImportJobStop) bool {
	return object.Spec.Import != nil && (targetChanged(object) || (object.Status.LastAttempt == nil && !isFound(object)))
}

// isFound: status says which import is meant.
func isFound(object *cdbv1.ImportJobStop) bool {
	found := object.Status.Import
	return found != nil && found.AsyncRequestID != "" && found.AsyncRequestID == targetOf(object).AsyncRequestID
}

// isLost: a stop was sent, but which import it was for is in no status and in no spec.
func isLost(object *cdbv1.ImportJobStop) bool {
	return !targetChanged(object) && object.Status.LastAttempt != nil && object.Spec.Import != nil && targetOf(object).AsyncRequestID == ""
}

// targetOf is what the object is about: what the spec asks for, with the id of the import that was found.
func targetOf(object *cdbv1.ImportJobStop) cdbv1.Target {
	target, status := object.Spec.Target(), &object.Status
	wasUsed := status.Import != nil || status.LastAttempt != nil || accepted(object)
	if target.AsyncRequestID == "" && status.Target != nil && wasUsed {
		found := target
		found.AsyncRequestID = status.Target.AsyncRequestID
		if found == *status.Target {
			return found
		}
	}
	return target
}

// targetChanged: the status is about another target, or about none.
func targetChanged(object *cdbv1.ImportJobStop) bool {
	return object.Status.Target == nil || *object.Status.Target != targetOf(object)
}

// isSettled: the object has ended for this spec. Only an edit, a requested retry or its TTL can change it now.
func isSettled(object *cdbv1.ImportJobStop) bool {
	ready := readyOf(&object.Status)
	p := phaseOf(ready.Reason)
	if ready.Status != readyIn[p] {
		return false
	}
	if p == succeeded {
		return hasSucceeded(object, ready.Reason)
	}
	return p == failed && hasFailed(object, ready.Reason)
}

// hasSucceeded: the reason of success is one that goes with the record and with what the spec asks for.
func hasSucceeded(object *cdbv1.ImportJobStop, reason string) bool {
	if reason == cdbv1.ReasonAlreadyStopped {
		return !accepted(object)
	}
	return accepted(object) && (reason == cdbv1.ReasonImportStopped || !waitsForEnd(object))
}

// hasFailed: the failure answers the spec as it is now, and nobody has asked for a retry.
func hasFailed(object *cdbv1.ImportJobStop, reason string) bool {
	if reason == cdbv1.ReasonImportAlreadyFinished {
		return true
	}
	if accepted(object) && !waitsForEnd(object) {
		return false // the acceptance is all that was asked for
	}
	return object.Generation == object.Status.ObservedGeneration && !isRetryRequested(object)
}

// isDelayed: the next call is not due. Rejected credentials are due early when the Secret or the spec has changed.
func isDelayed(object *cdbv1.ImportJobStop, now time.Time, credentialsChanged bool) bool {
	if !now.Before(dueTime(object)) {
		return false
	}
	if ReadyReason(object) != cdbv1.ReasonCredentialsRejected {
		return true
	}
	return !credentialsChanged && object.Generation == object.Status.ObservedGeneration
}

// retryStartsOver: without the requested retry the object would go on later, or not at all. An object that waits for its Secret
// does not start over: its retry is to read the Secret.
func retryStartsOver(object *cdbv1.ImportJobStop, now time.Time) bool {
	if waitsForSecret(object) {
		return false
	}
	return now.Before(dueTime(object)) || isPast(deadline(object), now) || phaseOf(ReadyReason(object)) == failed
}

// mayBeOver: the last refusal, or the listing before the first attempt, can mean that the import is over. The cloud was not asked yet how the
// import is, or has said PAUSED.
func mayBeOver(object *cdbv1.ImportJobStop) bool {
	status := importjob.Status(object.Status.ImportStatus)
	if status != "" && status != importjob.StatusPaused {
		return false
	}
	last := object.Status.LastAttempt
	if last == nil {
		return isFound(object) && (object.Status.Import.State == cdbv1.ImportFailed || object.Status.Import.State == cdbv1.ImportSuccessful)
	}
	if last.EndTime == nil {
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

// Target returns the target of the object as the port to the cloud takes it. Its id is empty while the import is yet to be found.
func Target(object *cdbv1.ImportJobStop) importjob.Target {
	t := targetOf(object)
	return importjob.Target{Region: t.Region, AsyncRequestID: t.AsyncRequestID, Site: importjob.Site(t.Site)}
}

// HasMore says whether the object needs another look right after its status was written. An object that is being stopped or waits
// needs none: the result of its call, its credit or its Secret brings it back.
func HasMore(object *cdbv1.ImportJobStop) bool {
	switch ReadyReason(object) {
	case cdbv1.ReasonStopping, cdbv1.ReasonWaitingForQuota:
		return false
	case cdbv1.ReasonCredentialsNotFound:
		return !waitsForSecret(object)
	}
	seen := object.Generation == object.Status.ObservedGeneration && !isRetryRequested(object)
	return !isSettled(object) || !seen || !expiry(object).IsZero()
}
