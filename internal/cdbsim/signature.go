// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxSkew is how far a client's clock may be off.
const maxSkew = 5 * time.Minute

var authorization = regexp.MustCompile(`^TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/([a-z]+)/tc3_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$`)

// secretID returns the account that signs a request, by its own word.
func secretID(r *http.Request) string {
	if m := authorization.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		return m[1]
	}
	return ""
}

// verify checks the signature of a request as the vendor documents it, and returns an error code or "".
func verify(r *http.Request, body []byte, account Account, now time.Time) string {
	m := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return "AuthFailure.InvalidAuthorization"
	}
	seconds, err := strconv.ParseInt(r.Header.Get("X-TC-Timestamp"), 10, 64)
	if err != nil {
		return "InvalidParameter"
	}
	at := time.Unix(seconds, 0).UTC()
	if now.Sub(at).Abs() > maxSkew {
		return "AuthFailure.SignatureExpire"
	}
	if r.Header.Get("X-TC-Token") != account.Token {
		return "AuthFailure.TokenFailure"
	}
	date, service, signed := m[2], m[3], m[4]
	if date != at.Format(time.DateOnly) || !strings.Contains(";"+signed+";", ";content-type;") || !strings.Contains(";"+signed+";", ";host;") {
		return "AuthFailure.SignatureFailure"
	}
	if !hmac.Equal([]byte(signatureOf(r, body, account.SecretKey, date, service, signed)), []byte(m[5])) {
		return "AuthFailure.SignatureFailure"
	}
	return ""
}

// signatureOf a request, over the headers of the list signed.
func signatureOf(r *http.Request, body []byte, secretKey, date, service, signed string) string {
	var headers strings.Builder
	for name := range strings.SplitSeq(signed, ";") {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		headers.WriteString(name + ":" + strings.ToLower(strings.TrimSpace(value)) + "\n")
	}
	canonical := strings.Join([]string{r.Method, "/", r.URL.RawQuery, headers.String(), signed, hash(body)}, "\n")
	scope := date + "/" + service + "/tc3_request"
	text := strings.Join([]string{"TC3-HMAC-SHA256", r.Header.Get("X-TC-Timestamp"), scope, hash([]byte(canonical))}, "\n")
	key := mac(mac(mac([]byte("TC3"+secretKey), date), service), "tc3_request")
	return hex.EncodeToString(mac(key, text))
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(text))
	return h.Sum(nil)
}
