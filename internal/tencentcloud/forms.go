// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"encoding/base64"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// formsOf returns the secret in each encoding in which a server, a proxy or an error may quote it.
func formsOf(secret string) []string {
	query, path := url.QueryEscape(secret), url.PathEscape(secret)
	forms := []string{
		secret,
		html.EscapeString(secret),
		xmlEscaper.Replace(secret),
		query, lowerEscapes(query),
		path, lowerEscapes(path),
	}
	quoted := strconv.Quote(secret)
	forms = append(forms, jsonForms(quoted[1:len(quoted)-1])...)
	return append(forms, base64Forms(secret)...)
}

// xmlEscaper escapes quotation marks by name, where html.EscapeString uses numbers.
var xmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")

var percentEscape = regexp.MustCompile("%[0-9A-F]{2}")

// lowerEscapes returns s with the percent escapes in lower case, as in %2f.
func lowerEscapes(s string) string { return percentEscape.ReplaceAllStringFunc(s, strings.ToLower) }

// jsonForms returns the forms of a secret in JSON: &, < and > plain, as \u003c or as \u003C, each with / plain or as \/.
// For printable ASCII, which credentials are, a quoted Go string is JSON.
func jsonForms(goQuoted string) []string {
	long := strings.NewReplacer("&", `\u0026`, "<", `\u003c`, ">", `\u003e`).Replace(goQuoted)
	upper := strings.NewReplacer(`\u003c`, `\u003C`, `\u003e`, `\u003E`).Replace(long)
	forms := []string{goQuoted, long, upper}
	for _, form := range forms {
		forms = append(forms, strings.ReplaceAll(form, "/", `\/`))
	}
	return forms
}

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
