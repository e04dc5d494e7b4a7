// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// Unusable says why a Secret cannot serve as credentials, and what would be right. Its text has nothing of the values.
type Unusable struct{ Text string }

func (e *Unusable) Error() string { return e.Text }

// maxValue is the longest value, in bytes, that is taken for a part of credentials.
const maxValue = 8 << 10

// Parse reads the keys of a Secret, by our names or by those of the vendor's tools. Every error is an *Unusable.
func Parse(name string, data map[string][]byte) (c importjob.Credentials, err error) {
	for _, field := range []struct {
		value    *string
		keys     []string
		optional bool
	}{
		{&c.SecretID, []string{"secretId", "TENCENTCLOUD_SECRET_ID"}, false},
		{&c.SecretKey, []string{"secretKey", "TENCENTCLOUD_SECRET_KEY"}, false},
		{&c.Token, []string{"token", "TENCENTCLOUD_SECURITY_TOKEN", "TENCENTCLOUD_TOKEN"}, true},
	} {
		for _, key := range field.keys {
			if *field.value == "" {
				*field.value = strings.TrimSpace(string(data[key]))
			}
		}
		switch {
		case *field.value == "" && !field.optional:
			return importjob.Credentials{}, &Unusable{fmt.Sprintf("Secret %q has no value for the key %s (or %s); add it", name, field.keys[0], field.keys[1])}
		case !isValue(*field.value):
			return importjob.Credentials{}, &Unusable{fmt.Sprintf("Secret %q: the value of %s must be one line of printable ASCII without blanks, at most 8 KiB; copy it again", name, field.keys[0])}
		}
	}
	return c, nil
}

func isValue(s string) bool {
	return len(s) <= maxValue && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// Fingerprint tells the usable part of a Secret's content apart within this process. It is salted and must not leave the process.
// The zero value stands for content that is not known.
type Fingerprint [sha256.Size]byte

var salt = rand.Text()

// FingerprintOf returns the fingerprint of credentials.
func FingerprintOf(c importjob.Credentials) Fingerprint {
	return sha256.Sum256([]byte(salt + "\n" + c.SecretID + "\n" + c.SecretKey + "\n" + c.Token))
}

// fingerprintOfError is that of a Secret that is missing or unusable: other reasons are other content.
func fingerprintOfError(e *Unusable) Fingerprint {
	return sha256.Sum256([]byte(salt + "\nunusable\n" + e.Text))
}
