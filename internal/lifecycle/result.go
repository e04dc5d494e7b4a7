// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// blindTries is how many stops are tried while the cloud refuses each ambiguously and cannot be asked how the import is.
const blindTries = 5

// Result is the result of one call.
type Result struct {
	Action       importjob.Action
	Target       cdbv1.Target      // what the object was about
	Preview      bool              // the object was suspended, so that it was only looked at
	Generation   int64             // of the spec that the call was made for
	Attempt      int32             // status.attempts, when the call was made; of a failed listing, its failures in a row
	AttemptStart *metav1.MicroTime // of status.lastAttempt; nil when there was none
	RetryMark    string            // the value of the retry annotation, when the call was made
	At           time.Time         // when the answer was known
	RequestID    string            // of an accepted stop
	Status       importjob.Status  // of the import, when the cloud was asked
	Found        *Finding          // when the imports of an instance were listed
	Err          *importjob.Error  // nil: the call succeeded
	Jitter       float64           // in [0, 1), for the backoff
}

// NewResult begins the result of a call that is made for an object. The jitter is in [0, 1).
func NewResult(object *cdbv1.ImportJobStop, action importjob.Action, jitter float64) *Result {
	result := &Result{
		Action: action, Target: targetOf(object), Preview: object.Spec.Suspend && action != importjob.ActionStop,
		Generation: object.Generation, Attempt: object.Status.Attempts, RetryMark: RetryMark(object), Jitter: jitter,
	}
	if last := object.Status.LastAttempt; last != nil {
		result.AttemptStart = last.StartTime.DeepCopy()
	}
	return result
}

// Belongs says whether status.lastAttempt is still the attempt that the result is of. After a listing or a preview, the object must also have the
// same generation and be about the same import.
func (r *Result) Belongs(object *cdbv1.ImportJobStop) bool {
	looksAgain := r.Action == importjob.ActionList || r.Preview
	if looksAgain && (object.Generation != r.Generation || targetOf(object) != r.Target) {
		return false
	}
	last := object.Status.LastAttempt
	if last == nil || r.AttemptStart == nil {
		return last == nil && r.AttemptStart == nil
	}
	return last.StartTime.Equal(r.AttemptStart)
}

// IsRewound says whether the status of the same target has lost the attempt that the result of a stop is of: it has no attempt, or an
// earlier one, as after a restore. An attempt of another operator is not earlier, even by a slow clock: its number is not lower.
func (r *Result) IsRewound(object, called *cdbv1.ImportJobStop) bool {
	target, was := object.Spec.Target(), targetOf(called)
	if target.AsyncRequestID == "" {
		target.AsyncRequestID = was.AsyncRequestID // as status had it
	}
	sameTarget := object.UID == called.UID && target == was
	if r.Action != importjob.ActionStop || r.AttemptStart == nil || accepted(object) || !sameTarget {
		return false
	}
	last := object.Status.LastAttempt
	return last == nil || (object.Status.Attempts < r.Attempt && last.StartTime.Before(r.AttemptStart))
}

// ApplyResult writes what a result means into the status that it belongs to. Applying it twice equals applying it once.
func ApplyResult(object *cdbv1.ImportJobStop, r *Result) {
	asCalled(object, r, func() {
		if r.Action == importjob.ActionStop {
			applyStop(object, r)
			return
		}
		if !isOver(object) {
			applyLook(object, r)
		}
		if r.RetryMark != "" {
			object.Status.LastHandledRetryAt = r.RetryMark // the question was the retry
		}
	})
}

// applyLook writes what a call that stops nothing has found.
func applyLook(object *cdbv1.ImportJobStop, r *Result) {
	switch {
	case r.Action == importjob.ActionList:
		applyList(object, r)
	case r.Preview:
		applyPreview(object, r)
	case accepted(object) && !waitsForEnd(object): // the spec asks for no more by now
		confirmAccepted(r.At)(object)
	default:
		applyDescribe(object, r)
	}
}

// isOver: the status says how the import ended. No answer takes that back; only a first acceptance adds to it.
func isOver(object *cdbv1.ImportJobStop) bool {
	if targetChanged(object) {
		return false
	}
	switch ReadyReason(object) {
	case cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportStopped, cdbv1.ReasonImportAlreadyFinished:
		return isSettled(object)
	}
	return false
}

// KeepResult records a result on which ApplyResult panics, without saying what it means, so that no accepted stop is lost.
func KeepResult(object *cdbv1.ImportJobStop, r *Result) {
	asCalled(object, r, func() {
		if r.Action == importjob.ActionStop {
			endAttempt(object, r)
		}
		InternalError(r.At)(object)
	})
}

// asCalled applies a result so that the status is about the spec that the call was made for, whatever the spec says by now.
func asCalled(object *cdbv1.ImportJobStop, r *Result, apply func()) {
	generation := object.Generation
	object.Generation = r.Generation
	defer func() { object.Generation = generation }()
	if object.Status.StartTime == nil { // the object was suspended meanwhile
		object.Status.StartTime = secondTime(r.At)
	}
	apply()
}

// endAttempt records the answer to a stop.
func endAttempt(object *cdbv1.ImportJobStop, r *Result) {
	status := &object.Status
	if status.LastAttempt == nil {
		status.LastAttempt = &cdbv1.Attempt{StartTime: *microTime(r.At)}
	}
	last := status.LastAttempt
	if r.Err == nil {
		last.EndTime, last.RequestID = microTime(r.At), r.RequestID
		status.RequestID = r.RequestID
		return
	}
	last.RequestID, last.ErrorCode, last.Message = r.Err.RequestID, r.Err.Code, r.Err.Message
	if !r.Err.OutcomeUnknown {
		last.EndTime = microTime(r.At)
	}
}

// applyStop writes what the answer to a stop means.
func applyStop(object *cdbv1.ImportJobStop, r *Result) {
	wasOver := isOver(object) && (r.Err != nil || accepted(object))
	endAttempt(object, r)
	switch {
	case wasOver: // another leader has settled the object meanwhile
	case r.Err != nil:
		applyRefusal(object, r)
	default:
		setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionTrue, cdbv1.ReasonStopAccepted, acceptedMessage(object), r.At)
		if waitsForEnd(object) {
			keepAsking(object, r, "the import is still ending")
		} else {
			confirmAccepted(r.At)(object)
		}
	}
}

// applyRefusal writes what a stop means that the cloud did not accept.
func applyRefusal(object *cdbv1.ImportJobStop, r *Result) {
	err := r.Err
	setRefused(object, r)
	switch err.Class {
	case importjob.Throttled:
		object.Status.Attempts = max(r.Attempt-1, 0)
		retry(object, r, 0, err.Error()+"; waiting in the queue again")
	case importjob.Rejected:
		reject(object, r, err.Error()+"; correct the Secret or its CAM policy")
	case importjob.Terminal, importjob.NotFound:
		if mayBeOver(object) {
			retry(object, r, 0, err.Error()+"; an earlier attempt may have stopped the import: asking the cloud")
			return
		}
		help := "; correct the spec"
		if err.Class == importjob.NotFound {
			help = "; check asyncRequestId, region, site and account"
		}
		giveUp(object, r, reasonOf(err.Class), err.Error()+help)
	case importjob.Ambiguous:
		retry(object, r, 0, err.Error()+"; the import may be over: asking the cloud")
	default:
		retry(object, r, backoff(r.Attempt, r.Jitter), err.Error())
	}
}

// setRefused makes Accepted say what the cloud refused, or that the outcome of an attempt is unknown.
func setRefused(object *cdbv1.ImportJobStop, r *Result) {
	value, reason, message := metav1.ConditionFalse, reasonOf(r.Err.Class), r.Err.Error()
	if r.Err.OutcomeUnknown || object.Status.LastAttempt.FollowsUnknown {
		value, message = metav1.ConditionUnknown, message+"; "+outcomeUnknown
		switch r.Err.Class {
		case importjob.Terminal, importjob.NotFound, importjob.Ambiguous: // keep why the cloud is asked
		default:
			reason = cdbv1.ReasonOutcomeUnknown
		}
	}
	setCondition(object, cdbv1.ConditionAccepted, value, reason, truncate(message, maxMessage), r.At)
}

// keepAsking asks again later, until the import has ended.
func keepAsking(object *cdbv1.ImportJobStop, r *Result, message string) {
	object.Status.NextAttemptTime = microTime(r.At.Add(poll(object, r.At)))
	setPhase(object, progressing, cdbv1.ReasonWaitingForStop, prefixAccepted(object, message), r.At)
}

// retry makes the next call after a delay; without one, as soon as the quota allows.
func retry(object *cdbv1.ImportJobStop, r *Result, delay time.Duration, message string) {
	object.Status.NextAttemptTime = nil
	if delay > 0 {
		object.Status.NextAttemptTime = microTime(r.At.Add(delay))
	}
	setPhase(object, progressing, cdbv1.ReasonRetryScheduled, message, r.At)
}

// reject waits for other credentials, and tries the refused ones again after CredentialsRetry.
func reject(object *cdbv1.ImportJobStop, r *Result, message string) {
	object.Status.NextAttemptTime = microTime(r.At.Add(CredentialsRetry))
	setPhase(object, stalled, cdbv1.ReasonCredentialsRejected, message, r.At)
}

// giveUp ends the object.
func giveUp(object *cdbv1.ImportJobStop, r *Result, reason, message string) {
	setPhase(object, failed, reason, message, r.At)
}

// reasonOf is the reason of Accepted for the class of a refusal.
func reasonOf(class importjob.Class) string {
	switch class {
	case importjob.Throttled:
		return cdbv1.ReasonThrottled
	case importjob.Rejected:
		return cdbv1.ReasonCredentialsRejected
	case importjob.Terminal:
		return cdbv1.ReasonInvalidRequest
	case importjob.NotFound:
		return cdbv1.ReasonImportNotFound
	case importjob.Ambiguous:
		return cdbv1.ReasonImportError
	default:
		return cdbv1.ReasonCloudError
	}
}
