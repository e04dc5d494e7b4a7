// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"slices"
	"testing"
)

// Whoever writes an answer decides how deeply it is escaped. The operator resolves two layers, so that the time has a bound.
func TestATextIsReadThroughTwoLayersOfEscapes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"a":         {"a"},
		"%61":       {"%61", "a"},
		"%6":        {"%6"},
		`\/`:        {`\/`, "/"},
		`\`:         {`\`},
		`\x61`:      {`\x61`, "a"},
		"&#97;":     {"&#97;", "a"},
		"%2561":     {"%2561", "%61", "a"},
		`%5c/`:      {`%5c/`, `\/`, "/"},
		"%252561":   {"%252561", "%2561", "%61"},
		"%25252561": {"%25252561", "%252561", "%2561"},
	} {
		var got []string
		for r := range readings(text) {
			got = append(got, r.text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is read as %q, want %q", text, got, want)
		}
	}
}
