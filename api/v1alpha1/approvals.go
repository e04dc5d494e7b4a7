// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// The annotations of a stop that two persons make: one asks for it, another resumes it. The policy of config/teams holds them to who the
// API server says they are; without that policy anybody who may write the object may write them.
const (
	// RequestedByAnnotation is the name of the user who created the object.
	RequestedByAnnotation = "cdb.tencentcloud.com/requested-by"
	// ApprovedByAnnotation is the name of the user who resumed it.
	ApprovedByAnnotation = "cdb.tencentcloud.com/approved-by"
	// ApprovedImportAnnotation is the id of the import that this user had looked at: that of status.import.
	ApprovedImportAnnotation = "cdb.tencentcloud.com/approved-import"
	// BreakGlassByAnnotation is the name of the user who created, resumed or retried it without a second person.
	BreakGlassByAnnotation = "cdb.tencentcloud.com/break-glass-by"
)

const (
	// ApprovalsPolicy is the name of the policy, which the API server gives when it refuses something.
	ApprovalsPolicy = "importjobstop-approvals"
	// ResumeVerb is the verb that the policy asks for when an object is resumed. It exists for this policy only.
	ResumeVerb = "resume"
	// BreakGlassVerb is the verb of who may create, resume and retry objects without a second person.
	BreakGlassVerb = "break-glass"
)
