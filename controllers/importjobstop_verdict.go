// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

const (
	credentialsRetry = 10 * time.Minute // a CAM policy can change unseen
	maxBackoff       = 5 * time.Minute
	minPoll, maxPoll = 2 * time.Second, 30 * time.Second
	blindTries       = 5 // of an ambiguous refusal where the cloud cannot be asked
)

// statusUnknown is written when the cloud was asked and did not say.
const statusUnknown = "UNKNOWN"

// judge writes what an answer means into the status that it belongs to. Judging the same answer twice changes nothing.
func judge(object *cdbv1.ImportJobStop, a *answer) {
	generation := object.Generation
	object.Generation = a.generation
	defer func() { object.Generation = generation }()
	if object.Status.StartTime == nil { // it was suspended
		object.Status.StartTime = secondTime(a.at)
	}
	if a.action == importjob.ActionDescribe {
		judgeImport(object, a)
		return
	}
	judgeStop(object, a)
}

func judgeStop(object *cdbv1.ImportJobStop, a *answer) {
	status, last, fault := &object.Status, object.Status.LastAttempt, a.fault()
	if fault == nil {
		last.EndTime, last.RequestID = microTime(a.at), a.requestID
		status.RequestID = a.requestID
		acceptedStop(a.at)(object)
		if wantsEnd(object) {
			waitForEnd(object, a, "the cloud accepted the stop, RequestId "+a.requestID+"; the import is still ending")
		}
		return
	}
	last.RequestID, last.ErrorCode, last.Message = fault.RequestID, fault.Code, fault.Message
	if !fault.OutcomeUnknown {
		last.EndTime = microTime(a.at)
	}
	setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionFalse, reasonOf(fault.Class), fault.Error())
	switch fault.Class {
	case importjob.Throttled:
		status.Attempts = a.attempt - 1
		retry(object, nil, fault.Error()+"; waiting for a new turn")
	case importjob.Rejected:
		rejected(object, a, fault)
	case importjob.Terminal:
		giveUp(object, a, reasonOf(fault.Class), fault.Error()+"; correct the spec")
	case importjob.NotFound:
		if mayBeOver(object) {
			retry(object, nil, fault.Error()+"; an earlier attempt may have ended it, asking the cloud")
			return
		}
		giveUp(object, a, reasonOf(fault.Class), fault.Error()+"; check asyncRequestId, region, site and account")
	case importjob.Ambiguous:
		retry(object, nil, fault.Error()+"; the import may be over, asking the cloud")
	default:
		retry(object, microTime(a.at.Add(backoff(a.attempt, a.jitter))), fault.Error())
	}
}

func judgeImport(object *cdbv1.ImportJobStop, a *answer) {
	if fault := a.fault(); fault != nil {
		judgeNoWord(object, a, fault)
		return
	}
	told := a.status
	object.Status.ImportStatus = string(told)
	if told == "" {
		object.Status.ImportStatus = statusUnknown
	}
	switch told {
	case importjob.StatusKilled, importjob.StatusRemoved:
		stopped(object, a)
	case importjob.StatusSuccess, importjob.StatusFailed:
		giveUp(object, a, cdbv1.ReasonImportAlreadyFinished, fmt.Sprintf("the import had ended by itself (%s), there was nothing to stop", told))
	case importjob.StatusPaused:
		if wantsEnd(object) {
			waitForEnd(object, a, "the import is being stopped")
			return
		}
		stopped(object, a)
	default:
		if accepted(object) {
			waitForEnd(object, a, "the cloud accepted the stop, RequestId "+object.Status.RequestID+"; the import is still ending")
			return
		}
		retry(object, microTime(a.at.Add(backoff(a.attempt, a.jitter))),
			fmt.Sprintf("%s, but the import is not over (%s)", object.Status.LastAttempt.ErrorCode, object.Status.ImportStatus))
	}
}

// judgeNoWord: the cloud did not say how the import is.
func judgeNoWord(object *cdbv1.ImportJobStop, a *answer, fault *importjob.Error) {
	passing := fault.Class == importjob.Transient || fault.Class == importjob.Throttled || fault.Class == importjob.Ambiguous
	switch {
	case accepted(object) && fault.Class == importjob.Rejected:
		giveUp(object, a, cdbv1.ReasonCredentialsRejected, "the cloud accepted the stop, RequestId "+object.Status.RequestID+
			", but may not be asked whether it has ended: "+fault.Error()+"; allow cdb:DescribeAsyncRequestInfo, or set waitFor to Accepted")
		object.Status.NextAttemptTime = microTime(a.at.Add(credentialsRetry))
	case accepted(object):
		waitForEnd(object, a, "the cloud accepted the stop, RequestId "+object.Status.RequestID+"; whether it has ended is not known: "+fault.Error())
	case passing:
		retry(object, microTime(a.at.Add(poll(object, a.at))), object.Status.LastAttempt.ErrorCode+"; asking the cloud failed: "+fault.Error())
	default:
		object.Status.ImportStatus = statusUnknown
		last := object.Status.LastAttempt
		message := fmt.Sprintf("%s: %s; the cloud could not be asked whether the import is over: %s", last.ErrorCode, last.Message, fault.Error())
		if refusalOf(&object.Status) == cdbv1.ReasonImportNotFound || a.attempt >= blindTries {
			giveUp(object, a, refusalOf(&object.Status), message)
			return
		}
		retry(object, microTime(a.at.Add(backoff(a.attempt, a.jitter))), message)
	}
}

func stopped(object *cdbv1.ImportJobStop, a *answer) {
	reason, message := cdbv1.ReasonImportStopped, "the import has ended, RequestId "+object.Status.RequestID
	if !accepted(object) {
		reason, message = cdbv1.ReasonAlreadyStopped, fmt.Sprintf("the import is stopped already (%s)", a.status)
		if object.Status.LastAttempt.FollowsUnknown {
			message += "; an earlier attempt of unknown outcome may have done it"
		}
	}
	finish(object, a.at)
	setPhase(object, succeeded, reason, message)
}

func waitForEnd(object *cdbv1.ImportJobStop, a *answer, message string) {
	object.Status.CompletionTime, object.Status.NextAttemptTime = nil, microTime(a.at.Add(poll(object, a.at)))
	setPhase(object, progressing, cdbv1.ReasonWaitingForStop, message)
}

func retry(object *cdbv1.ImportJobStop, at *metav1.MicroTime, message string) {
	object.Status.NextAttemptTime = at
	setPhase(object, progressing, cdbv1.ReasonRetryScheduled, message)
}

func rejected(object *cdbv1.ImportJobStop, a *answer, fault *importjob.Error) {
	giveUp(object, a, cdbv1.ReasonCredentialsRejected, fault.Error()+"; correct the Secret or its CAM policy")
	object.Status.NextAttemptTime = microTime(a.at.Add(credentialsRetry))
}

func giveUp(object *cdbv1.ImportJobStop, a *answer, reason, message string) {
	finish(object, a.at)
	setPhase(object, failed, reason, message)
}

// reasonOf is the reason of Accepted=False for a class.
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

// backoff doubles from one second to five minutes, with full jitter; jitter is in [0, 1).
func backoff(attempt int32, jitter float64) time.Duration {
	bound := min(time.Second<<min(max(attempt-1, 0), 20), maxBackoff)
	return time.Duration(jitter * float64(bound))
}

// poll grows with the time that the object has taken so far.
func poll(object *cdbv1.ImportJobStop, now time.Time) time.Duration {
	if object.Status.StartTime == nil {
		return minPoll
	}
	return min(max(now.Sub(object.Status.StartTime.Time)/2, minPoll), maxPoll)
}
