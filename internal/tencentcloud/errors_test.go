// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// transportFunc is a transport that calls the function.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func stopError(ctx context.Context, t *testing.T, transport http.RoundTripper) importjob.Error {
	t.Helper()
	id, err := (&Client{transport: transport}).Stop(ctx, creds, job)
	cloudError, ok := errors.AsType[*importjob.Error](err)
	if !ok || id != "" {
		t.Fatalf("got %q, %v", id, err)
	}
	return *cloudError
}

func TestACanceledCall(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	got := stopError(ctx, t, transportFunc(func(r *http.Request) (*http.Response, error) {
		cancel()
		return nil, r.Context().Err()
	}))
	want := importjob.Error{Class: importjob.Transient, Code: "ClientError.Canceled", Message: "the call was canceled before the answer arrived"}
	if got != want {
		t.Errorf("got %+v", got)
	}
}

// A panic in the SDK or below it fails the call and nothing else.
func TestAPanicFailsTheCall(t *testing.T) {
	t.Parallel()
	got := stopError(t.Context(), t, transportFunc(func(*http.Request) (*http.Response, error) { panic("canary-key") }))
	want := importjob.Error{Class: importjob.Transient, Code: "ClientError.Panic", Message: "the SDK could not read the answer"}
	if got != want {
		t.Errorf("got %+v", got)
	}
}

func TestAnAnswerIsMissingWithoutAnError(t *testing.T) {
	t.Parallel()
	if code, message := causeOf(t.Context(), nil); code != "ClientError.NetworkError" || message != "the SDK sent no request" {
		t.Errorf("got %s: %s", code, message)
	}
}

// When the cloud refuses a signature as too old, the message names the clocks: the vendor's does not.
func TestSignatureExpireNamesTheClocks(t *testing.T) {
	t.Parallel()
	got := stopError(t.Context(), t, answering{200, "OK", "", []byte(`{"Response":{"RequestId":"r","Error":{"Code":"AuthFailure.SignatureExpire","Message":"It expired."}}}`)})
	want := importjob.Error{
		Class: importjob.Transient, Code: "AuthFailure.SignatureExpire", RequestID: "r",
		Message: "the clock of the operator's node and the cloud's differ by more than five minutes: It expired.",
	}
	if got != want {
		t.Errorf("got %+v", got)
	}
}

func TestAnErrorWithoutHintKeepsTheVendorsMessage(t *testing.T) {
	t.Parallel()
	got := stopError(t.Context(), t, answering{200, "OK", "", []byte(`{"Response":{"RequestId":"r","Error":{"Code":"AuthFailure.TokenFailure","Message":"Wrong token."}}}`)})
	want := importjob.Error{Class: importjob.Rejected, Code: "AuthFailure.TokenFailure", Message: "Wrong token.", RequestID: "r"}
	if got != want {
		t.Errorf("got %+v", got)
	}
}

// An answer of 1 MiB is read, and a longer one is not.
func TestTheLongestAnswer(t *testing.T) {
	t.Parallel()
	const body = `{"Response":{"RequestId":"r"}}`
	longest := body + strings.Repeat(" ", 1<<20-len(body))
	if id, err := (&Client{transport: answering{200, "OK", "", []byte(longest)}}).Stop(t.Context(), creds, job); err != nil || id != "r" {
		t.Errorf("1 MiB: got %q, %v", id, err)
	}
	if got := stopError(t.Context(), t, answering{200, "OK", "", []byte(longest + " ")}); got.Code != "ClientError.AnswerTooLong" {
		t.Errorf("1 MiB and a byte: got %+v", got)
	}
}

// Every step of a call has a limit, and so has every connection that is idle.
func TestTransportHasLimits(t *testing.T) {
	t.Parallel()
	transport := newTransport(nil)
	for name, limit := range map[string]int64{
		"TLS handshake": int64(transport.TLSHandshakeTimeout), "response header": int64(transport.ResponseHeaderTimeout),
		"length of the header": transport.MaxResponseHeaderBytes, "idle connection": int64(transport.IdleConnTimeout), "idle connections": int64(transport.MaxIdleConns),
	} {
		if limit <= 0 {
			t.Errorf("no limit: %s", name)
		}
	}
}
