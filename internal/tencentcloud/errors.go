// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// The longest message and the longest code or id of an answer, in bytes.
const maxMessage, maxID = 512, 128

// The codes of a call without a readable answer. The cloud uses none that begins with codeNoAnswer.
const (
	codeNoAnswer   = "ClientError"
	codeNetwork    = codeNoAnswer + ".NetworkError"
	codeTimeout    = codeNoAnswer + ".Timeout"
	codeCanceled   = codeNoAnswer + ".Canceled"
	codePanic      = codeNoAnswer + ".Panic"
	codeTooLong    = codeNoAnswer + ".AnswerTooLong"
	codeUnreadable = codeNoAnswer + ".UnreadableAnswer"
	codeHTTPStatus = codeNoAnswer + ".HTTPStatus" // followed by the number
)

// toError reads an answer with an Error. The class comes from the code as it was sent, before anything is redacted.
func toError(response apiResponse, gate gate) *importjob.Error {
	code, message := response.Error.Code, response.Error.Message
	if hint := hints[code]; hint != "" {
		message = hint + ": " + message
	}
	return &importjob.Error{
		Class:     classOf(code),
		Code:      gate.redactCode(code),
		Message:   gate.redact(message, maxMessage),
		RequestID: gate.redact(response.RequestID, maxID),
	}
}

// unansweredError tells why there is no readable answer. The request may have been carried out once there was a connection.
func unansweredError(ctx context.Context, err error, connected bool, gate gate) *importjob.Error {
	result := &importjob.Error{Class: importjob.Transient, OutcomeUnknown: connected}
	var unusual *responseError
	switch {
	case errors.As(err, &unusual):
		result.Code, result.Message = unusual.code, unusual.message
	case errors.Is(ctx.Err(), context.Canceled):
		result.Code, result.Message = codeCanceled, "the call was given up before an answer"
	case ctx.Err() != nil:
		result.Code, result.Message = codeTimeout, fmt.Sprintf("no answer within %s", callTimeout)
	default:
		result.Code, result.Message = codeNetwork, err.Error()
	}
	result.Message = gate.redact(result.Message, maxMessage)
	return result
}
