// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"slices"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// codesOf has the codes that the vendor lists, and some that it could add.
var codesOf = map[importjob.Class]string{
	importjob.Throttled: `RequestLimitExceeded RequestLimitExceeded.UinLimitExceeded RequestLimitExceeded.IPLimitExceeded
		RequestLimitExceeded.GlobalRegionUinLimitExceeded RequestLimitExceeded.New RequestLimitExceededNew`,
	importjob.Transient: `InternalError InternalError.New FailedOperation FailedOperation.New ResourceUnavailable ResourceUnavailable.New
		ResourceInUse ResourceInsufficient ServiceUnavailable LimitExceeded OperationDenied OperationDenied.New OperationDenied.ActionInProcess
		OperationDenied.FlowConflict OperationDenied.InstanceLockerConflict OperationDenied.InstanceTaskRunning AuthFailure.SignatureExpire
		CdbError CdbError.New What.Is.This`,
	importjob.Rejected: `AuthFailure AuthFailure.New AuthFailure.InvalidAuthorization AuthFailure.InvalidSecretId AuthFailure.MFAFailure
		AuthFailure.SecretIdNotFound AuthFailure.SignatureFailure AuthFailure.TokenFailure AuthFailure.UnauthorizedOperation UnauthorizedOperation
		UnauthorizedOperation.New OperationDenied.UserHasNoStrategy OperationDenied.AccountOperationDenied OperationDenied.SubAccountOperationDenied
		IpInBlacklist IpNotInWhitelist`,
	importjob.Terminal: `InvalidParameter InvalidParameter.New InvalidParameterNew InvalidParameterValue InvalidParameterValue.New MissingParameter
		UnknownParameter InvalidRequest InvalidRequest.New InvalidAction NoSuchProduct NoSuchVersion NoSuchThing UnsupportedOperation
		UnsupportedProtocol UnsupportedRegion UnsupportedNew ActionOffline DryRunOperation RequestSizeLimitExceeded ResponseSizeLimitExceeded
		OperationDenied.FunctionDenied`,
	importjob.NotFound: `InvalidParameter.InvalidAsyncRequestId InvalidParameter.InstanceNotFound ResourceNotFound ResourceNotFound.Instance`,
	importjob.Ambiguous: `CdbError.ImportError InternalError.ImportError InternalError.TaskFrameError FailedOperation.AsyncTaskStatusError
		OperationDenied.WrongStatus OperationDenied.InstanceTaskStatusError`,
}

func TestClasses(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{}
	for want, codes := range codesOf {
		for _, code := range strings.Fields(codes) {
			tested[code] = true
			if got := classOf(code); got != want {
				t.Errorf("%q is %s, want %s", code, got, want)
			}
		}
	}
	for code := range classes {
		if !tested[code] {
			t.Errorf("%q is not tested", code)
		}
	}
	if got := classOf(""); got != importjob.Transient {
		t.Errorf("no code is %s", got)
	}
}

// A code can be as long as an answer. Work that grew with the square of its length would not end here.
func TestLongCode(t *testing.T) {
	t.Parallel()
	for _, code := range []string{strings.Repeat("a.", 8*maxBody), "AuthFailure" + strings.Repeat(".", 16*maxBody)} {
		classOf(code)
	}
	if got := classOf("AuthFailure." + strings.Repeat("x", maxBody)); got != importjob.Rejected {
		t.Errorf("a long sub-code is %s", got)
	}
}

func TestKnown(t *testing.T) {
	t.Parallel()
	codes, regions := KnownCodes(), Regions()
	for _, list := range [][]string{codes, regions} {
		if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Errorf("not sorted, or with a double: %q", list)
		}
	}
	for _, want := range []string{"RequestLimitExceeded", "InternalError.TaskFrameError", "ClientError.Timeout", "ClientError.HTTPStatus100", "ClientError.HTTPStatus503"} {
		if !slices.Contains(codes, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, wrong := range []string{"ClientError.HTTPStatus200", "ClientError.HTTPStatus299", "ClientError.HTTPStatus600"} {
		if slices.Contains(codes, wrong) {
			t.Errorf("%s is not an error", wrong)
		}
	}
	for _, want := range []string{"ap-guangzhou", "ap-shanghai-fsi", "ap-singapore"} {
		if !slices.Contains(regions, want) {
			t.Errorf("%s is missing", want)
		}
	}
}
