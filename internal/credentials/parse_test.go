// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

func FuzzParseCredentials(f *testing.F) {
	f.Add([]byte("AKID"), []byte(" key\n"), []byte(""))
	f.Add([]byte{0xff}, []byte("a b"), []byte("t"))
	f.Fuzz(func(t *testing.T, id, key, token []byte) {
		c, err := Parse("creds", map[string][]byte{"secretId": id, "secretKey": key, "token": token})
		if err == nil {
			checkValid(t, c)
			return
		}
		if _, ok := errors.AsType[*Unusable](err); !ok || c != (importjob.Credentials{}) {
			t.Errorf("%v is no *Unusable, or comes with credentials", err)
		}
		for _, value := range [][]byte{id, key, token} {
			if len(value) > 12 && strings.Contains(err.Error(), string(value)) {
				t.Error("the error contains a value of the Secret")
			}
		}
	})
}

func checkValid(t *testing.T, c importjob.Credentials) {
	t.Helper()
	if c.SecretID == "" || c.SecretKey == "" || !isValid(c.SecretID) || !isValid(c.SecretKey) || !isValid(c.Token) {
		t.Error("invalid credentials were accepted")
	}
}

func TestParseAcceptsTheKeysOfTheVendorsTools(t *testing.T) {
	t.Parallel()
	want := importjob.Credentials{SecretID: "id", SecretKey: "key", Token: "token"}
	for _, keys := range [][3]string{
		{"secretId", "secretKey", "token"},
		{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_SECURITY_TOKEN"},
		{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"},
	} {
		got, err := Parse("creds", map[string][]byte{keys[0]: []byte(" id\n"), keys[1]: []byte("key"), keys[2]: []byte("token ")})
		if err != nil || got.SecretID != want.SecretID || got.SecretKey != want.SecretKey || got.Token != want.Token {
			t.Errorf("%v: %v", keys, err)
		}
	}
}

func TestParseUsesTheFirstKeyWithAValue(t *testing.T) {
	t.Parallel()
	got, err := Parse("creds", map[string][]byte{
		"secretId": []byte("id"), "TENCENTCLOUD_SECRET_ID": []byte("other"),
		"secretKey": []byte(" \n"), "TENCENTCLOUD_SECRET_KEY": []byte("key"),
	})
	if err != nil || got.SecretID != "id" || got.SecretKey != "key" || got.Token != "" {
		t.Errorf("got %s, %s, %v", got.SecretID, got.SecretKey, err)
	}
}

func TestParseNeedsTheIDAndTheKey(t *testing.T) {
	t.Parallel()
	data := map[string][]byte{"secretId": []byte("id"), "secretKey": []byte("key"), "token": []byte("token")}
	for key, want := range map[string]string{
		"secretId":  `Secret "creds" has no value for the key secretId (or TENCENTCLOUD_SECRET_ID); add it`,
		"secretKey": `Secret "creds" has no value for the key secretKey (or TENCENTCLOUD_SECRET_KEY); add it`,
	} {
		incomplete := maps.Clone(data)
		delete(incomplete, key)
		if _, err := Parse("creds", incomplete); err == nil || err.Error() != want {
			t.Errorf("without %s: %v", key, err)
		}
	}
}

func TestParseAcceptsPrintableASCIIOfAtMost8KiB(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		"!": true, "~": true, "AKIDz8krbsJ5yKBZQpn74WFkmLPx3": true, strings.Repeat("x", 8192): true,
		strings.Repeat("x", 8193): false, "two words": false, "two\nlines": false, "a\tb": false, "a\x00": false, "a\x7f": false, "é": false, "a\xff": false,
	} {
		for _, key := range []string{"secretId", "secretKey", "token"} {
			data := map[string][]byte{"secretId": []byte("id"), "secretKey": []byte("key")}
			data[key] = []byte(value)
			_, err := Parse("creds", data)
			if want != (err == nil) || err != nil && !strings.HasPrefix(err.Error(), `Secret "creds": the value of `+key+" must be ") {
				t.Errorf("%s of %.20q: %v", key, value, err)
			}
		}
	}
}
