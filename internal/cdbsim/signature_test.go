// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The example that the vendor publishes for TC3-HMAC-SHA256.
func TestVerifyTheVendorsExample(t *testing.T) {
	t.Parallel()
	account := Account{SecretID: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", SecretKey: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"}
	const body = `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`
	r := httptest.NewRequest("POST", "https://cvm.tencentcloudapi.com/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("X-TC-Timestamp", "1551113065")
	r.Header.Set("Authorization", "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "+
		"SignedHeaders=content-type;host, Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168")
	now := time.Unix(1551113065, 0)
	if code := verify(r, []byte(body), account, now); code != "" {
		t.Errorf("the example is refused with %s", code)
	}
	if code := verify(r, []byte(body+" "), account, now); code != "AuthFailure.SignatureFailure" {
		t.Errorf("another body: %q", code)
	}
	if code := verify(r, []byte(body), account, now.Add(6*time.Minute)); code != "AuthFailure.SignatureExpire" {
		t.Errorf("six minutes later: %q", code)
	}
	account.Token = "t"
	if code := verify(r, []byte(body), account, now); code != "AuthFailure.TokenFailure" {
		t.Errorf("without the token: %q", code)
	}
}
