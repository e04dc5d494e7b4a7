// SPDX-License-Identifier: Apache-2.0

// Package tencentcloud calls the API of TencentDB for MySQL through the vendor's SDK, which signs the requests.
//
// One method call of a [Client] sends at most one request: no retry and no redirect. No credential reaches the caller: RequestIds and
// errors pass a gate that redacts what a server, a proxy or net/http may quote. The package also knows the vendor's
// endpoints, regions and error codes.
package tencentcloud

import (
	"context"
	"encoding/base64"
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

// apiVersion is the version of the cdb service that the actions belong to.
// Source: https://www.tencentcloud.com/document/product/236/15857 (StopDBImportJob).
const apiVersion = "2017-03-20"

// proxyFunc returns the proxy for a request, or nil to send it directly.
type proxyFunc func(*http.Request) (*url.URL, error)

// Client implements importjob.Cloud. It is safe for concurrent use: all calls share one pool of connections. Create one with NewClient.
type Client struct {
	endpoints Endpoints
	proxy     proxyFunc
	transport http.RoundTripper
}

var _ importjob.Cloud = (*Client)(nil)

// NewClient returns a client for the endpoints. It uses the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name.
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

// Host returns the host that calls for the target are sent to, with a port if the override has one. The cloud counts the quota per host.
func (c *Client) Host(t importjob.Target) string { return c.endpoints.host(t) }

// Stop sends one StopDBImportJob and returns the RequestId of the accepted call, which has 1 to 128 bytes. Every error is an
// *importjob.Error. A call takes at most ten seconds, or less if ctx ends earlier.
func (c *Client) Stop(ctx context.Context, creds importjob.Credentials, t importjob.Target) (string, error) {
	response, err := c.call(ctx, creds, t, importjob.ActionStop, ofTask(t))
	return response.RequestID, err
}

// Describe sends one DescribeAsyncRequestInfo and returns a status that the vendor documents, or StatusUnknown.
// Errors and the time limit are those of Stop.
func (c *Client) Describe(ctx context.Context, creds importjob.Credentials, t importjob.Target) (importjob.Status, error) {
	response, err := c.call(ctx, creds, t, importjob.ActionDescribe, ofTask(t))
	if err != nil {
		return "", err
	}
	return statusOf(response.Status), nil
}

// statusOf returns a documented status as it is, and StatusUnknown for anything else: an unchecked text would end up in the object.
func statusOf(text any) importjob.Status {
	s, _ := text.(string)
	switch status := importjob.Status(strings.TrimSpace(s)); status {
	case importjob.StatusUndefined, importjob.StatusInitial, importjob.StatusRunning, importjob.StatusSuccess,
		importjob.StatusFailed, importjob.StatusKilled, importjob.StatusRemoved, importjob.StatusPaused:
		return status
	}
	return importjob.StatusUnknown
}

// parameters are the input of an action, by the vendor's names.
type parameters map[string]any

// ofTask returns the parameters of the actions on one asynchronous task.
func ofTask(t importjob.Target) parameters { return parameters{"AsyncRequestId": t.AsyncRequestID} }

// call sends one request. Everything that it returns is redacted, except for the Status, and the TotalCount and the Items of a listing.
func (c *Client) call(ctx context.Context, creds importjob.Credentials, t importjob.Target, action importjob.Action, input parameters) (apiResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	exchange := &guard{next: c.transport}
	err := c.send(ctx, c.sdk(creds, t).WithHttpTransport(exchange), action, input)

	gate := newGate(c.secrets(creds, t)...)
	response := exchange.response
	if response == nil {
		return apiResponse{}, unansweredError(ctx, err, connected.Load(), gate)
	}
	if response.Error != nil {
		return apiResponse{}, toError(*response, gate)
	}
	response.RequestID = gate.redact(response.RequestID, maxID)
	return *response, nil
}

// send makes the SDK sign one request and send it. A panic of the SDK becomes an error.
func (c *Client) send(ctx context.Context, sdk *common.Client, action importjob.Action, input parameters) (err error) {
	defer func() {
		if recover() != nil {
			err = &responseError{codePanic, "the SDK could not read the answer"}
		}
	}()
	request := sdkhttp.NewCommonRequest("cdb", apiVersion, string(action))
	request.SetContext(ctx)
	if err := request.SetActionParameters(map[string]any(input)); err != nil {
		return err
	}
	return sdk.Send(request, sdkhttp.NewCommonResponse())
}

// sdk returns an SDK client for one call. Clients are cheap; connections belong to the transport.
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

// secrets returns what must be redacted: the credentials, and the password of the proxy, plain and as in the Proxy-Authorization header.
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
