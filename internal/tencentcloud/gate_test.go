// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"encoding/base64"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"unicode/utf8"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

func FuzzClean(f *testing.F) {
	f.Add("ok\n\xff\x00…", 7)
	f.Add(strings.Repeat("…", 6000), 128)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 8 + max(limit, 0)%1024
		if got := (gate{}).redact(s, limit); len(got) > limit || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x00") {
			t.Errorf("redact(%q, %d) is %q", s, limit, got)
		}
	})
}

// The gate redacts every form of every secret: alone, within a text, at the end of what it reads and where it truncates.
func TestGateRedactsEachForm(t *testing.T) {
	t.Parallel()
	hidden := newGate(secretsOf(quotable)...)
	for name, secret := range quotedForms(quotable) {
		for _, blank := range []string{" ", "\x00", "x"} {
			for _, before := range []int{0, 1, maxMessage - 20, maxMessage + margin - len(secret) - 1, maxMessage + margin - 20, maxMessage + margin - 9} {
				text := "a" + strings.Repeat(blank, max(before, 0)) + secret
				for _, text := range []string{text, text + " " + strings.Repeat("z", 5000)} {
					if leak := leakOf(hidden.redact(text, maxMessage)); leak != "" {
						t.Errorf("%s after %d of %q: it shows %q", name, before, blank, leak)
					}
				}
			}
		}
		if got := hidden.redact("before "+secret+" after", maxMessage); got != "before [redacted] after" {
			t.Errorf("%s: it is %q", name, got)
		}
	}
}

// An encoder may escape each character, or what another encoder has escaped, and may change the case.
func TestGateRedactsWhateverIsEscaped(t *testing.T) {
	t.Parallel()
	hidden := newGate(secretsOf(quotable)...)
	each := func(format string) func(string) string {
		return func(s string) string {
			var text strings.Builder
			for _, c := range []byte(s) {
				_, _ = fmt.Fprintf(&text, format, c)
			}
			return text.String()
		}
	}
	once := map[string]func(string) string{
		"URL": each("%%%02X"), "url": each("%%%02x"), "HTML": each("&#%d;"), "HTML, hexadecimal": each("&#x%x;"), "HTML, padded": each("&#x%04X;"),
		"JSON": each(`\u%04x`), "Go": each(`\x%02x`), "query": url.QueryEscape, "html": html.EscapeString, "quoted": func(s string) string { return strings.Trim(strconv.Quote(s), `"`) },
		"JSON of .NET": strings.NewReplacer("+", `\u002B`, "'", `\u0027`, `"`, `\u0022`, "&", `\u0026`, "<", `\u003C`, ">", `\u003E`, `\`, `\\`).Replace,
		"template":     template.HTMLEscapeString, "upper case": strings.ToUpper, "lower case": strings.ToLower, "base64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	}
	for _, secret := range secretsOf(quotable) {
		for first, one := range once {
			for second, other := range once {
				escaped := other(one(secret))
				if strings.HasPrefix(second, "base64") && !slices.Contains([]string{"base64", "upper case", "lower case"}, first) {
					escaped = one(other(secret)) // what is escaped and then encoded is another text altogether
				}
				if second == "base64" && first != second && strings.HasSuffix(first, "case") || first == second && first == "base64" {
					continue
				}
				if got := hidden.redact("before "+escaped+" after", len(escaped)+20); got != "before [redacted] after" {
					t.Errorf("%s, then %s: it is %q", first, second, got)
				}
			}
		}
	}
}

// A gate for many texts redacts the same.
func TestGateForManyTexts(t *testing.T) {
	t.Parallel()
	one := newGate(secretsOf(quotable)...)
	many := one.forManyTexts()
	for _, secret := range quotedForms(quotable) {
		for _, text := range []string{secret, "of " + secret[:len(secret)/2] + "\n" + secret[len(secret)/2:], "x" + secret + strings.Repeat("z", 5000), "none"} {
			if got, want := many.redact(text, maxName), one.redact(text, maxName); got != want {
				t.Errorf("of %q: it is %q, want %q", text, got, want)
			}
		}
	}
}

// The gate redacts parts of a credential too, because a server can quote a part or break it into lines.
func TestGateRedactsParts(t *testing.T) {
	t.Parallel()
	hidden := newGate(secretsOf(quotable)...)
	for _, secret := range secretsOf(quotable) {
		for _, text := range []string{secret[:8], secret[len(secret)-8:], secret[:12] + "\n" + secret[12:], secret[:20] + "****"} {
			if leak := leakOf(hidden.redact(text, maxMessage)); leak != "" {
				t.Errorf("of %q: it is %q", text, leak)
			}
		}
	}
}

// Signatures, and passwords in URLs, are secret whatever the credentials.
func TestGateRedactsSignaturesAndURLs(t *testing.T) {
	t.Parallel()
	signature := strings.Repeat("0123456789abcdef", 4)
	for text, want := range map[string]string{
		"Signature=" + signature:                                "Signature=[redacted]",
		"Signature=" + strings.ToUpper(signature) + ".":         "Signature=[redacted].",
		`parse "http://user:hunter2@proxy:3128": refused`:       `parse "http://[redacted]@proxy:3128": refused`,
		"http://a:b@proxy, " + signature + ", http://c:d@proxy": "http://[redacted]@proxy, [redacted], http://[redacted]@proxy",
		"https://cdb.tencentcloudapi.com/ a@b":                  "https://cdb.tencentcloudapi.com/ a@b",
	} {
		if got := (gate{}).redact(text, maxMessage); got != want {
			t.Errorf("of %q: it is %q", text, got)
		}
	}
	for cutAt := range 80 {
		text := "a" + strings.Repeat(" ", maxMessage+margin-1-cutAt) + signature + " and more"
		if got := (gate{}).redact(text, maxMessage); strings.Contains(got, "01234567") {
			t.Errorf("%d digits before the cut: it is %q", cutAt, got)
		}
	}
}

// A secret without letters has no part in common with its other forms. A secret with blanks is found after lines are joined.
func TestGateRedactsOddSecrets(t *testing.T) {
	t.Parallel()
	for _, odd := range []string{`<"\&'/<"\&'/`, "ab  cd  ef  gh"} {
		if got := newGate(odd).redact("it is "+odd, maxMessage); got != "it is [redacted]" {
			t.Errorf("it is %q", got)
		}
	}
}

// Credentials of a few letters do not garble messages.
func TestGateIgnoresShortCredentials(t *testing.T) {
	t.Parallel()
	short := newGate("A", "a", "e", "", "InvalidSecret"[:7])
	const text = "The SecretId is not found, AuthFailure, see InvalidSecret"
	if got := short.redact(text, maxMessage); got != text {
		t.Errorf("it is %q", got)
	}
	for _, code := range []string{"AuthFailure.SecretIdNotFound", "AuthFailure.New"} {
		if got := short.redactCode(code); got != code {
			t.Errorf("%s becomes %q", code, got)
		}
	}
	if got := newGate("AuthFailure.SecretIdNotFound").redactCode("AuthFailure.SecretIdNotFound"); got != "AuthFailure.SecretIdNotFound" {
		t.Errorf("a listed code becomes %q", got)
	}
}

// The gate reads the same bytes of a long text as of one that is a byte too long, so that a long one costs no more.
func TestGateIsBounded(t *testing.T) {
	t.Parallel()
	const readable = maxMessage + margin
	long := strings.Repeat("0+/&<\"", 8<<10/6)
	for name, hidden := range map[string]gate{"short": newGate("A", "B", "C"), "usual": newGate(secretsOf(quotable)...), "long": newGate(long, long+"1", long+"2")} {
		for _, text := range []string{strings.Repeat("A", maxBody), "A" + strings.Repeat("\x00", maxBody), strings.Repeat("//", maxBody/2), strings.Repeat(long, 100)} {
			got, want := hidden.redact(text+" the end", maxMessage), hidden.redact(text[:readable]+"!", maxMessage)
			if got != want || len(got) > maxMessage {
				t.Errorf("%s: %d bytes are left of %.9q, want %d", name, len(got), text, len(want))
			}
		}
	}
}

// Of a long text without secrets, all that fits into the limit is kept.
func TestGateKeepsUpToTheLimit(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("x", maxBody), strings.Repeat(" ", maxBody) + strings.Repeat("x", maxBody), strings.Repeat("x", maxMessage+1), strings.Repeat("x", maxMessage)} {
		if got := newGate(secretsOf(quotable)...).redact(text, maxMessage); len(got) != maxMessage {
			t.Errorf("%d bytes are left", len(got))
		}
	}
}

// A text of limit bytes is not truncated. A text that the gate can read to its end loses no tail.
func TestGateLimits(t *testing.T) {
	t.Parallel()
	blanks := func(n int) string { return "a" + strings.Repeat(" ", n) }
	tail := strings.Repeat("x", unsafeTail+100)
	read := maxMessage + margin
	for name, test := range map[string]struct{ text, want string }{
		"as long as the limit":     {strings.Repeat("x", maxMessage), strings.Repeat("x", maxMessage)},
		"longer than the limit":    {strings.Repeat("x", maxMessage+1), strings.Repeat("x", maxMessage-len("…")) + "…"},
		"a whole character":        {strings.Repeat("é", maxMessage), strings.Repeat("é", (maxMessage-len("…"))/2) + "…"},
		"read to its end":          {blanks(read-1-len(tail)) + tail, truncate("a "+tail, maxMessage)},
		"longer than what is read": {blanks(read-1-len(tail)) + tail + "y", "a " + tail[:100]},
		"all of it is dropped":     {blanks(read-1) + tail, ""},
	} {
		if got := (gate{}).redact(test.text, maxMessage); got != test.want {
			t.Errorf("%s: it is %q", name, got)
		}
	}
}

// The gate redacts secrets of eight bytes and more.
func TestGateRedactsTheShortestSecret(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]string{"hunter22": "it is [redacted].", "hunter2": "it is hunter2."} {
		if got := newGate(secret).redact("it is "+secret+".", maxMessage); got != want {
			t.Errorf("it is %q, want %q", got, want)
		}
	}
}

// A form in Base64 begins with the first character that is the same whatever precedes the secret.
func TestBase64FormsBeginWithTheSecret(t *testing.T) {
	t.Parallel()
	secret := quotable.SecretKey
	forms := base64Forms(secret)
	if len(forms) != 6 {
		t.Fatalf("%d forms", len(forms))
	}
	for before := range 3 {
		for i, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			form := forms[3*i+before]
			zeros := alphabet.EncodeToString([]byte(strings.Repeat("\x00", before) + secret))
			ones := alphabet.EncodeToString([]byte(strings.Repeat("\xff", before) + secret))
			at := len(zeros) - len(form)
			if zeros[at:] != form || ones[at:] != form || at > 0 && zeros[at-1] == ones[at-1] {
				t.Errorf("%d bytes before: %q of %q", before, form, zeros)
			}
		}
	}
}

func secretsOf(c importjob.Credentials) []string { return []string{c.SecretID, c.SecretKey, c.Token} }
