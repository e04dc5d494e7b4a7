// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// pages are all that a person reads, by their paths.
func pages(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		paths, err := filepath.Glob(harness.Path(pattern))
		harness.Must(t, err)
		for _, path := range paths {
			name, err := filepath.Rel(harness.Root(), path)
			harness.Must(t, err)
			texts[name] = read(t, name)
		}
	}
	return texts
}

var (
	link    = regexp.MustCompile(`\]\(([^)]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	mark    = regexp.MustCompile("[^a-z0-9 _-]")
)

// anchors of a page, as GitHub makes them.
func anchors(text string) map[string]bool {
	output := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		output[strings.ReplaceAll(mark.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return output
}

func TestLinks(t *testing.T) {
	t.Parallel()
	for page, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(m[1], "#")
			target := filepath.Join(filepath.Dir(page), path)
			if path == "" {
				target = page
			}
			content, err := os.ReadFile(harness.Path(target))
			if err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			} else if anchor != "" && !anchors(string(content))[anchor] {
				t.Errorf("%s links to %s, which has no such heading", page, m[1])
			}
		}
	}
}

func TestEveryReasonHasARemedy(t *testing.T) {
	t.Parallel()
	known := anchors(read(t, "docs/troubleshooting.md"))
	for _, reason := range reasons(t) {
		if !known[strings.ToLower(reason)] {
			t.Errorf("docs/troubleshooting.md says nothing of %s", reason)
		}
	}
	for _, p := range phases {
		o := harness.In(t, env.Tenant(recorded[p.name].GetNamespace())).Get(p.name)
		if needsHelp := p.health == failed || p.reason == cdbv1.ReasonCredentialsNotFound; needsHelp && !strings.HasSuffix(harness.Ready(o).Message, "; see "+cdbv1.RemediesPage+"#"+strings.ToLower(p.reason)) {
			t.Errorf("%s does not point to its remedy: %s", p.name, harness.Ready(o).Message)
		}
	}
}

var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z]+)`")

// The tests that the pages name for what they promise are there.
func TestPromisesHaveTests(t *testing.T) {
	t.Parallel()
	var sources strings.Builder
	err := filepath.WalkDir(harness.Root(), func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		sources.Write(text)
		return err
	})
	harness.Must(t, err)
	named := 0
	for page, text := range pages(t) {
		for _, m := range testName.FindAllStringSubmatch(text, -1) {
			named++
			if !strings.Contains(sources.String(), "func "+m[1]+"(") {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
	}
	if named < 20 {
		t.Errorf("only %d names were found", named)
	}
}
