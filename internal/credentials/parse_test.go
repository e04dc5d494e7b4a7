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
