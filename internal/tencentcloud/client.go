// SPDX-License-Identifier: Apache-2.0

// Package tencentcloud is the port to the cloud over the vendor's SDK: one method call is one signed request.
package tencentcloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// apiVersion of the cdb service that has both actions.
const apiVersion = "2017-03-20"

// The longest message and the longest code or id of an answer, in bytes.
const maxMessage, maxID = 512, 128

// Client calls the cloud. It is safe for concurrent use and shares one pool of connections.
type Client struct {
	endpoints Endpoints
	transport http.RoundTripper
}

var _ importjob.Cloud = (*Client)(nil)

// NewClient returns a client for the endpoints.
func NewClient(endpoints Endpoints) *Client {
	return &Client{endpoints: endpoints, transport: newTransport()}
}

// Host is the access host for the target.
func (c *Client) Host(t importjob.Target) string { return c.endpoints.host(t) }

// Stop sends one StopDBImportJob.
func (c *Client) Stop(ctx context.Context, creds importjob.Credentials, t importjob.Target) (string, error) {
	answer, err := c.call(ctx, creds, t, importjob.ActionStop)
	return clean(redact(answer.RequestID, creds), maxID), err
}

// Describe sends one DescribeAsyncRequestInfo.
func (c *Client) Describe(ctx context.Context, creds importjob.Credentials, t importjob.Target) (importjob.Status, error) {
	answer, err := c.call(ctx, creds, t, importjob.ActionDescribe)
	return importjob.Status(clean(answer.Status, 32)), err
}

type answer struct {
	RequestID string `json:"RequestId"`
	Status    string
}

func (c *Client) call(ctx context.Context, creds importjob.Credentials, t importjob.Target, action importjob.Action) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	defer func() {
		if recover() != nil {
			err = &sdkerrors.TencentCloudSDKError{Code: "ClientError.Panic", Message: "the SDK could not read the answer"}
		}
		if err != nil {
			a, err = answer{}, toFault(ctx, err, connected.Load(), creds)
		}
	}()
	request := sdkhttp.NewCommonRequest("cdb", apiVersion, string(action))
	request.SetContext(ctx)
	if err := request.SetActionParameters(map[string]any{"AsyncRequestId": t.AsyncRequestID}); err != nil {
		return a, err
	}
	response := sdkhttp.NewCommonResponse()
	if err := c.sdk(creds, t).Send(request, response); err != nil {
		return a, err
	}
	var body struct{ Response answer }
	err = json.Unmarshal(response.GetBody(), &body)
	return body.Response, err
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
	return common.NewCommonClient(credential, t.Region, p).WithHttpTransport(c.transport)
}

// toFault reads an error of the SDK. Without an answer, the request may have been carried out once there was a connection.
func toFault(ctx context.Context, err error, connected bool, creds importjob.Credentials) *importjob.Error {
	fault := &importjob.Error{Class: importjob.Transient, Code: "ClientError.NetworkError", OutcomeUnknown: connected}
	var unusual *answerError
	var sdk *sdkerrors.TencentCloudSDKError
	switch {
	case errors.As(err, &unusual):
		fault.Code, fault.Message = unusual.code, unusual.message
	case ctx.Err() != nil:
		fault.Code, fault.Message = "ClientError.Timeout", fmt.Sprintf("no answer within %s", callTimeout)
		if errors.Is(ctx.Err(), context.Canceled) {
			fault.Code, fault.Message = "ClientError.Canceled", "the call was given up before an answer"
		}
	case errors.As(err, &sdk) && !strings.HasPrefix(sdk.Code, "ClientError"):
		fault.Class, fault.Code, fault.Message = classOf(sdk.Code), clean(redact(sdk.Code, creds), maxID), sdk.Message
		if hint := hints[sdk.Code]; hint != "" {
			fault.Message = hint + ": " + fault.Message
		}
		fault.RequestID, fault.OutcomeUnknown = clean(redact(sdk.RequestId, creds), maxID), false
	default:
		fault.Message = err.Error()
	}
	fault.Message = clean(redact(fault.Message, creds), maxMessage)
	return fault
}

// signature of a request, wherever it is quoted: a SHA-256 in hexadecimal.
var signature = regexp.MustCompile("[0-9A-Fa-f]{64}")

const redacted = "[redacted]"

// redact takes the credentials out of a message that quotes them, as the vendor's do for a SecretId, and any signature.
func redact(s string, creds importjob.Credentials) string {
	for _, secret := range []string{creds.SecretKey, creds.Token, creds.SecretID} {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, redacted)
		}
	}
	return signature.ReplaceAllString(s, redacted)
}

// clean makes one line of printable UTF-8 of at most limit bytes.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= limit {
		return s
	}
	const ellipsis = "…"
	return strings.ToValidUTF8(s[:max(limit-len(ellipsis), 0)], "") + ellipsis
}
