// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// applyDescribe writes what the cloud answered when it was asked how the import is.
func applyDescribe(object *cdbv1.ImportJobStop, r *Result) {
	if r.Err != nil {
		applyNoAnswer(object, r)
		return
	}
	object.Status.ImportStatus = string(r.Status)
	switch r.Status {
	case importjob.StatusKilled, importjob.StatusRemoved, importjob.StatusFailed:
		endStopped(object, r)
	case importjob.StatusSuccess:
		message := "the import had already run to its end; there was nothing to stop"
		if accepted(object) {
			message = acceptedMessage(object) + ", but the import ran to its end: the stop came too late"
		}
		settleAccepted(object, r, message)
		giveUp(object, r, cdbv1.ReasonImportAlreadyFinished, message)
	case importjob.StatusPaused:
		if waitsForEnd(object) {
			keepAsking(object, r, "the import is being stopped")
			return
		}
		endStopped(object, r)
	default:
		applyRunning(object, r)
	}
}

// applyPreview tells what a suspended object would stop.
func applyPreview(object *cdbv1.ImportJobStop, r *Result) {
	id, reason, delay := targetOf(object).AsyncRequestID, cdbv1.ReasonSuspended, time.Duration(0)
	if r.Err != nil {
		switch {
		case r.Err.Class == importjob.Rejected:
			reason, delay = cdbv1.ReasonCredentialsRejected, CredentialsRetry
		case isPassing(r.Err.Class):
			delay = maxPoll
		}
		tell(object, r.At, progressing, reason, delay, "the status of the import cannot be read: "+r.Err.Error())
		return
	}
	object.Status.ImportStatus = string(r.Status)
	switch r.Status {
	case importjob.StatusKilled, importjob.StatusRemoved, importjob.StatusFailed, importjob.StatusSuccess:
		tell(object, r.At, progressing, cdbv1.ReasonSuspended, 0, fmt.Sprintf("the import %s is over (%s): there is nothing to stop", id, r.Status))
	default:
		tell(object, r.At, progressing, cdbv1.ReasonSuspended, 0, fmt.Sprintf("the import %s is %s; set spec.suspend to false to stop it", id, r.Status))
	}
}

// applyRunning goes on where the import is not over.
func applyRunning(object *cdbv1.ImportJobStop, r *Result) {
	if accepted(object) {
		keepAsking(object, r, "the import is still ending")
		return
	}
	message := fmt.Sprintf("%s, but the import is not over (%s)", lastError(object), r.Status)
	if refusalOf(&object.Status) == cdbv1.ReasonInvalidRequest {
		giveUp(object, r, cdbv1.ReasonInvalidRequest, message)
		return
	}
	retry(object, r, backoff(r.Attempt, r.Jitter), message)
}

// applyNoAnswer goes on where the cloud did not say how the import is.
func applyNoAnswer(object *cdbv1.ImportJobStop, r *Result) {
	if accepted(object) {
		applyEndUnknown(object, r)
		return
	}
	if isPassing(r.Err.Class) {
		retry(object, r, poll(object, r.At), lastError(object)+"; asking the cloud failed: "+r.Err.Error())
		return
	}
	object.Status.ImportStatus = string(importjob.StatusUnknown)
	message := fmt.Sprintf("%s; the cloud could not be asked whether the import is over: %s", lastError(object), r.Err.Error())
	refusal := refusalOf(&object.Status)
	if refusal == cdbv1.ReasonImportNotFound || refusal == cdbv1.ReasonInvalidRequest {
		giveUp(object, r, refusal, message)
		return
	}
	switch {
	case r.Attempt < blindTries:
		retry(object, r, backoff(r.Attempt, r.Jitter), message)
	case r.Err.Class == importjob.Rejected: // a person can change that
		reject(object, r, message+"; correct the Secret, or allow cdb:DescribeAsyncRequestInfo")
	default:
		giveUp(object, r, cdbv1.ReasonImportError, message)
	}
}

// applyEndUnknown is applyNoAnswer where the stop was accepted: only its end is not known.
func applyEndUnknown(object *cdbv1.ImportJobStop, r *Result) {
	if isPassing(r.Err.Class) {
		keepAsking(object, r, "the operator cannot read whether it has ended: "+r.Err.Error())
		return
	}
	if r.Err.Class == importjob.Rejected {
		reject(object, r, acceptedMessage(object)+", but the account is not allowed to ask whether the import has ended: "+r.Err.Error()+
			"; allow cdb:DescribeAsyncRequestInfo, or set waitFor to Accepted")
		return
	}
	giveUp(object, r, reasonOf(r.Err.Class), acceptedMessage(object)+", but the cloud does not say whether the import has ended: "+r.Err.Error())
}

// isPassing: the same question may be answered later.
func isPassing(class importjob.Class) bool {
	return class == importjob.Transient || class == importjob.Throttled || class == importjob.Ambiguous
}

// lastError quotes what the last attempt failed with.
func lastError(object *cdbv1.ImportJobStop) string {
	last := object.Status.LastAttempt
	if last == nil && object.Status.Import != nil {
		return "the list of imports says that it is over"
	}
	if last == nil || last.ErrorCode == "" {
		return "the last attempt has no answer"
	}
	return truncate(last.ErrorCode, maxID) + ": " + truncate(last.Message, maxMessage/4)
}

// endStopped ends an object whose import is over before it ran to its end.
func endStopped(object *cdbv1.ImportJobStop, r *Result) {
	how := fmt.Sprintf("the import ended before it was complete (%s)", r.Status)
	if accepted(object) {
		setPhase(object, succeeded, cdbv1.ReasonImportStopped, acceptedMessage(object)+", and "+how, r.At)
		return
	}
	message := fmt.Sprintf("the import was already over (%s), stopped by someone else or failed by itself", r.Status)
	if last := object.Status.LastAttempt; last != nil && last.FollowsUnknown {
		message = fmt.Sprintf("the import was already over (%s); an earlier attempt of unknown outcome may have stopped it", r.Status)
	}
	settleAccepted(object, r, message)
	setPhase(object, succeeded, cdbv1.ReasonAlreadyStopped, message, r.At)
}

// settleAccepted makes Accepted final where the import is over: True if the stop was accepted, else False.
func settleAccepted(object *cdbv1.ImportJobStop, r *Result, message string) {
	if accepted(object) {
		setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionTrue, cdbv1.ReasonStopAccepted, acceptedMessage(object), r.At)
		return
	}
	c := conditionOf(&object.Status, cdbv1.ConditionAccepted)
	if c.Reason == "" || c.Status == metav1.ConditionTrue {
		c.Reason, c.Message = cdbv1.ReasonImportError, message
	}
	setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionFalse, c.Reason, c.Message, r.At)
}
