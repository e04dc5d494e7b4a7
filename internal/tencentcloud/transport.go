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

// Bounds of one call.
const (
	callTimeout = 10 * time.Second
	maxBody     = 1 << 20
	maxHeader   = 64 << 10
)

// responseError is an HTTP answer that the API never gives: its body must not reach the SDK.
// Its message is in our words: a reason phrase can quote anything.
type responseError struct{ code, message string }

func (e *responseError) Error() string { return e.code + ": " + e.message }

// apiResponse is what is read of an answer. Fields of other types than these make it unreadable, except for the Status, which may be null.
type apiResponse struct {
	Error     *struct{ Code, Message string }
	RequestID string `json:"RequestId"`
	Status    any
}

var noResponse apiResponse

// guard serves one call. It lets nothing pass to the SDK but HTTP 200 with a well-formed answer: the SDK follows redirects with the token,
// reads bodies without a bound, panics on null and takes an empty answer for a success.
type guard struct {
	next     http.RoundTripper
	response *apiResponse // the one reading of what was received: the SDK's depends on headers and on the case of names
}

// RoundTrip sends the request and keeps the answer.
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

// statusText is the registered text of a status, never the reason phrase that was sent.
func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

// readResponse accepts a Response that has an Error with a Code, or no Error and a RequestId.
func readResponse(body []byte) (*apiResponse, error) {
	if len(body) > maxBody {
		return nil, &responseError{codeTooLong, "the answer is longer than 1 MiB"}
	}
	var envelope struct{ Response *apiResponse }
	err := json.Unmarshal(body, &envelope)
	switch a := envelope.Response; {
	case err != nil, a == nil:
		return nil, &responseError{codeUnreadable, "the answer is not one of the API; is something else in between?"}
	case a.Error != nil && isBlank(a.Error.Code):
		return nil, &responseError{codeUnreadable, "the answer has an Error without a Code"}
	case a.Error != nil && strings.HasPrefix(strings.TrimSpace(a.Error.Code), codeNoAnswer):
		return nil, &responseError{codeUnreadable, "the answer has a Code that the API does not use"}
	case a.Error == nil && isBlank(a.RequestID):
		return nil, &responseError{codeUnreadable, "the answer has neither an Error nor a RequestId"}
	}
	return envelope.Response, nil
}

// isBlank says whether nothing of a code or id would be told.
func isBlank(s string) bool { return gate{}.redact(s, maxID) == "" }

// newTransport is HTTP/1.1 on purpose: a call that hangs then holds up no other.
func newTransport(proxy proxyFunc) *http.Transport {
	return &http.Transport{
		Proxy:                  proxy,
		OnProxyConnectResponse: checkProxy,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ResponseHeaderTimeout:  callTimeout,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns:           500,
		MaxIdleConnsPerHost:    100,
		IdleConnTimeout:        90 * time.Second,
	}
}

// checkProxy tells of a proxy's refusal by its number. Otherwise the error would be the proxy's reason phrase.
func checkProxy(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return &responseError{codeNetwork, fmt.Sprintf("the proxy answered HTTP %s", statusText(response.StatusCode))}
}
