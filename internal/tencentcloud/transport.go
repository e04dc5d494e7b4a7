// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Bounds of one call.
const (
	callTimeout = 10 * time.Second
	maxBody     = 1 << 20
)

// answerError is an HTTP answer that the API never gives: its body must not reach the SDK.
type answerError struct{ code, message string }

func (e *answerError) Error() string { return e.code + ": " + e.message }

// guard lets nothing pass to the SDK but HTTP 200 with a well-formed answer: the SDK follows redirects with the token, reads
// bodies without a bound, panics on null and takes an empty answer for a success.
type guard struct{ next http.RoundTripper }

func (g guard) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := g.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, &answerError{
			fmt.Sprintf("ClientError.HTTPStatus%d", response.StatusCode),
			fmt.Sprintf("the endpoint answered HTTP %s where the API answers 200", response.Status),
		}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if err := checkAnswer(body); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// checkAnswer accepts a Response object that has an Error with a Code, or no Error and a RequestId.
func checkAnswer(body []byte) error {
	if len(body) > maxBody {
		return &answerError{"ClientError.AnswerTooLong", "the answer is longer than 1 MiB"}
	}
	var answer struct {
		Response *struct {
			Error     *struct{ Code, Message string }
			RequestID string `json:"RequestId"`
		}
	}
	switch err := json.Unmarshal(body, &answer); {
	case err != nil, answer.Response == nil:
		return &answerError{"ClientError.UnreadableAnswer", "the answer is not one of the API; is something else in between?"}
	case answer.Response.Error != nil && clean(answer.Response.Error.Code, maxID) == "":
		return &answerError{"ClientError.UnreadableAnswer", "the answer has an Error without a Code"}
	case answer.Response.Error == nil && clean(answer.Response.RequestID, maxID) == "":
		return &answerError{"ClientError.UnreadableAnswer", "the answer has neither an Error nor a RequestId"}
	}
	return nil
}

// newTransport is HTTP/1.1 on purpose: a call that hangs then holds up no other.
func newTransport() http.RoundTripper {
	return guard{&http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		ResponseHeaderTimeout: callTimeout,
		MaxIdleConns:          500,
		MaxIdleConnsPerHost:   100,
		IdleConnTimeout:       90 * time.Second,
	}}
}
