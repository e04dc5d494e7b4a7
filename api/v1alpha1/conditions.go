// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// RemediesPage has an anchor for each reason of Ready. Messages point to it where a person must act.
const RemediesPage = "https://github.com/tencentcloud-cdb/importjobstop-operator/blob/main/docs/troubleshooting.md"

// The condition types. Ready, Reconciling and Stalled are always written together.
const (
	// ConditionReady is True when the request succeeded, False when it failed, Unknown while in progress.
	ConditionReady = "Ready"
	// ConditionAccepted is True when the cloud accepted the stop. It is False when the cloud refused it, or when the deadline passed before a
	// call was accepted. It is Unknown while the outcome of an attempt is unknown.
	ConditionAccepted = "Accepted"
	// ConditionReconciling is True while the operator works on the object.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when the operator needs a person's help.
	ConditionStalled = "Stalled"
)

// The reasons of Ready. The set is closed: see ReadyReasons.
const (
	// ReasonWaitingForQuota: the object waits in the queue of its budget.
	ReasonWaitingForQuota = "WaitingForQuota"
	// ReasonStopping: an attempt is recorded and its call is being made, or the import was just found and the call comes next.
	ReasonStopping = "Stopping"
	// ReasonRetryScheduled: another call follows at nextAttemptTime, or without one as soon as the quota allows. The last call failed in a way
	// that may pass or settled nothing, a retry was requested, or the spec has changed.
	ReasonRetryScheduled = "RetryScheduled"
	// ReasonCredentialsNotFound: the Secret or a key of it is missing or invalid, or the operator cannot read the Secret.
	ReasonCredentialsNotFound = "CredentialsNotFound"
	// ReasonCredentialsRejected: the cloud refused the credentials or their permissions.
	ReasonCredentialsRejected = "CredentialsRejected"
	// ReasonStopAccepted: the cloud accepted the stop.
	ReasonStopAccepted = "StopAccepted"
	// ReasonWaitingForStop: the stop was accepted, and the import is still ending.
	ReasonWaitingForStop = "WaitingForStop"
	// ReasonImportStopped: the stop was accepted, and the import ended before it was complete.
	ReasonImportStopped = "ImportStopped"
	// ReasonAlreadyStopped: the import was over before a call of this object was accepted.
	ReasonAlreadyStopped = "AlreadyStopped"
	// ReasonImportAlreadyFinished: the import ran to its end, so nothing was stopped.
	ReasonImportAlreadyFinished = "ImportAlreadyFinished"
	// ReasonImportAmbiguous: several running imports match spec.import. None of them is stopped.
	ReasonImportAmbiguous = "ImportAmbiguous"
	// ReasonImportMismatch: the import with the id of spec.asyncRequestId does not match spec.import. It is not stopped.
	ReasonImportMismatch = "ImportMismatch"
	// ReasonImportNotPinned: spec.asyncRequestId must name the import. The import was found and is not stopped, because a tool that can create
	// the object again would stop another import then. Or a stop was sent, and status does not say for which import.
	ReasonImportNotPinned = "ImportNotPinned"
	// ReasonDeadlineExceeded: spec.activeDeadlineSeconds have passed.
	ReasonDeadlineExceeded = "DeadlineExceeded"
	// ReasonSuspended: spec.suspend holds the object back.
	ReasonSuspended = "Suspended"
	// ReasonInternalError: the operator had an internal error with the object, and its log has a stack trace.
	ReasonInternalError = "InternalError"
)

// The reasons of Accepted when it is not True, by the class of the latest error code; CredentialsRejected and DeadlineExceeded are others.
// All but Throttled, CloudError and OutcomeUnknown are also reasons of Ready when the cloud refused for good.
const (
	// ReasonImportNotFound: no such asynchronous task in this region and account.
	ReasonImportNotFound = "ImportNotFound"
	// ReasonInvalidRequest: the cloud will never accept this request.
	ReasonInvalidRequest = "InvalidRequest"
	// ReasonImportError: the cloud reports an error of the import task, which may mean that the import is over.
	ReasonImportError = "ImportError"
	// ReasonThrottled: the quota is used up, perhaps by other programs.
	ReasonThrottled = "Throttled"
	// ReasonCloudError: the cloud, or the network to it, failed in a way that may pass.
	ReasonCloudError = "CloudError"
	// ReasonOutcomeUnknown: a call may have been carried out, but its answer is not known.
	ReasonOutcomeUnknown = "OutcomeUnknown"
)

// The reasons of Reconciling and Stalled when they are False.
const (
	// ReasonFinished: nothing is left to do.
	ReasonFinished = "Finished"
	// ReasonProgressing: the operator goes on without help.
	ReasonProgressing = "Progressing"
)

// ReasonTTLIgnored is the reason of the event that says why a finished object is not deleted.
const ReasonTTLIgnored = "TTLIgnored"

// ReasonBreakGlass is the reason of the event that says who acts without a second person.
const ReasonBreakGlass = "BreakGlass"

// ReadyReasons returns every reason that Ready can have, in no order that matters.
func ReadyReasons() []string {
	return []string{
		ReasonWaitingForQuota, ReasonStopping, ReasonRetryScheduled, ReasonCredentialsNotFound, ReasonCredentialsRejected,
		ReasonStopAccepted, ReasonWaitingForStop, ReasonImportStopped, ReasonAlreadyStopped, ReasonImportAlreadyFinished,
		ReasonDeadlineExceeded, ReasonSuspended, ReasonInternalError, ReasonImportNotFound, ReasonInvalidRequest, ReasonImportError,
		ReasonImportAmbiguous, ReasonImportMismatch, ReasonImportNotPinned,
	}
}
