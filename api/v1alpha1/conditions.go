// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// RemediesPage of the project has an anchor for each reason of Ready; messages point to it where somebody's help is needed.
const RemediesPage = "docs/troubleshooting.md"

// The condition types. Ready, Reconciling and Stalled are always written together.
const (
	// ConditionReady is True when what was asked for is so, False when it never will be, Unknown while it is worked on.
	ConditionReady = "Ready"
	// ConditionAccepted is True when the cloud accepted the stop, False when its latest answer was a refusal.
	ConditionAccepted = "Accepted"
	// ConditionReconciling is True while the operator still works on the object.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when the operator cannot go on without somebody's help.
	ConditionStalled = "Stalled"
)

// The reasons of Ready. The set is closed.
const (
	// ReasonWaitingForQuota: the object is in line for the cloud's quota.
	ReasonWaitingForQuota = "WaitingForQuota"
	// ReasonStopping: the call is written down and being made.
	ReasonStopping = "Stopping"
	// ReasonRetryScheduled: the last call failed in a way that may pass; the next is at nextAttemptTime.
	ReasonRetryScheduled = "RetryScheduled"
	// ReasonCredentialsNotFound: the Secret or a key of it is missing.
	ReasonCredentialsNotFound = "CredentialsNotFound"
	// ReasonCredentialsRejected: the cloud refused the credentials or their permissions.
	ReasonCredentialsRejected = "CredentialsRejected"
	// ReasonStopAccepted: the cloud accepted the stop.
	ReasonStopAccepted = "StopAccepted"
	// ReasonWaitingForStop: the stop was accepted, the import is still ending.
	ReasonWaitingForStop = "WaitingForStop"
	// ReasonImportStopped: the stop was accepted and the import has ended.
	ReasonImportStopped = "ImportStopped"
	// ReasonAlreadyStopped: the import was stopped, and not by a call whose acceptance we saw.
	ReasonAlreadyStopped = "AlreadyStopped"
	// ReasonImportAlreadyFinished: the import had ended by itself, so there was nothing to stop.
	ReasonImportAlreadyFinished = "ImportAlreadyFinished"
	// ReasonDeadlineExceeded: spec.activeDeadlineSeconds have passed.
	ReasonDeadlineExceeded = "DeadlineExceeded"
	// ReasonSuspended: spec.suspend holds the object back.
	ReasonSuspended = "Suspended"
)

// The reasons of Accepted=False, and of Ready=False when the cloud refused for good: the class of the error code.
const (
	// ReasonImportNotFound: no such asynchronous task in this region and account.
	ReasonImportNotFound = "ImportNotFound"
	// ReasonInvalidRequest: the cloud will never take this request as it is.
	ReasonInvalidRequest = "InvalidRequest"
	// ReasonImportError: the cloud reports an error of the import task, which may mean that it is already over.
	ReasonImportError = "ImportError"
	// ReasonThrottled: the quota is used up, also by others.
	ReasonThrottled = "Throttled"
	// ReasonCloudError: the cloud or the way to it failed in a way that may pass.
	ReasonCloudError = "CloudError"
)

// The reasons of Reconciling and Stalled when they are False.
const (
	// ReasonFinished: there is nothing left to do.
	ReasonFinished = "Finished"
	// ReasonProgressing: nothing stands in the way.
	ReasonProgressing = "Progressing"
)

// ReasonTTLIgnored is the reason of the event that tells why a finished object is not deleted.
const ReasonTTLIgnored = "TTLIgnored"
