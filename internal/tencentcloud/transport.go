// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// callTimeout is the timeout of a call.
	callTimeout = 10 * time.Second
	// connectTimeout limits the TCP connection attempt and the TLS handshake, each.
	connectTimeout = 5 * time.Second
	// maxBody is the maximum length of the body of an answer, in bytes.
	maxBody = 1 << 20
	// maxHeader is the maximum length of the header of an answer, in bytes.
	maxHeader = 64 << 10
)

// responseError is the error for an HTTP response that the API never sends, or on which the SDK panics. Its message quotes nothing of the
// response.
type responseError struct{ code, message string }

func (e *responseError) Error() string { return e.message }

// apiResponse is the part of an answer that the package uses. An answer with a field of another type is unreadable, except for the
// Status, which the vendor documents as possibly null, and for the fields of a listing, which List reads.
type apiResponse struct {
	Error             *struct{ Code, Message string }
	RequestID         string `json:"RequestId"`
	Status            any
	TotalCount, Items json.RawMessage
}

// guard is the transport of one call. It passes only well-formed answers with HTTP 200 to the SDK. The SDK itself sends the token along
// when it follows a redirect, reads bodies of any length, panics on null, and takes an empty answer for a success.
type guard struct {
	next     http.RoundTripper
	response *apiResponse // the answer; what the SDK reads depends on headers and on the case of names
}

// RoundTrip sends the request and keeps the answer. The error is a *responseError if the API cannot have sent the response.
func (g *guard) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := g.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, &responseError{
			fmt.Sprintf("%s%d", codeHTTPStatus, response.StatusCode),
			fmt.Sprintf("the endpoint answered HTTP %s where the API answers 200", statusText(response.StatusCode)),
		}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if g.response, err = readResponse(body); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// statusText returns the number of an HTTP status and its registered text. The reason phrase of a response could quote a secret.
func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

// readResponse returns the Response in the body of an answer, if it is well-formed.
func readResponse(body []byte) (*apiResponse, error) {
	if len(body) > maxBody {
		return nil, &responseError{codeTooLong, "the answer is longer than 1 MiB"}
	}
	var envelope struct{ Response *apiResponse }
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Response == nil {
		return nil, &responseError{codeUnreadable, "the answer does not have the format of the API; does a proxy or another server answer?"}
	}
	if flaw := flawOf(envelope.Response); flaw != "" {
		return nil, &responseError{codeUnreadable, flaw}
	}
	return envelope.Response, nil
}

// flawOf returns what is wrong with a Response. It is empty for an Error with a Code, and for a RequestId without an Error.
func flawOf(response *apiResponse) string {
	if response.Error == nil {
		if isBlank(response.RequestID) {
			return "the answer has neither an Error nor a RequestId"
		}
		return ""
	}
	if isBlank(response.Error.Code) {
		return "the answer has an Error without a Code"
	}
	if strings.HasPrefix(strings.TrimSpace(response.Error.Code), codeNoAnswer) {
		return "the answer has a Code that the API does not use"
	}
	return ""
}

// isBlank returns whether redaction would leave nothing of a code or an id.
func isBlank(s string) bool { return gate{}.redact(s, maxID) == "" }

// newTransport returns a transport for HTTP/1.1: with HTTP/2, calls would share a connection, and one that hangs could delay the others.
func newTransport(proxy proxyFunc) *http.Transport {
	return &http.Transport{
		Proxy:                  proxy,
		OnProxyConnectResponse: checkProxy,
		DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:    connectTimeout,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ResponseHeaderTimeout:  callTimeout,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns:           500,
		MaxIdleConnsPerHost:    100,
		IdleConnTimeout:        90 * time.Second,
	}
}

// checkProxy returns an error with the status of a proxy that refuses to connect. Without it, net/http would return the proxy's reason phrase.
func checkProxy(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return &responseError{codeNetwork, fmt.Sprintf("the proxy answered HTTP %s", statusText(response.StatusCode))}
}
