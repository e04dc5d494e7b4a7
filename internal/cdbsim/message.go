// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"fmt"
	"strings"
)

// messages are the vendor's, or in its manner.
var messages = map[string]string{
	"InvalidParameter":                        "Parameter error.",
	"InvalidParameter.InstanceNotFound":       "The instance does not exist.",
	"InvalidParameter.InvalidAsyncRequestId":  "The asynchronous task does not exist.",
	"CdbError.ImportError":                    "An error occurred with the import task.",
	"InternalError":                           "An internal error occurred.",
	"InternalError.ImportError":               "An error occurred with the import.",
	"InternalError.TaskFrameError":            "An error occurred with the asynchronous task.",
	"FailedOperation.AsyncTaskStatusError":    "The status of the asynchronous task does not allow this operation.",
	"OperationDenied.WrongStatus":             "The current status does not allow this operation.",
	"OperationDenied.InstanceTaskStatusError": "The status of the instance's task does not allow this operation.",
	"UnsupportedRegion":                       "The region is not supported.",
	"AuthFailure.SecretIdNotFound":            "The SecretId is not found, please ensure that your SecretId is correct.",
}

// messageOf a code that answers a call.
func (s *Server) messageOf(code string, call Call) string {
	text, known := messages[code]
	switch {
	case known:
		return text
	case strings.HasPrefix(code, "RequestLimitExceeded"):
		limit := s.limitOf(code, call.Action)
		return fmt.Sprintf("Your current request times equals to `%d` in a second, which exceeds the frequency limit `%d` for a second. Please reduce the frequency of calls.", limit, limit)
	case strings.HasSuffix(code, "UnauthorizedOperation"):
		return "you are not authorized to perform operation (cdb:" + call.Action + ") resource (" + s.resourceOf(call) + ") has no permission"
	default:
		return "The simulator was asked to answer " + code + "."
	}
}

// resourceOf a call, as a policy names it. Only listings have one.
func (s *Server) resourceOf(call Call) string {
	if call.Action != actionList {
		return "*"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return "qcs::cdb:" + call.Region + ":uin/" + s.identity(call.SecretID).Owner + ":instanceId/" + call.InstanceID
}

// limitOf is what a code that refuses an action is about.
func (s *Server) limitOf(code, action string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ownerLimit > 0 && strings.HasSuffix(code, ".UinLimitExceeded") {
		return s.ownerLimit
	}
	return s.limits[action]
}
