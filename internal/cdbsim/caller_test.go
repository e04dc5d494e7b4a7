// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	stop     = "StopDBImportJob"
	describe = "DescribeAsyncRequestInfo"
	list     = "DescribeDBImportRecords"
	region   = "ap-guangzhou"
	task     = "434e366f-beaf56d6-508b7f33-2abdb382"
	mysql    = "cdb-c1nl9rpv"
	common   = "cdb.tencentcloudapi.com"
)

// start is when the tests that choose their time begin.
var start = time.Unix(1_700_000_000, 0)

// caller makes signed calls at the times that it chooses.
type caller struct {
	testing.TB
	cloud   *Server
	account Account
	host    string
	region  string
}

// newCaller has an account of a cloud of its own, which has one import.
func newCaller(t testing.TB, i Import) *caller {
	t.Helper()
	c := &caller{TB: t, cloud: New(), account: Account{SecretID: "AKIDone", SecretKey: "key+one/<&>==", Token: "token+one/<&>=="}, host: common, region: region}
	c.cloud.SetAccount(c.account)
	i.Region, i.ID = region, task
	if i.Status == "" {
		i.Status = "RUNNING"
	}
	c.cloud.SetImport(i)
	return c
}

// as is another caller of the same cloud.
func (c *caller) as(secretID string, i Identity) *caller {
	other := *c
	other.account.SecretID = secretID
	c.cloud.SetAccount(other.account)
	c.cloud.SetIdentity(secretID, i)
	return &other
}

func (c *caller) request(action string, at time.Time) (*http.Request, []byte) {
	if action == list {
		return c.requestWith(action, `{"InstanceId":"`+mysql+`","Offset":0,"Limit":100}`, at)
	}
	return c.requestWith(action, `{"AsyncRequestId":"`+task+`"}`, at)
}

func (c *caller) requestWith(action, body string, at time.Time) (*http.Request, []byte) {
	r := httptest.NewRequest(http.MethodPost, "http://"+c.host+"/", strings.NewReader(body))
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-TC-Action": action, "X-TC-Version": "2017-03-20", "X-TC-Region": c.region,
		"X-TC-Timestamp": strconv.FormatInt(at.Unix(), 10), "X-TC-Token": c.account.Token,
	} {
		r.Header.Set(name, value)
	}
	date := at.UTC().Format(time.DateOnly)
	const signed = "content-type;host"
	r.Header.Set("Authorization", "TC3-HMAC-SHA256 Credential="+c.account.SecretID+"/"+date+"/cdb/tc3_request, SignedHeaders="+signed+
		", Signature="+signatureOf(r, []byte(body), c.account.SecretKey, date, "cdb", signed))
	return r, []byte(body)
}

// call returns the status and the code of one call.
func (c *caller) call(action string, at time.Time) (status, code string) {
	r, body := c.request(action, at)
	call, output, _ := c.cloud.handle(r, body, at)
	if value, found := output["Status"]; found && value == nil {
		return StatusNull, call.Code
	}
	status, _ = output["Status"].(string)
	return status, call.Code
}

// want calls, and compares the code.
func (c *caller) want(action string, at time.Time, want string) {
	c.Helper()
	if _, code := c.call(action, at); code != want {
		c.Errorf("%s of %s through %s answers %q, want %q", action, c.account.SecretID, c.host, code, want)
	}
}
