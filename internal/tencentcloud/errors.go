// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// The maximum length of a message, and of a code or an id, in bytes. They fit into the status of an object.
const maxMessage, maxID = 512, 128

// The codes of a call without a readable answer. No code of the cloud begins with codeNoAnswer.
const (
	codeNoAnswer   = "ClientError"
	codeNetwork    = "ClientError.NetworkError"
	codeTimeout    = "ClientError.Timeout"
	codeCanceled   = "ClientError.Canceled"
	codePanic      = "ClientError.Panic"
	codeTooLong    = "ClientError.AnswerTooLong"
	codeUnreadable = "ClientError.UnreadableAnswer"
	codeHTTPStatus = "ClientError.HTTPStatus" // followed by the number of the status
)

// toError returns the error in an answer. Its class is that of the code before redaction.
func toError(response apiResponse, gate gate) *importjob.Error {
	code, message := response.Error.Code, response.Error.Message
	if hint, found := hints[code]; found {
		message = fmt.Sprintf("%s: %s", hint, message)
	}
	return &importjob.Error{
		Class:     classOf(code),
		Code:      gate.redactCode(code),
		Message:   gate.redact(message, maxMessage),
		RequestID: gate.redact(response.RequestID, maxID),
	}
}

// unansweredError returns the error of a call without a readable answer. Its outcome is unknown if there was a connection, since the
// cloud can have carried out the request.
func unansweredError(ctx context.Context, err error, connected bool, gate gate) *importjob.Error {
	code, message := causeOf(ctx, err)
	return &importjob.Error{
		Class:          importjob.Transient,
		Code:           code,
		Message:        gate.redact(message, maxMessage),
		OutcomeUnknown: connected,
	}
}

// causeOf returns why a call has no readable answer, as a code and a message. Err is the SDK's.
func causeOf(ctx context.Context, err error) (code, message string) {
	if err == nil {
		return codeNetwork, "the SDK sent no request"
	}
	if refused, ok := errors.AsType[*responseError](err); ok {
		return refused.code, refused.message
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return codeCanceled, "the call was canceled before the answer arrived"
	}
	if ctx.Err() != nil {
		return codeTimeout, fmt.Sprintf("no answer within %s", callTimeout)
	}
	return codeNetwork, err.Error()
}
