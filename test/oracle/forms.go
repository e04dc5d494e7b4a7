// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strconv"
)

// Forms are the ways in which a text can be written as a part of a longer one.
func Forms(s string) []string {
	quoted := strconv.Quote(s)
	inJSON, _ := json.Marshal(s)
	forms := []string{
		s, quoted[1 : len(quoted)-1], string(inJSON[1 : len(inJSON)-1]), url.QueryEscape(s), url.PathEscape(s), html.EscapeString(s),
		hex.EncodeToString([]byte(s)),
	}
	for before := range 3 { // base64 depends on how many bytes come before, modulo three
		padded := append(make([]byte, before), s...)
		from, to := (8*before+5)/6, 8*len(padded)/6 // the characters that depend on s alone
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, encoding.EncodeToString(padded)[from:to])
		}
	}
	return forms
}

// EachText calls do with each name and each text in JSON, as it was before it was escaped. What is no JSON has none.
func EachText(text []byte, do func(string)) {
	var value any
	if json.Unmarshal(text, &value) == nil {
		eachText(value, do)
	}
}

func eachText(value any, do func(string)) {
	switch value := value.(type) {
	case string:
		do(value)
	case []any:
		for _, part := range value {
			eachText(part, do)
		}
	case map[string]any:
		for name, part := range value {
			do(name)
			eachText(part, do)
		}
	}
}
