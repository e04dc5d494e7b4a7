// SPDX-License-Identifier: Apache-2.0

// Package tencentcloud is the port to the cloud over the vendor's SDK: one method call is one signed request.
package tencentcloud

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// apiVersion of the cdb service that has both actions.
const apiVersion = "2017-03-20"

// proxyFunc returns the proxy of a request, or nil for none.
type proxyFunc func(*http.Request) (*url.URL, error)

// Client calls the cloud. It is safe for concurrent use and shares one pool of connections.
type Client struct {
	endpoints Endpoints
	proxy     proxyFunc
	transport http.RoundTripper
}

var _ importjob.Cloud = (*Client)(nil)

// NewClient returns a client for the endpoints. It uses the proxy that the environment names.
func NewClient(endpoints Endpoints) *Client {
	return newClient(endpoints, http.ProxyFromEnvironment)
}

// WithTransport returns a client whose calls the transport carries. Nil changes nothing.
func (c *Client) WithTransport(transport http.RoundTripper) *Client {
	if transport == nil {
		return c
	}
	return &Client{endpoints: c.endpoints, proxy: c.proxy, transport: transport}
}

func newClient(endpoints Endpoints, proxy proxyFunc) *Client {
	return &Client{endpoints: endpoints, proxy: proxy, transport: newTransport(proxy)}
}

// Host is the access host for the target.
func (c *Client) Host(t importjob.Target) string { return c.endpoints.host(t) }

// Stop sends one StopDBImportJob.
func (c *Client) Stop(ctx context.Context, creds importjob.Credentials, t importjob.Target) (string, error) {
	response, err := c.call(ctx, creds, t, importjob.ActionStop)
	return response.RequestID, err
}

// Describe sends one DescribeAsyncRequestInfo. The status is one that the vendor documents, or StatusUnknown.
func (c *Client) Describe(ctx context.Context, creds importjob.Credentials, t importjob.Target) (importjob.Status, error) {
	response, err := c.call(ctx, creds, t, importjob.ActionDescribe)
	if err != nil {
		return "", err
	}
	return statusOf(response.Status), nil
}

// statusOf accepts the documented statuses. A text that the vendor does not document would reach the status of an object as it is.
func statusOf(text any) importjob.Status {
	s, _ := text.(string)
	switch status := importjob.Status(strings.TrimSpace(s)); status {
	case importjob.StatusUndefined, importjob.StatusInitial, importjob.StatusRunning, importjob.StatusSuccess,
		importjob.StatusFailed, importjob.StatusKilled, importjob.StatusRemoved, importjob.StatusPaused:
		return status
	}
	return importjob.StatusUnknown
}

// call sends one request. What it returns has passed the gate, except for the Status.
func (c *Client) call(ctx context.Context, creds importjob.Credentials, t importjob.Target, action importjob.Action) (apiResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	exchange := &guard{next: c.transport}
	err := c.send(ctx, exchange, creds, t, action)

	gate := newGate(c.secrets(creds, t)...)
	switch response := exchange.response; {
	case response == nil:
		return noResponse, unansweredError(ctx, err, connected.Load(), gate)
	case response.Error != nil:
		return noResponse, toError(*response, gate)
	default:
		response.RequestID = gate.redact(response.RequestID, maxID)
		return *response, nil
	}
}

// send lets the SDK sign and send one request through the guard, which keeps the answer.
func (c *Client) send(ctx context.Context, through *guard, creds importjob.Credentials, t importjob.Target, action importjob.Action) (err error) {
	defer func() {
		if recover() != nil {
			err = &responseError{codePanic, "the SDK could not read the answer"}
		}
	}()
	request := sdkhttp.NewCommonRequest("cdb", apiVersion, string(action))
	request.SetContext(ctx)
	if err := request.SetActionParameters(map[string]any{"AsyncRequestId": t.AsyncRequestID}); err != nil {
		return err
	}
	if err := c.sdk(creds, t).WithHttpTransport(through).Send(request, sdkhttp.NewCommonResponse()); err != nil {
		return err
	}
	if through.response == nil {
		return errors.New("the SDK sent no request")
	}
	return nil
}

// sdk returns a client for one call; clients are cheap, connections are shared.
func (c *Client) sdk(creds importjob.Credentials, t importjob.Target) *common.Client {
	p := profile.NewClientProfile()
	p.Language = "en-US"
	p.DisableRegionBreaker = true
	p.HttpProfile.ReqMethod = http.MethodPost
	p.HttpProfile.ReqTimeout = int(callTimeout.Seconds())
	p.HttpProfile.Scheme = c.endpoints.scheme()
	p.HttpProfile.Endpoint = c.endpoints.host(t)
	credential := common.NewTokenCredential(creds.SecretID, creds.SecretKey, creds.Token)
	return common.NewCommonClient(credential, t.Region, p)
}

// secrets are what an answer must not quote: the credentials, and the password of the proxy as it is and as its header has it.
func (c *Client) secrets(creds importjob.Credentials, t importjob.Target) []string {
	secrets := []string{creds.SecretID, creds.SecretKey, creds.Token}
	if c.proxy == nil {
		return secrets
	}
	proxy, err := c.proxy(&http.Request{URL: &url.URL{Scheme: strings.ToLower(c.endpoints.scheme()), Host: c.endpoints.host(t)}})
	if err != nil || proxy == nil || proxy.User == nil {
		return secrets
	}
	password, _ := proxy.User.Password()
	return append(secrets, password, base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password)))
}
