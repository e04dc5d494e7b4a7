// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"errors"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

func FuzzParseCredentials(f *testing.F) {
	f.Add([]byte("AKID"), []byte(" key\n"), []byte(""))
	f.Add([]byte{0xff}, []byte("a b"), []byte("t"))
	f.Fuzz(func(t *testing.T, id, key, token []byte) {
		c, err := Parse("creds", map[string][]byte{"secretId": id, "secretKey": key, "token": token})
		if err == nil && (c.SecretID == "" || c.SecretKey == "" || !isValue(c.SecretID+c.SecretKey+c.Token)) {
			t.Error("unusable credentials were taken")
		}
		if _, ok := errors.AsType[*Unusable](err); err != nil && (c != importjob.Credentials{} || !ok) {
			t.Errorf("%v comes with credentials or as the wrong kind", err)
		}
		for _, value := range [][]byte{id, key, token} {
			if err != nil && len(value) > 12 && strings.Contains(err.Error(), string(value)) {
				t.Error("the error quotes a value")
			}
		}
	})
}

// The names of the vendor's tools do as well: Terraform's and the CLI's names of the token differ.
func TestParseTakesTheNamesOfTheVendorsTools(t *testing.T) {
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
