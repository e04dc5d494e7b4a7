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
func toError(a answer, gate gate) *importjob.Error {
	code, message := a.Error.Code, a.Error.Message
	if hint := hints[code]; hint != "" {
		message = hint + ": " + message
	}
	return &importjob.Error{
		Class:     classOf(code),
		Code:      gate.tellCode(code),
		Message:   gate.tell(message, maxMessage),
		RequestID: gate.tell(a.RequestID, maxID),
	}
}

// unansweredError tells why there is no readable answer. The request may have been carried out once there was a connection.
func unansweredError(ctx context.Context, err error, connected bool, gate gate) *importjob.Error {
	told := &importjob.Error{Class: importjob.Transient, OutcomeUnknown: connected}
	var unusual *answerError
	switch {
	case errors.As(err, &unusual):
		told.Code, told.Message = unusual.code, unusual.message
	case errors.Is(ctx.Err(), context.Canceled):
		told.Code, told.Message = codeCanceled, "the call was given up before an answer"
	case ctx.Err() != nil:
		told.Code, told.Message = codeTimeout, fmt.Sprintf("no answer within %s", callTimeout)
	default:
		told.Code, told.Message = codeNetwork, err.Error()
	}
	told.Message = gate.tell(told.Message, maxMessage)
	return told
}
