// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Site is the Tencent Cloud site that an account belongs to.
// +kubebuilder:validation:Enum=China;International
type Site string

const (
	// SiteChina is the Chinese site, and the meaning of an omitted site.
	SiteChina Site = "China"
	// SiteInternational is the international site.
	SiteInternational Site = "International"
)

// WaitFor says when an ImportJobStop is Ready.
// +kubebuilder:validation:Enum=Accepted;Stopped
type WaitFor string

const (
	// WaitForAccepted is Ready as soon as the cloud accepted the stop, and the meaning of an omitted waitFor.
	WaitForAccepted WaitFor = "Accepted"
	// WaitForStopped is Ready when the cloud says that the import has ended.
	WaitForStopped WaitFor = "Stopped"
)

// RetryRequestedAtAnnotation asks for a new try of an object that is not Ready. Each new value, as in the output of date, is handled once.
const RetryRequestedAtAnnotation = "cdb.tencentcloud.com/retryRequestedAt"

// SecretReference names a Secret in the namespace of the object that refers to it.
type SecretReference struct {
	// name of the Secret. It is always looked for in the namespace of the ImportJobStop.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="must be the name of a Secret: lower-case letters, digits, '-' and '.', as in tencentcloud-credentials"
	Name string `json:"name"`
}

// ImportFilter says which running import is meant: the one on an instance that matches every field that is set.
type ImportFilter struct {
	// instanceId of the database instance that the import runs on, as in cdb-c1nl9rpv.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^cdb[a-z]*-[A-Za-z0-9]+$')",message="must be the id of a TencentDB for MySQL instance, as in cdb-c1nl9rpv"
	InstanceID string `json:"instanceId"`
	// databaseName that the import writes to, exactly as the cloud lists it. Any database when omitted.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^[:space:]]([^\\n\\r]*[^[:space:]])?$')",message="must be the name of a database in one line, without blanks around it"
	DatabaseName string `json:"databaseName,omitempty"`
	// fileName that is imported, exactly as the cloud lists it, as in shop.sql.gz. Any file when omitted.
	// It cannot match a name with 64 or more hexadecimal digits in a row: the operator redacts such a name, since it looks like a signature.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^[:space:]]([^\\n\\r]*[^[:space:]])?$')",message="must be the name of a file in one line, without blanks around it"
	FileName string `json:"fileName,omitempty"`
}

// ImportJobStopSpec says which import to stop, and with which credentials.
// +kubebuilder:validation:XValidation:rule="has(self.asyncRequestId) || has(self.__import__)",message="set asyncRequestId (the id of the import), or import.instanceId (the instance that it runs on), or both"
type ImportJobStopSpec struct {
	// region of the database instance, as in ap-guangzhou. Finance regions (as in ap-shanghai-fsi) are reached through their own endpoint.
	// Region, asyncRequestId, import and site cannot change once a stop was accepted, or while the outcome of a call is unknown. Before that, a change starts over.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]+(-[a-z0-9]+)+$')",message="must be a Tencent Cloud region, as in ap-guangzhou or ap-shanghai-fsi"
	Region string `json:"region"`

	// asyncRequestId is the id that the cloud gave to the import when it was started, as in 434e366f-beaf56d6-508b7f33-2abdb382.
	// Set this, or import, or both.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$')",message="must be the id of an asynchronous task in one line without blanks: letters and digits in groups joined by '-', as in 434e366f-beaf56d6-508b7f33-2abdb382"
	AsyncRequestID string `json:"asyncRequestId,omitempty"`

	// import selects a running import by its instance, and by its database and file. Without asyncRequestId, the operator finds the one running import that matches, writes it into status.import
	// and stops that one, whatever starts later. With asyncRequestId it is a guard: the stop is sent only if the import with that id is on the instance and matches.
	// The operator needs the permission cdb:DescribeDBImportRecords for it.
	// +optional
	Import *ImportFilter `json:"import,omitempty"`

	// credentialsSecretRef names the Secret, in the same namespace, with the keys secretId, secretKey and optionally token
	// (or TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY, and TENCENTCLOUD_SECURITY_TOKEN or TENCENTCLOUD_TOKEN).
	// +required
	CredentialsSecretRef SecretReference `json:"credentialsSecretRef"`

	// site that the account belongs to: China or International. China when omitted.
	// +optional
	Site Site `json:"site,omitempty"`

	// waitFor says when the object is Ready. Accepted: as soon as the cloud accepted the stop.
	// Stopped: when the cloud says that the import has ended. Accepted when omitted.
	// +optional
	WaitFor WaitFor `json:"waitFor,omitempty"`

	// suspend, while true, holds back the stop that was not sent yet. The operator looks at the import, and the message of Ready says what would be stopped.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// activeDeadlineSeconds is how long the operator works on the object, in seconds from status.startTime; time spent suspended does not count.
	// After that the operator gives up: Ready is False with the reason DeadlineExceeded. The answer of a call in flight is still recorded.
	// When omitted, the operator never gives up.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ActiveDeadlineSeconds *int32 `json:"activeDeadlineSeconds,omitempty"`

	// ttlSecondsAfterFinished is how long the object stays after it finished, in seconds; then the operator deletes it. When omitted, the object stays.
	// The operator does not delete an object that has an owner or a mark of Flux, Argo CD, Helm or another tool: that tool would create the object again, and it would act again.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`
}

// Target is what a status describes.
type Target struct {
	// region that was called.
	// +required
	Region string `json:"region"`
	// asyncRequestId that is to be stopped: that of spec, or of the import that was found. Absent until one was found.
	// +optional
	AsyncRequestID string `json:"asyncRequestId,omitempty"`
	// site of the account, never empty.
	// +required
	Site Site `json:"site"`
	// import is the filter that was asked for.
	// +optional
	Import ImportFilter `json:"import,omitzero"`
}

// ImportState is the state of an import, as the cloud lists it.
type ImportState string

// The states of an import in a listing.
const (
	ImportInitializing ImportState = "Initializing"
	ImportRunning      ImportState = "Running"
	ImportSuccessful   ImportState = "Successful"
	ImportFailed       ImportState = "Failed"
	// ImportStateUnknown stands for each state that the vendor does not document.
	ImportStateUnknown ImportState = "Unknown"
)

// ImportRecord is an import, as DescribeDBImportRecords listed it.
type ImportRecord struct {
	// asyncRequestId of the import.
	// +optional
	AsyncRequestID string `json:"asyncRequestId,omitempty"`
	// instanceId that was asked for.
	// +optional
	InstanceID string `json:"instanceId,omitempty"`
	// databaseName that the import writes to. The cloud may not tell it.
	// +optional
	DatabaseName string `json:"databaseName,omitempty"`
	// fileName that is imported.
	// +optional
	FileName string `json:"fileName,omitempty"`
	// progressPercent that the import had, from 0 to 100.
	// +optional
	ProgressPercent int32 `json:"progressPercent,omitempty"`
	// state that the import had: Initializing, Running, Successful, Failed or Unknown.
	// +optional
	State ImportState `json:"state,omitempty"`
	// createTime of the import, verbatim. The vendor does not document its zone.
	// +optional
	CreateTime string `json:"createTime,omitempty"`
	// observedTime is when the operator read the listing.
	// +optional
	ObservedTime *metav1.Time `json:"observedTime,omitempty"`
}

// Attempt is one call of StopDBImportJob. It is recorded before the call is sent.
type Attempt struct {
	// startTime is when the attempt was recorded, just before the call was sent.
	// +required
	StartTime metav1.MicroTime `json:"startTime"`
	// endTime is when the cloud's answer was known. Without it the outcome is unknown: the call is in flight, or its answer was lost.
	// +optional
	EndTime *metav1.MicroTime `json:"endTime,omitempty"`
	// requestId that the cloud gave to this call, for its support.
	// +optional
	RequestID string `json:"requestId,omitempty"`
	// errorCode is the cloud's error code verbatim, or one that begins with ClientError when no answer could be read.
	// +optional
	ErrorCode string `json:"errorCode,omitempty"`
	// message that came with the error code, without what it quotes of the credentials.
	// +optional
	Message string `json:"message,omitempty"`
	// followsUnknown is true when the outcome of an earlier attempt for this target is unknown, so that it may have stopped the import.
	// +optional
	FollowsUnknown bool `json:"followsUnknown,omitempty"`
}

// ImportJobStopStatus is what the operator knows of the stop.
type ImportJobStopStatus struct {
	// observedGeneration is the generation of the spec that this status describes; -1 until the operator has seen the object.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// target that this status describes.
	// +optional
	Target *Target `json:"target,omitempty"`
	// import that was found, or whose id was checked. It does not change any more: this one is stopped, and no other.
	// +optional
	Import *ImportRecord `json:"import,omitempty"`
	// candidates are the imports that match, at most ten, when there are several. None of them is stopped.
	// +optional
	// +listType=atomic
	Candidates []ImportRecord `json:"candidates,omitempty"`
	// requestId of the accepted call.
	// +optional
	RequestID string `json:"requestId,omitempty"`
	// attempts is the number of calls for this target. Calls that the quota refused do not count.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// lastAttempt is the latest call for this target.
	// +optional
	LastAttempt *Attempt `json:"lastAttempt,omitempty"`
	// nextAttemptTime is when the operator calls the cloud again. While Ready has the reason WaitingForQuota it is an estimate.
	// +optional
	NextAttemptTime *metav1.MicroTime `json:"nextAttemptTime,omitempty"`
	// importStatus is the status that DescribeAsyncRequestInfo last gave; UNKNOWN when it gave none, or one that the vendor does not document.
	// +optional
	ImportStatus string `json:"importStatus,omitempty"`
	// lastHandledRetryAt is the latest value of the annotation cdb.tencentcloud.com/retryRequestedAt that was acted upon.
	// +optional
	LastHandledRetryAt string `json:"lastHandledRetryAt,omitempty"`
	// startTime is when the operator began to work on this target, or began again after spec.suspend or a requested retry.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`
	// waitingSince is since when Ready has the reason CredentialsNotFound or WaitingForQuota, or since when a suspended object waits for its Secret; absent otherwise.
	// +optional
	WaitingSince *metav1.Time `json:"waitingSince,omitempty"`
	// completionTime is when the object finished, with success or failure. An object that is still retried has none.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`
	// conditions are Ready, Accepted, Reconciling and Stalled.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ImportJobStop asks that a data import into TencentDB for MySQL be stopped, once. What was already imported is kept.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ijs,categories=tencentcloud
// +kubebuilder:selectablefield:JSONPath=`.spec.region`
// +kubebuilder:selectablefield:JSONPath=`.spec.asyncRequestId`
// +kubebuilder:printcolumn:name="Region",type=string,JSONPath=`.spec.region`
// +kubebuilder:printcolumn:name="Import",type=string,JSONPath=`.status.target.asyncRequestId`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Instance",type=string,priority=1,JSONPath=`.spec.import.instanceId`
// +kubebuilder:printcolumn:name="Database",type=string,priority=1,JSONPath=`.status.import.databaseName`
// +kubebuilder:printcolumn:name="File",type=string,priority=1,JSONPath=`.status.import.fileName`
// +kubebuilder:printcolumn:name="RequestID",type=string,priority=1,JSONPath=`.status.requestId`
// +kubebuilder:printcolumn:name="Attempts",type=integer,JSONPath=`.status.attempts`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Error",type=string,priority=1,JSONPath=`.status.lastAttempt.errorCode`
// +kubebuilder:printcolumn:name="NextAttempt",type=string,priority=1,JSONPath=`.status.nextAttemptTime`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !((has(oldSelf.status.requestId) && size(oldSelf.status.requestId) > 0) || (has(oldSelf.status.lastAttempt) && (!has(oldSelf.status.lastAttempt.endTime) || (has(oldSelf.status.lastAttempt.followsUnknown) && oldSelf.status.lastAttempt.followsUnknown && !has(oldSelf.status.completionTime))))) || (self.spec.region == oldSelf.spec.region && (has(self.spec.site) ? self.spec.site : 'China') == (has(oldSelf.spec.site) ? oldSelf.spec.site : 'China') && has(self.spec.__import__) == has(oldSelf.spec.__import__) && (!has(self.spec.__import__) || self.spec.__import__ == oldSelf.spec.__import__) && (has(self.spec.asyncRequestId) == has(oldSelf.spec.asyncRequestId) && (!has(self.spec.asyncRequestId) || self.spec.asyncRequestId == oldSelf.spec.asyncRequestId) || has(self.spec.asyncRequestId) && !has(oldSelf.spec.asyncRequestId) && has(oldSelf.status.target) && has(oldSelf.status.target.asyncRequestId) && self.spec.asyncRequestId == oldSelf.status.target.asyncRequestId))",message="region, asyncRequestId, import and site cannot change once a stop was accepted or while the outcome of a call is unknown: this object is the record of what was done; create another object for another import"
type ImportJobStop struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec says which import to stop.
	// +required
	Spec ImportJobStopSpec `json:"spec"`
	// status is what the operator knows of the stop.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status ImportJobStopStatus `json:"status,omitempty"`
}

// ImportJobStopList is a list of ImportJobStops.
// +kubebuilder:object:root=true
type ImportJobStopList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ImportJobStop `json:"items"`
}

// Target returns what the spec asks to be stopped, with an empty site read as China. Its id is empty where the import is yet to be found.
func (s *ImportJobStopSpec) Target() Target {
	site := s.Site
	if site == "" {
		site = SiteChina
	}
	target := Target{Region: s.Region, AsyncRequestID: s.AsyncRequestID, Site: site}
	if s.Import != nil {
		target.Import = *s.Import
	}
	return target
}
