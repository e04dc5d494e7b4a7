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

// formsOf returns the forms in which a server, a proxy or an error text may quote the secret.
func formsOf(secret string) []string {
	forms := []string{
		secret,
		html.EscapeString(secret),
		xmlEscaper.Replace(secret),
		url.QueryEscape(secret),
		url.PathEscape(secret),
	}
	forms = append(forms, lowerEscapes(forms[len(forms)-2]), lowerEscapes(forms[len(forms)-1]))
	quoted := strconv.Quote(secret)
	forms = append(forms, jsonForms(quoted[1:len(quoted)-1])...)
	return append(forms, base64Forms(secret)...)
}

// xmlEscaper uses the names that html.EscapeString does not.
var xmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")

var percentEscape = regexp.MustCompile("%[0-9A-F]{2}")

func lowerEscapes(s string) string { return percentEscape.ReplaceAllStringFunc(s, strings.ToLower) }

// jsonForms are with and without \u0026 for &, in both cases of the digits, and with an escaped slash.
// Of printable ASCII, which credentials are, Go's quoted form is JSON's too.
func jsonForms(goQuoted string) []string {
	long := strings.NewReplacer("&", `\u0026`, "<", `\u003c`, ">", `\u003e`).Replace(goQuoted)
	upper := strings.NewReplacer(`\u003c`, `\u003C`, `\u003e`, `\u003E`).Replace(long)
	forms := []string{goQuoted, long, upper}
	for _, form := range forms {
		forms = append(forms, strings.ReplaceAll(form, "/", `\/`))
	}
	return forms
}

// base64Forms are in both alphabets and at each of the three alignments that the secret can have within a longer text.
func base64Forms(secret string) []string {
	var forms []string
	for _, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for before := range 3 {
			encoded := alphabet.EncodeToString(append(make([]byte, before), secret...))
			forms = append(forms, encoded[(8*before+5)/6:]) // without the character that depends on what is before
		}
	}
	return forms
}
