// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

func FuzzClean(f *testing.F) {
	f.Add("ok\n\xff\x00…", 7)
	f.Add(strings.Repeat("…", 6000), 128)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 8 + max(limit, 0)%1024
		if got := (gate{}).redact(s, limit); len(got) > limit || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x00") {
			t.Errorf("tell(%q, %d) is %q", s, limit, got)
		}
	})
}

// Every form of every secret is hidden: alone, in a text, at the end of what is read and where the text is cut.
func TestGateHidesEachForm(t *testing.T) {
	t.Parallel()
	hidden := newGate(secretsOf(quotable)...)
	for name, secret := range quotedForms(quotable) {
		for _, blank := range []string{" ", "\x00", "x"} {
			for _, before := range []int{0, 1, maxMessage - 20, maxMessage + margin - len(secret) - 1, maxMessage + margin - 20, maxMessage + margin - 9} {
				text := "a" + strings.Repeat(blank, max(before, 0)) + secret
				for _, text := range []string{text, text + " " + strings.Repeat("z", 5000)} {
					if leak := leakOf(hidden.redact(text, maxMessage)); leak != "" {
						t.Errorf("%s after %d of %q: it tells %q", name, before, blank, leak)
					}
				}
			}
		}
		if got := hidden.redact("before "+secret+" after", maxMessage); got != "before [redacted] after" {
			t.Errorf("%s: it tells %q", name, got)
		}
	}
}

// A part of a credential is hidden too: the one that quotes it may have cut it or broken its lines.
func TestGateHidesParts(t *testing.T) {
	t.Parallel()
	hidden := newGate(secretsOf(quotable)...)
	for _, secret := range secretsOf(quotable) {
		for _, text := range []string{secret[:8], secret[len(secret)-8:], secret[:12] + "\n" + secret[12:], secret[:20] + "****"} {
			if leak := leakOf(hidden.redact(text, maxMessage)); leak != "" {
				t.Errorf("of %q it tells %q", text, leak)
			}
		}
	}
}

func TestGateHidesWhatIsSecretInAnyCase(t *testing.T) {
	t.Parallel()
	signature := strings.Repeat("0123456789abcdef", 4)
	for text, want := range map[string]string{
		"Signature=" + signature:                          "Signature=[redacted]",
		"Signature=" + strings.ToUpper(signature) + ".":   "Signature=[redacted].",
		`parse "http://user:hunter2@proxy:3128": refused`: `parse "http://[redacted]@proxy:3128": refused`,
		"https://cdb.tencentcloudapi.com/ a@b":            "https://cdb.tencentcloudapi.com/ a@b",
	} {
		if got := (gate{}).redact(text, maxMessage); got != want {
			t.Errorf("of %q it tells %q", text, got)
		}
	}
	for cutAt := range 80 {
		text := "a" + strings.Repeat(" ", maxMessage+margin-1-cutAt) + signature + " and more"
		if got := (gate{}).redact(text, maxMessage); strings.Contains(got, "01234567") {
			t.Errorf("%d digits before the cut: it tells %q", cutAt, got)
		}
	}
}

// A secret without a letter shares no part with its other forms. A secret with blanks is found where lines are joined.
func TestGateHidesOddSecrets(t *testing.T) {
	t.Parallel()
	for _, odd := range []string{`<"\&'/<"\&'/`, "ab  cd  ef  gh"} {
		if got := newGate(odd).redact("it is "+odd, maxMessage); got != "it is [redacted]" {
			t.Errorf("it tells %q", got)
		}
	}
}

// Credentials of a letter hide nothing and cost nothing.
func TestGateIgnoresShortCredentials(t *testing.T) {
	t.Parallel()
	short := newGate("A", "a", "e", "", "InvalidSecret"[:7])
	const text = "The SecretId is not found, AuthFailure, see InvalidSecret"
	if got := short.redact(text, maxMessage); got != text {
		t.Errorf("it tells %q", got)
	}
	for _, code := range []string{"AuthFailure.SecretIdNotFound", "AuthFailure.New"} {
		if got := short.redactCode(code); got != code {
			t.Errorf("%s is told as %q", code, got)
		}
	}
	if got := newGate("AuthFailure.SecretIdNotFound").redactCode("AuthFailure.SecretIdNotFound"); got != "AuthFailure.SecretIdNotFound" {
		t.Errorf("a listed code is told as %q", got)
	}
}

// The work is bounded however long the text is, and however long the credentials.
func TestGateIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0+/&<\"", 8<<10/6)
	for name, hidden := range map[string]gate{"short": newGate("A", "B", "C"), "usual": newGate(secretsOf(quotable)...), "long": newGate(long, long+"1", long+"2")} {
		for _, text := range []string{strings.Repeat("A", maxBody), strings.Repeat("\x00", maxBody), strings.Repeat(" ", maxBody), strings.Repeat("//", maxBody/2), strings.Repeat(long, 100)} {
			start := time.Now()
			got := hidden.redact(text, maxMessage)
			if took := time.Since(start); took > time.Second || len(got) > maxMessage {
				t.Errorf("%s: %d bytes after %s of %.9q", name, len(got), took, text)
			}
		}
	}
}

// What is long and harmless is told up to the limit.
func TestGateTellsUpToTheLimit(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("x", maxBody), strings.Repeat(" ", maxBody) + strings.Repeat("x", maxBody), strings.Repeat("x", maxMessage+1), strings.Repeat("x", maxMessage)} {
		if got := newGate(secretsOf(quotable)...).redact(text, maxMessage); len(got) != maxMessage {
			t.Errorf("%d bytes are told", len(got))
		}
	}
}

func secretsOf(c importjob.Credentials) []string { return []string{c.SecretID, c.SecretKey, c.Token} }
