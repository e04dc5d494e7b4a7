// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"testing"
	"time"
)

func TestAnImportBelongsToAMainAccount(t *testing.T) {
	t.Parallel()
	const none = "InvalidParameter.InvalidAsyncRequestId"
	for name, test := range map[string]struct{ owner, caller, want string }{
		"both of the default main account": {"", "", ""},
		"both of one main account":         {"100001", "100001", ""},
		"another main account":             {"100001", "100002", none},
		"the default main account":         {"100001", "", none},
		"not of the default main account":  {"", "100002", none},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, Import{Owner: test.owner}).as("AKIDtwo", Identity{Owner: test.caller})
			c.want(describe, start, test.want)
			c.want(stop, start, test.want)
		})
	}
}

func TestAPolicyDeniesActions(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{}).as("AKIDtwo", Identity{Denied: []string{describe}})
	c.want(describe, start, "UnauthorizedOperation")
	c.want(stop, start, "")
	const want = "you are not authorized to perform operation (cdb:DescribeAsyncRequestInfo) resource (*) has no permission"
	if got := c.cloud.messageOf("UnauthorizedOperation", Call{Action: describe}); got != want {
		t.Errorf("the message is %q", got)
	}
	c.cloud.SetIdentity("AKIDtwo", Identity{})
	c.want(describe, start, "")
}

func TestARotatedKeyKeepsItsIdentity(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{Owner: "100001"}).as("AKIDtwo", Identity{Owner: "100001"})
	old := *c
	c.account.SecretKey = "rotated"
	c.cloud.SetAccount(c.account)
	c.want(stop, start, "")
	old.want(stop, start, "AuthFailure.SignatureFailure")
}

func TestQuota(t *testing.T) {
	t.Parallel()
	exhaust := func(c *caller, action string, n int) {
		t.Helper()
		for range n {
			c.want(action, start, "")
		}
	}
	one := newCaller(t, Import{})
	one.cloud.SetIdentity(one.account.SecretID, Identity{SubAccount: "alice"})
	exhaust(one, describe, 40)
	same, other := one.as("AKIDtwo", Identity{SubAccount: "alice"}), one.as("AKIDthree", Identity{})
	same.want(describe, start, "RequestLimitExceeded")
	same.want(describe, start.Add(time.Second-1), "RequestLimitExceeded")
	same.want(describe, start.Add(time.Second), "")
	exhaust(other, describe, 40)
	other.host = "cdb." + region + ".tencentcloudapi.com"
	exhaust(other, describe, 40)
	other.want(describe, start, "RequestLimitExceeded")
	other.want(stop, start, "")
}

func TestOwnerLimit(t *testing.T) {
	t.Parallel()
	const exceeded = "RequestLimitExceeded.UinLimitExceeded"
	one := newCaller(t, Import{})
	one.cloud.SetOwnerLimit(2)
	two, stranger := one.as("AKIDtwo", Identity{}), one.as("AKIDthree", Identity{Owner: "100001"})
	two.host = "cdb." + region + ".tencentcloudapi.com"
	one.want(describe, start, "")
	two.want(describe, start.Add(time.Second/2), "")
	one.want(describe, start.Add(time.Second-1), exceeded)
	two.want(stop, start.Add(time.Second-1), "")
	stranger.want(describe, start.Add(time.Second-1), "InvalidParameter.InvalidAsyncRequestId")
	one.want(describe, start.Add(time.Second), "")
	one.want(describe, start.Add(time.Second), exceeded)
	one.cloud.SetOwnerLimit(0)
	one.want(describe, start.Add(time.Second), "")
}
