// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

var (
	creds = importjob.Credentials{SecretID: "AKIDtest", SecretKey: "canary-key", Token: "canary-token"}
	job   = importjob.Target{Region: "ap-guangzhou", AsyncRequestID: "434e366f-beaf56d6-508b7f33-2abdb382", Site: importjob.China}
)

func simulate(t *testing.T, faults ...cdbsim.Fault) (*cdbsim.Server, *Client) {
	t.Helper()
	cloud := cdbsim.New()
	cloud.SetAccount(cdbsim.Account(creds))
	cloud.SetImport(cdbsim.Import{Region: job.Region, ID: job.AsyncRequestID, Status: "RUNNING"})
	for _, f := range faults {
		cloud.Play(f)
	}
	server := httptest.NewServer(cloud)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	endpoint, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return cloud, NewClient(Endpoints{Override: endpoint})
}

func TestStopAndDescribe(t *testing.T) {
	t.Parallel()
	cloud, client := simulate(t)
	requestID, err := client.Stop(t.Context(), creds, job)
	if err != nil || requestID != cloud.Calls()[0].RequestID {
		t.Fatalf("stopped with %q, %v", requestID, err)
	}
	if status, err := client.Describe(t.Context(), creds, job); err != nil || status != importjob.StatusKilled {
		t.Errorf("described as %q, %v", status, err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for kind, code := range map[cdbsim.Kind]string{
		cdbsim.HTTPError: "ClientError.HTTPStatus503", cdbsim.HTML: "ClientError.UnreadableAnswer", cdbsim.Empty: "ClientError.UnreadableAnswer",
		cdbsim.Null: "ClientError.UnreadableAnswer", cdbsim.NoID: "ClientError.UnreadableAnswer", cdbsim.Truncated: "ClientError.UnreadableAnswer",
		cdbsim.Huge: "ClientError.AnswerTooLong", cdbsim.Reset: "ClientError.NetworkError", cdbsim.Redirect: "ClientError.HTTPStatus307",
		cdbsim.AnswerLost: "ClientError.NetworkError", cdbsim.Hang: "ClientError.Timeout", cdbsim.Trickle: "ClientError.Timeout",
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			cloud, client := simulate(t, cdbsim.Fault{Kind: kind, Location: "http://127.0.0.1:1/"})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := client.Stop(ctx, creds, job)
			var fault *importjob.Error
			if !errors.As(err, &fault) || fault.Class != importjob.Transient || fault.Code != code || !fault.OutcomeUnknown {
				t.Errorf("got %+v, want %s of unknown outcome", err, code)
			}
			if n := len(cloud.Calls()); n != 1 {
				t.Errorf("%d requests for one call", n)
			}
		})
	}
}

func TestNoConnectionIsNoUnknownOutcome(t *testing.T) {
	t.Parallel()
	client := NewClient(Endpoints{Override: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}})
	_, err := client.Stop(t.Context(), creds, job)
	var fault *importjob.Error
	if !errors.As(err, &fault) || fault.OutcomeUnknown {
		t.Errorf("got %+v", err)
	}
}

// A server is called with TLS 1.2 or later, and if its certificate is trusted.
func TestTLS(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		version uint16
		trusted bool
		want    string
	}{
		"TLS 1.2":        {tls.VersionTLS12, true, "ClientError.HTTPStatus404"},
		"TLS 1.1":        {tls.VersionTLS11, true, "ClientError.NetworkError"},
		"not trusted":    {tls.VersionTLS13, false, "ClientError.NetworkError"},
		"TLS 1.3":        {tls.VersionTLS13, true, "ClientError.HTTPStatus404"},
		"another's name": {tls.VersionTLS13, true, "ClientError.NetworkError"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: test.version}
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			t.Cleanup(server.Close)
			endpoint, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			if name == "another's name" {
				endpoint.Host = strings.Replace(endpoint.Host, "127.0.0.1", "localhost", 1)
			}
			client := NewClient(Endpoints{Override: endpoint})
			if test.trusted {
				client.transport.(guard).next.(*http.Transport).TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			}
			_, err = client.Stop(t.Context(), creds, job)
			var fault *importjob.Error
			if !errors.As(err, &fault) || fault.Code != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]importjob.Class{
		"RequestLimitExceeded": importjob.Throttled, "RequestLimitExceeded.IPLimitExceeded": importjob.Throttled,
		"InternalError.TaskFrameError": importjob.Transient, "InternalError.ImportError": importjob.Ambiguous, "CdbError.ImportError": importjob.Ambiguous,
		"CdbError": importjob.Transient, "AuthFailure.SignatureExpire": importjob.Transient, "AuthFailure.TokenFailure": importjob.Rejected,
		"OperationDenied.UserHasNoStrategy": importjob.Rejected, "InvalidParameter": importjob.Terminal, "InvalidParameter.Else": importjob.Terminal,
		"InvalidParameter.InvalidAsyncRequestId": importjob.NotFound, "NoSuchThing": importjob.Terminal, "UnsupportedRegion": importjob.Terminal,
		"ResourceNotFound.Instance": importjob.NotFound, "": importjob.Transient, "What.Is.This": importjob.Transient,
	} {
		if got := classOf(code); got != want {
			t.Errorf("%q is %s, want %s", code, got, want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	for want, test := range map[string]struct {
		regional bool
		target   importjob.Target
	}{
		"cdb.tencentcloudapi.com":                 {false, job},
		"cdb.ap-guangzhou.tencentcloudapi.com":    {true, job},
		"cdb.ap-shanghai-fsi.tencentcloudapi.com": {false, importjob.Target{Region: "ap-shanghai-fsi"}},
		"cdb.intl.tencentcloudapi.com":            {true, importjob.Target{Region: "ap-singapore", Site: importjob.International}},
	} {
		if got := NewClient(Endpoints{Regional: test.regional}).Host(test.target); got != want {
			t.Errorf("%+v goes to %s, want %s", test, got, want)
		}
	}
	for _, wrong := range []string{"gateway", "ftp://x", "https://", "https://u:p@x", "https://x/path", "https://x?q"} {
		if _, err := ParseOverride(wrong); err == nil {
			t.Errorf("%q is taken for an endpoint", wrong)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("ok\n\xff\x00…", 7)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 8 + max(limit, 0)%1024
		if got := clean(s, limit); len(got) > limit || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x00") {
			t.Errorf("clean(%q, %d) is %q", s, limit, got)
		}
	})
}

// answering answers every request with the same.
type answering struct {
	code int
	body []byte
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.code, Status: http.StatusText(a.code), Request: r, Header: http.Header{"Location": {"http://127.0.0.1:1/"}},
		Body: io.NopCloser(bytes.NewReader(a.body)),
	}, nil
}

// Whatever is answered: an id, or a Fault that fits into a status and says nothing of the credentials.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		`{"Response":{"RequestId":"6EF60BEC-0242-43AF-BB20-270359FB54A7"}}`, `{"Response":{"RequestId":"r","Status":"KILLED","Info":""}}`,
		`{"Response":{"Error":{"Code":"InvalidParameter.InvalidAsyncRequestId","Message":"AKIDtest"},"RequestId":"r"}}`,
		`{"Response":{"Error":{"Code":"RequestLimitExceeded"}}}`, `{"Response":{"Error":{}}}`, `{"Response":{"RequestId":7}}`, `{"Response":[]}`,
		`{"Response":null}`, `{"Response":{}}`, `null`, `[]`, `{}`, ``, `<html>`, `{"Response":{"RequestId":"r"}`, "\xff\xfe", `{"code":4000,"message":"old"}`,
		`{"Response":{"RequestId":" \u0007"}}`, `{"Response":{"Error":{"Code":"canary-key","Message":"canary-token"},"RequestId":"AKIDtest"}}`,
	} {
		f.Add(200, []byte(body))
		f.Add(503, []byte(body))
	}
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		client := &Client{transport: guard{answering{200 + max(code, 0)%400, body}}}
		requestID, err := client.Stop(t.Context(), creds, job)
		if (err == nil) != (requestID != "") {
			t.Errorf("accepted as %q with the error %v", requestID, err)
		}
		if len(requestID) > maxID || !utf8.ValidString(requestID) || strings.Contains(requestID, creds.SecretKey) {
			t.Errorf("the RequestId is %q", requestID)
		}
		_, unknown := client.Describe(t.Context(), creds, job)
		for _, err := range []error{err, unknown} {
			wantFault(t, err)
		}
	})
}

// wantFault takes no error, or one that fits into a status.
func wantFault(t *testing.T, err error) {
	t.Helper()
	var fault *importjob.Error
	switch {
	case err == nil:
	case !errors.As(err, &fault) || fault.Code == "":
		t.Errorf("the error is %#v", err)
	case len(fault.Code) > 128 || len(fault.Message) > maxMessage || len(fault.RequestID) > 128 || !utf8.ValidString(fault.Error()):
		t.Errorf("it does not fit into a status: %q", fault.Error())
	case strings.Contains(fault.Error()+fault.RequestID, creds.SecretKey), strings.Contains(fault.Error()+fault.RequestID, creds.Token):
		t.Errorf("it tells of the credentials: %q", fault.Error())
	}
}
