// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"encoding/binary"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// shortest is the length in bytes of the shortest credential, or part of one, that the gate hides.
	// The vendor's are 32 bytes and longer. A shorter text is a part of ordinary words: hiding "A" would garble every message.
	shortest = 8
	// margin is how much more than the limit the gate reads, since blanks and credentials take less room afterwards.
	margin = 4096
	// unsafeTail is what the gate drops at the end of a text that it has cut.
	// A credential that begins there cannot be told from other text any more: shortest-1 bytes of one, 63 digits of a signature.
	unsafeTail = 64
)

const redacted = "[redacted]"

// gate is the only way out for what others say: answers, transport errors, certificates.
// It is one place, so that no field of an answer can be forgotten.
type gate struct {
	forms []string // of each secret
}

// newGate returns a gate that hides the secrets. It ignores those that are too short to be one.
func newGate(secrets ...string) gate {
	var g gate
	for _, secret := range secrets {
		if len(secret) >= shortest {
			g.forms = append(g.forms, formsOf(secret)...)
		}
	}
	for i, form := range g.forms {
		g.forms[i] = oneLine(form) // as it is found in a text that was made one line
	}
	slices.Sort(g.forms)
	g.forms = slices.Compact(g.forms)
	return g
}

// redact returns the text as one line of printable UTF-8 of at most limit bytes that shows nothing of the secrets.
// It cuts first: its work depends on the limit, not on the length of the text.
func (g gate) redact(text string, limit int) string {
	text = strings.TrimSpace(text)
	tooLong := len(text) > limit+margin
	if tooLong {
		text = text[:limit+margin]
	}
	text = oneLine(text)
	end := len(text)
	if tooLong {
		end = max(end-unsafeTail, 0)
	}
	return truncate(hide(text, g.secretBytes(text), end), limit)
}

// redactCode returns a code. A listed one is public and stays as it is, even to a user whose SecretId is "AuthFailure".
func (g gate) redactCode(code string) string {
	if _, listed := classes[code]; listed {
		return code
	}
	return g.redact(code, maxID)
}

// hide replaces each run of secret bytes, and leaves out what is not secret from end on.
func hide(text string, secret []bool, end int) string {
	var visible strings.Builder
	for i := range len(text) {
		switch {
		case secret[i] && (i == 0 || !secret[i-1]):
			visible.WriteString(redacted)
		case !secret[i] && i < end:
			visible.WriteByte(text[i])
		}
	}
	return strings.ToValidUTF8(visible.String(), "")
}

// quoted is what is secret whatever the credentials: a signature, which is a SHA-256 in hexadecimal, and a URL's user and password.
var quoted = regexp.MustCompile(`([0-9A-Fa-f]{64,})|//([^/\s]+)@`)

// secretBytes marks the bytes of the text that belong to a secret.
// A part of a form, as long as the shortest credential, is enough: what quotes a secret may have cut, wrapped or mixed the forms.
func (g gate) secretBytes(text string) []bool {
	secret := make([]bool, len(text))
	for _, at := range quoted.FindAllStringSubmatchIndex(text, -1) {
		mark(secret, max(at[2], at[4]), max(at[3], at[5]))
	}
	parts := make(map[uint64]bool, len(text)) // each part of the text: is it a part of a form?
	for i := range len(text) - shortest + 1 {
		parts[part(text, i)] = false
	}
	for _, form := range g.forms {
		for i := range len(form) - shortest + 1 {
			if _, found := parts[part(form, i)]; found {
				parts[part(form, i)] = true
			}
		}
	}
	for i := range len(text) - shortest + 1 {
		if parts[part(text, i)] {
			mark(secret, i, i+shortest)
		}
	}
	return secret
}

// part is the shortest bytes of s from i on, as a key.
func part(s string, i int) uint64 { return binary.BigEndian.Uint64([]byte(s[i : i+shortest])) }

func mark(bytes []bool, from, to int) {
	for i := from; i < to; i++ {
		bytes[i] = true
	}
}

// oneLine replaces what is not printable and joins lines.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return strings.Join(strings.Fields(s), " ")
}

// truncate cuts at a whole character.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const ellipsis = "…"
	return strings.ToValidUTF8(s[:max(limit-len(ellipsis), 0)], "") + ellipsis
}
