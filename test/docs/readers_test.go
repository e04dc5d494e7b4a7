// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"path/filepath"
	"regexp"
	"testing"
)

// begins with a title, and then says who the page is for and what they have when they have read it.
var begins = regexp.MustCompile("^(?:<!--.*-->\n)?# .*\n\nThis page is for [^.\n]+\\. Afterwards ")

// Each page of docs says for whom it is and what they have afterwards, but for the reference, which a program writes.
func TestEachPageNamesItsReader(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		if filepath.Dir(page.name) == "docs" && page.name != "docs/reference.md" && !begins.MatchString(page.text) {
			t.Errorf("%s does not begin with its title and with who it is for: This page is for …. Afterwards …", page.name)
		}
	}
}
