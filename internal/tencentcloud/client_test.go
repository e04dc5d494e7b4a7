// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
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
	if err != nil || requestID != cloud.CallLog()[0].RequestID {
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
			if n := len(cloud.CallLog()); n != 1 {
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

// A call needs TLS 1.2 or later, and a trusted certificate for the name of the endpoint.
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
				client.transport.(*http.Transport).TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			}
			_, err = client.Stop(t.Context(), creds, job)
			var fault *importjob.Error
			if !errors.As(err, &fault) || fault.Code != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// carrier is a transport that counts what it carries.
type carrier struct {
	http.RoundTripper
	carried int
}

func (c *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	c.carried++
	return c.RoundTripper.RoundTrip(r)
}

func TestTheTransportOfTheCallerCarriesTheCalls(t *testing.T) {
	t.Parallel()
	_, client := simulate(t)
	if client.WithTransport(nil) != client {
		t.Error("without a transport, it is another client")
	}
	transport := &carrier{RoundTripper: &http.Transport{}}
	if _, err := client.WithTransport(transport).Stop(t.Context(), creds, job); err != nil || transport.carried != 1 {
		t.Errorf("%d calls were carried, %v", transport.carried, err)
	}
}
