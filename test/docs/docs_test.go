// SPDX-License-Identifier: Apache-2.0

// Package docs holds the pages to what they say: every command runs and prints what the page shows, what is generated is up to date, and the
// prose is plain.
package docs

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// page is what a person reads.
type page struct{ name, text string }

// pages returns all pages, the README first.
func pages(t *testing.T) (all []page) {
	t.Helper()
	for _, pattern := range []string{"README.md", "[A-QS-Z]*.md", "docs/*.md", "docs/decisions/*.md", "config/*/README.md"} {
		paths, err := filepath.Glob(harness.Path(pattern))
		harness.Must(t, err)
		slices.Sort(paths)
		for _, path := range paths {
			name, err := filepath.Rel(harness.Root(), path)
			harness.Must(t, err)
			text, err := os.ReadFile(path)
			harness.Must(t, err)
			all = append(all, page{name, string(text)})
		}
	}
	return all
}
