// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"strings"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// classes are the vendor's error codes: https://www.tencentcloud.com/document/product/236/15694 and the page of StopDBImportJob.
// A sub-code belongs to its closest listed parent.
var classes = map[string]importjob.Class{
	"RequestLimitExceeded": importjob.Throttled,

	"InternalError":               importjob.Transient,
	"FailedOperation":             importjob.Transient,
	"ResourceUnavailable":         importjob.Transient,
	"ResourceInUse":               importjob.Transient,
	"ResourceInsufficient":        importjob.Transient,
	"ServiceUnavailable":          importjob.Transient,
	"LimitExceeded":               importjob.Transient,
	"AuthFailure.SignatureExpire": importjob.Transient,

	"AuthFailure":           importjob.Rejected,
	"UnauthorizedOperation": importjob.Rejected,
	"OperationDenied":       importjob.Rejected,
	"IpInBlacklist":         importjob.Rejected,
	"IpNotInWhitelist":      importjob.Rejected,

	"InvalidParameter":          importjob.Terminal,
	"InvalidParameterValue":     importjob.Terminal,
	"MissingParameter":          importjob.Terminal,
	"UnknownParameter":          importjob.Terminal,
	"InvalidRequest":            importjob.Terminal,
	"InvalidAction":             importjob.Terminal,
	"NoSuchProduct":             importjob.Terminal,
	"NoSuchVersion":             importjob.Terminal,
	"UnsupportedOperation":      importjob.Terminal,
	"UnsupportedProtocol":       importjob.Terminal,
	"UnsupportedRegion":         importjob.Terminal,
	"ActionOffline":             importjob.Terminal,
	"DryRunOperation":           importjob.Terminal,
	"RequestSizeLimitExceeded":  importjob.Terminal,
	"ResponseSizeLimitExceeded": importjob.Terminal,

	"InvalidParameter.InvalidAsyncRequestId": importjob.NotFound,
	"ResourceNotFound":                       importjob.NotFound,

	"CdbError.ImportError":      importjob.Ambiguous,
	"InternalError.ImportError": importjob.Ambiguous,
}

// hints say what a person can do, where the vendor's message does not.
var hints = map[string]string{
	"AuthFailure.SignatureExpire": "the clock of the operator's node and the cloud's differ by more than five minutes",
}

// classOf returns the class of a code, or of its closest listed parent; Transient for a code that nobody has listed.
func classOf(code string) importjob.Class {
	for {
		if class, ok := classes[code]; ok {
			return class
		}
		dot := strings.LastIndexByte(code, '.')
		if dot < 0 {
			return unlisted(code)
		}
		code = code[:dot]
	}
}

// unlisted reads the families that the vendor extends without a dot.
func unlisted(code string) importjob.Class {
	if strings.HasPrefix(code, "NoSuch") || strings.HasPrefix(code, "Unsupported") {
		return importjob.Terminal
	}
	return importjob.Transient
}
