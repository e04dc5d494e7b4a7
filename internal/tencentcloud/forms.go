// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"encoding/base64"
	"html"
	"iter"
	"strconv"
	"strings"
)

// formsOf returns the secret as it is and in Base64, in which it cannot be recognized part by part. See readings for the other forms.
func formsOf(secret string) []string { return append(base64Forms(secret), secret) }

// base64Forms returns the secret as it appears in the Base64 of a longer text: in both alphabets, and for each number of bytes
// modulo three that can precede it. The first characters, which depend on those bytes, are left out.
func base64Forms(secret string) []string {
	var forms []string
	for _, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for before := range 3 {
			encoded := alphabet.EncodeToString(append(make([]byte, before), secret...))
			forms = append(forms, encoded[(8*before+5)/6:]) // a character has six bits
		}
	}
	return forms
}

// reading is a text with its escapes resolved. Byte i of it was written from at[i] to at[i+1].
type reading struct {
	text string
	at   []int
}

// maxEscapes is how often a text can have been escaped, as a URL in JSON is twice.
const maxEscapes = 2

// readings yields what a text in lower case can mean: the text itself, and the text without the escapes of URLs, of HTML, or of JSON and Go,
// also where one escaped what another had escaped before. An encoder escapes what it likes: a secret has too many forms to list.
func readings(text string) iter.Seq[reading] {
	return func(yield func(reading) bool) {
		at := make([]int, len(text)+1)
		for i := range at {
			at[i] = i
		}
		read(reading{text, at}, maxEscapes, yield)
	}
}

func read(r reading, escapes int, yield func(reading) bool) bool {
	if !yield(r) {
		return false
	}
	if escapes == 0 {
		return true
	}
	for _, unescape := range []func(string) (byte, int){ofURL, ofHTML, ofString} {
		if next := r.unescaped(unescape); next.text != r.text && !read(next, escapes-1, yield) {
			return false
		}
	}
	return true
}

// unescaped resolves each escape that the function knows. The function returns the byte that the escape at the beginning of a text stands for,
// and the length of that escape in bytes. A length of zero means that the text begins with no escape.
func (r reading) unescaped(escape func(string) (byte, int)) reading {
	next := reading{at: make([]int, 0, len(r.at))}
	var text strings.Builder
	for i := 0; i < len(r.text); {
		c, length := escape(r.text[i:])
		if length == 0 {
			c, length = r.text[i], 1
		}
		text.WriteByte(lowerByte(c))
		next.at = append(next.at, r.at[i])
		i += length
	}
	next.text, next.at = text.String(), append(next.at, r.at[len(r.text)])
	return next
}

// ofURL knows %2F and %2f.
func ofURL(text string) (byte, int) {
	if text[0] != '%' {
		return 0, 0
	}
	return hexadecimal(text, 1, 2)
}

// maxEntity is the maximum length of an entity of HTML that stands for a printable ASCII character, unless it is padded with zeros.
const maxEntity = 9

// ofHTML knows &amp; &#38; and &#x26;.
func ofHTML(text string) (byte, int) {
	if text[0] != '&' {
		return 0, 0
	}
	end := strings.IndexByte(text[:min(len(text), maxEntity)], ';') + 1
	if end == 0 {
		return 0, 0
	}
	if c := html.UnescapeString(text[:end]); len(c) == 1 {
		return c[0], end
	}
	return 0, 0
}

// ofString knows \" \/ \x26 and \u0026, as in JSON and Go.
func ofString(text string) (byte, int) {
	if len(text) < 2 || text[0] != '\\' {
		return 0, 0
	}
	switch c := text[1]; c {
	case 'x':
		return hexadecimal(text, 2, 2)
	case 'u':
		return hexadecimal(text, 2, 4)
	case '"', '\'', '/', '\\':
		return c, 2
	}
	return 0, 0
}

// hexadecimal returns the byte whose digits begin at from, and the length of all that.
func hexadecimal(text string, from, digits int) (byte, int) {
	if len(text) < from+digits {
		return 0, 0
	}
	c, err := strconv.ParseUint(text[from:from+digits], 16, 8)
	if err != nil {
		return 0, 0
	}
	return byte(c), from + digits
}
