// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"strings"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// classes has the error codes that the vendor lists for the three actions, for all actions, and in the cdb package of its SDK.
// Sources: https://www.tencentcloud.com/document/product/236/15857 (StopDBImportJob), .../236/20410 (DescribeAsyncRequestInfo),
// .../236/15856 (DescribeDBImportRecords), .../236/15694 (common codes), and tencentcloud/cdb/v20170320/errors.go in the SDK.
// For codes that are not listed, see classOf.
var classes = map[string]importjob.Class{
	"RequestLimitExceeded":                              importjob.Throttled,
	"RequestLimitExceeded.GlobalRegionUinLimitExceeded": importjob.Throttled,
	"RequestLimitExceeded.IPLimitExceeded":              importjob.Throttled,
	"RequestLimitExceeded.UinLimitExceeded":             importjob.Throttled,

	"AuthFailure.SignatureExpire":            importjob.Transient,
	"FailedOperation":                        importjob.Transient,
	"InternalError":                          importjob.Transient,
	"LimitExceeded":                          importjob.Transient,
	"OperationDenied":                        importjob.Transient,
	"OperationDenied.ActionInProcess":        importjob.Transient,
	"OperationDenied.FlowConflict":           importjob.Transient,
	"OperationDenied.InstanceLockerConflict": importjob.Transient,
	"OperationDenied.InstanceTaskRunning":    importjob.Transient,
	"ResourceInUse":                          importjob.Transient,
	"ResourceInsufficient":                   importjob.Transient,
	"ResourceUnavailable":                    importjob.Transient,
	"ServiceUnavailable":                     importjob.Transient,

	"AuthFailure":                               importjob.Rejected,
	"AuthFailure.InvalidAuthorization":          importjob.Rejected,
	"AuthFailure.InvalidSecretId":               importjob.Rejected,
	"AuthFailure.MFAFailure":                    importjob.Rejected,
	"AuthFailure.SecretIdNotFound":              importjob.Rejected,
	"AuthFailure.SignatureFailure":              importjob.Rejected,
	"AuthFailure.TokenFailure":                  importjob.Rejected,
	"AuthFailure.UnauthorizedOperation":         importjob.Rejected,
	"IpInBlacklist":                             importjob.Rejected,
	"IpNotInWhitelist":                          importjob.Rejected,
	"OperationDenied.AccountOperationDenied":    importjob.Rejected,
	"OperationDenied.SubAccountOperationDenied": importjob.Rejected,
	"OperationDenied.UserHasNoStrategy":         importjob.Rejected,
	"UnauthorizedOperation":                     importjob.Rejected,

	"ActionOffline":                  importjob.Terminal,
	"DryRunOperation":                importjob.Terminal,
	"InvalidAction":                  importjob.Terminal,
	"InvalidParameter":               importjob.Terminal,
	"InvalidParameterValue":          importjob.Terminal,
	"InvalidRequest":                 importjob.Terminal,
	"MissingParameter":               importjob.Terminal,
	"NoSuchProduct":                  importjob.Terminal,
	"NoSuchVersion":                  importjob.Terminal,
	"OperationDenied.FunctionDenied": importjob.Terminal,
	"RequestSizeLimitExceeded":       importjob.Terminal,
	"ResponseSizeLimitExceeded":      importjob.Terminal,
	"UnknownParameter":               importjob.Terminal,
	"UnsupportedOperation":           importjob.Terminal,
	"UnsupportedProtocol":            importjob.Terminal,
	"UnsupportedRegion":              importjob.Terminal,

	"InvalidParameter.InstanceNotFound":      importjob.NotFound,
	"InvalidParameter.InvalidAsyncRequestId": importjob.NotFound,
	"ResourceNotFound":                       importjob.NotFound,

	"CdbError.ImportError":                    importjob.Ambiguous,
	"FailedOperation.AsyncTaskStatusError":    importjob.Ambiguous,
	"InternalError.ImportError":               importjob.Ambiguous,
	"InternalError.TaskFrameError":            importjob.Ambiguous,
	"OperationDenied.InstanceTaskStatusError": importjob.Ambiguous,
	"OperationDenied.WrongStatus":             importjob.Ambiguous,
}

// families has prefixes that the vendor also extends without a dot, as in InvalidParameterValue.
var families = map[string]importjob.Class{
	"RequestLimitExceeded":  importjob.Throttled,
	"AuthFailure":           importjob.Rejected,
	"UnauthorizedOperation": importjob.Rejected,
	"InvalidParameter":      importjob.Terminal,
	"InvalidRequest":        importjob.Terminal,
	"MissingParameter":      importjob.Terminal,
	"NoSuch":                importjob.Terminal,
	"UnknownParameter":      importjob.Terminal,
	"Unsupported":           importjob.Terminal,
	"ResourceNotFound":      importjob.NotFound,
}

// hints has the cause of an error where the vendor's message does not say it. It is added before the message.
var hints = map[string]string{
	"AuthFailure.SignatureExpire": "the clock of the operator's node and the cloud's differ by more than five minutes",
}

// classOf returns the class of the code, else of its closest listed parent, else of its family, else Transient.
// The parent of A.B.C is A.B.
func classOf(code string) importjob.Class {
	code = code[:min(len(code), maxID)] // no listed code is longer, and a code of a million dots would take minutes
	for parent := code; parent != ""; parent = parent[:max(strings.LastIndexByte(parent, '.'), 0)] {
		if class, listed := classes[parent]; listed {
			return class
		}
	}
	for prefix, class := range families {
		if strings.HasPrefix(code, prefix) {
			return class
		}
	}
	return importjob.Transient
}
