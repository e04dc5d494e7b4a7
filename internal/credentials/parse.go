// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// Unusable is the error for a Secret that is missing, that the operator may not read, or that does not hold valid credentials.
// Only a change of the Secret or of the permissions ends it.
type Unusable struct {
	// Text says what is wrong and how to fix it. It never contains a value of the Secret.
	Text string
}

// Error returns the text.
func (e *Unusable) Error() string { return e.Text }

// maxValue is the maximum length in bytes of each part of the credentials.
const maxValue = 8 << 10

// Parse returns the credentials in the data of the Secret with this name. Each part can have the operator's key or a key that the
// vendor's tools use; the first key with a value counts. White space around a value is ignored.
// Only the token is optional. Every error is an *Unusable and comes with zero credentials.
func Parse(name string, data map[string][]byte) (importjob.Credentials, error) {
	var c importjob.Credentials
	for _, part := range []struct {
		value    *string
		keys     []string
		optional bool
	}{
		{&c.SecretID, []string{"secretId", "TENCENTCLOUD_SECRET_ID"}, false},
		{&c.SecretKey, []string{"secretKey", "TENCENTCLOUD_SECRET_KEY"}, false},
		{&c.Token, []string{"token", "TENCENTCLOUD_SECURITY_TOKEN", "TENCENTCLOUD_TOKEN"}, true}, // Terraform's key and the CLI's
	} {
		*part.value = firstValue(data, part.keys)
		if *part.value == "" && !part.optional {
			return importjob.Credentials{}, &Unusable{fmt.Sprintf("Secret %q has no value for the key %s (or %s); add it", name, part.keys[0], part.keys[1])}
		}
		if !isValid(*part.value) {
			return importjob.Credentials{}, &Unusable{fmt.Sprintf("Secret %q: the value of %s must be one line of printable ASCII without blanks, at most 8 KiB; copy it again", name, part.keys[0])}
		}
	}
	return c, nil
}

// firstValue returns the value of the first key that has one, without the white space around it.
func firstValue(data map[string][]byte, keys []string) string {
	for _, key := range keys {
		if value := strings.TrimSpace(string(data[key])); value != "" {
			return value
		}
	}
	return ""
}

// isValid accepts what fits into the header of a request: printable ASCII without blanks, or nothing.
func isValid(value string) bool {
	return len(value) <= maxValue && !strings.ContainsFunc(value, func(r rune) bool { return r < '!' || r > '~' })
}

// Fingerprint identifies what a read of a Secret found: credentials, or the reason why there are none. Keys that the operator
// does not use make no difference. It is salted for this process: do not store it or send it anywhere.
// The zero value means that nothing is known.
type Fingerprint [sha256.Size]byte

var salt = rand.Text()

// FingerprintOf returns the fingerprint of credentials.
func FingerprintOf(c importjob.Credentials) Fingerprint {
	return sha256.Sum256([]byte(salt + "\n" + c.SecretID + "\n" + c.SecretKey + "\n" + c.Token))
}

// fingerprintOfError returns the fingerprint of a Secret without credentials. It depends on the reason.
func fingerprintOfError(e *Unusable) Fingerprint {
	return sha256.Sum256([]byte(salt + "\nunusable\n" + e.Text))
}
