// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"encoding/binary"
	"iter"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// shortest is the minimum length, in bytes, of a secret or a part of a secret that the gate redacts.
	// The vendor's credentials are 32 bytes or longer. Redacting shorter texts would garble messages: "A" is part of most words.
	shortest = 8
	// margin is how many bytes the gate reads beyond the limit, because the text becomes shorter: runs of blanks and secrets shrink.
	margin = 4096
	// unsafeTail is how many bytes the gate drops at the end of what it read, if the text goes on. A secret that begins there can be too
	// short to be found: up to 7 bytes of a credential, each of them escaped twice, or 63 digits of a signature.
	unsafeTail = 512
)

const redacted = "[redacted]"

// gate redacts every text that the package returns but did not write: fields of answers, and errors of the network, of TLS and of
// the SDK. The zero value redacts what is secret whatever the credentials: signatures, and passwords in URLs.
type gate struct {
	forms []string        // of all secrets, in lower case
	parts map[uint64]bool // every eight bytes in a row of the forms; nil: they are searched for in each text
}

// newGate returns a gate that also redacts these secrets, in all their forms. It ignores secrets of less than 8 bytes.
func newGate(secrets ...string) gate {
	var g gate
	for _, secret := range secrets {
		if len(secret) >= shortest {
			g.forms = append(g.forms, formsOf(secret)...)
		}
	}
	for i, form := range g.forms {
		g.forms[i] = lower(oneLine(form)) // secretBytes searches a text of one line
	}
	slices.Sort(g.forms)
	g.forms = slices.Compact(g.forms)
	return g
}

// redact returns the text without secrets, as one line of printable UTF-8 of at most limit bytes.
// It reads limit+margin bytes of the text at most, so that a long text costs no more than a short one.
func (g gate) redact(text string, limit int) string {
	text = strings.TrimSpace(text)
	tooLong := len(text) > limit+margin
	if tooLong {
		text = text[:limit+margin]
	}
	text = oneLine(text)
	end := len(text)
	if tooLong {
		end -= unsafeTail
	}
	return truncate(replace(text, g.secretBytes(text), end), limit)
}

// forManyTexts returns the same gate, which takes longer to make and then less for each text.
func (g gate) forManyTexts() gate {
	g.parts = map[uint64]bool{}
	for _, form := range g.forms {
		for _, part := range partsOf(form) {
			g.parts[part] = true
		}
	}
	return g
}

// redactName returns the name verbatim if it is printable, at most limit bytes long and has no secret. Else it returns a blank and what
// redact leaves of the name, or nothing.
func (g gate) redactName(name string, limit int) string {
	if len(name) <= limit && !strings.ContainsFunc(name, isUnprintable) && !slices.Contains(g.secretBytes(oneLine(name)), true) {
		return name
	}
	if shown := g.redact(name, limit-1); shown != "" {
		return " " + shown
	}
	return ""
}

// redactCode returns the code without secrets. It keeps listed codes, which are public, even if a user's SecretId is "AuthFailure".
func (g gate) redactCode(code string) string {
	if _, listed := classes[code]; listed {
		return code
	}
	return g.redact(code, maxID)
}

// replace returns the text with a placeholder for each run of secret bytes. Of the bytes that are not secret, it keeps those before end.
func replace(text string, secret []bool, end int) string {
	var visible strings.Builder
	for i := range len(text) {
		if secret[i] {
			if i == 0 || !secret[i-1] {
				visible.WriteString(redacted)
			}
		} else if i < end {
			visible.WriteByte(text[i])
		}
	}
	return strings.ToValidUTF8(visible.String(), "")
}

// quoted finds what is secret whatever the credentials: signatures, which are hexadecimal SHA-256 sums, and the user and password of a URL.
var quoted = regexp.MustCompile(`([0-9a-f]{64,})|//([^/\s]+)@`)

// secretBytes returns, for each byte of the text, whether it belongs to a secret. Eight bytes in a row of any form are enough,
// because a server can quote a part of a secret, break it into lines, or mix forms.
func (g gate) secretBytes(text string) []bool {
	secret := make([]bool, len(text))
	for r := range readings(lower(text)) {
		for _, at := range quoted.FindAllStringSubmatchIndex(r.text, -1) {
			mark(secret[r.at[max(at[2], at[4])]:r.at[max(at[3], at[5])]])
		}
		parts := g.parts
		if parts == nil {
			parts = g.partsIn(r.text)
		}
		for i, part := range partsOf(r.text) {
			if parts[part] {
				mark(secret[r.at[i]:r.at[i+shortest]])
			}
		}
	}
	return secret
}

// lower returns s with the letters of ASCII in lower case, so that a secret is found whatever case somebody gave it. The length stays.
func lower(s string) string {
	letters := []byte(s)
	for i, c := range letters {
		letters[i] = lowerByte(c)
	}
	return string(letters)
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// partsIn returns every eight bytes in a row of the text, and whether a form has them too.
func (g gate) partsIn(text string) map[uint64]bool {
	parts := make(map[uint64]bool, len(text))
	for _, part := range partsOf(text) {
		parts[part] = false
	}
	for _, form := range g.forms {
		for _, part := range partsOf(form) {
			if _, found := parts[part]; found {
				parts[part] = true
			}
		}
	}
	return parts
}

// partsOf yields every eight bytes in a row of s, as a number, with the position of the first.
func partsOf(s string) iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		for i := range len(s) - shortest + 1 {
			if !yield(i, binary.BigEndian.Uint64([]byte(s[i:i+shortest]))) {
				return
			}
		}
	}
}

func mark(bytes []bool) {
	for i := range bytes {
		bytes[i] = true
	}
}

// oneLine replaces every run of blanks and characters that cannot be printed, such as line breaks and invalid UTF-8, by one space.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if isUnprintable(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func isUnprintable(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

// truncate returns at most limit bytes of s: whole characters, and an ellipsis where some are left out.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const ellipsis = "…"
	return strings.ToValidUTF8(s[:limit-len(ellipsis)], "") + ellipsis
}
