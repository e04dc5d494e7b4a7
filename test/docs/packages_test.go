// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const module = "github.com/tencentcloud-cdb/importjobstop-operator"

// The picture of the packages in docs/architecture.md has the imports of the code, but for those that another path of arrows tells already.
func TestPackagesAreAsDrawn(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(harness.Path("docs/architecture.md"))
	harness.Must(t, err)
	drawn, want := arrowsOf(string(page)), reduced(importsOf(t))
	for from := range maps.Keys(want) {
		if !slices.Equal(drawn[from], want[from]) {
			t.Errorf("%s: the picture has arrows to %q, the code imports %q", from, drawn[from], want[from])
		}
	}
	for from := range maps.Keys(drawn) {
		if _, is := want[from]; !is {
			t.Errorf("%s is in the picture, and imports nothing of ours", from)
		}
	}
}

var (
	flowchart = regexp.MustCompile("(?s)```mermaid\nflowchart TD\n(.*?)```")
	node      = regexp.MustCompile(`(\w+)\["([^":,]+)[^"]*"\]`)
	arrow     = regexp.MustCompile(`(?m)^ *(\w+) --> ([\w &]+)$`)
)

// arrowsOf a page are its packages, with those that they import.
func arrowsOf(page string) map[string][]string {
	picture := flowchart.FindString(page)
	packageOf := map[string]string{}
	for _, m := range node.FindAllStringSubmatch(picture, -1) {
		packageOf[m[1]] = strings.ReplaceAll(m[2], "<br/>", "")
	}
	arrows := map[string][]string{}
	for _, m := range arrow.FindAllStringSubmatch(picture, -1) {
		from := packageOf[m[1]]
		for to := range strings.SplitSeq(m[2], " & ") {
			arrows[from] = append(arrows[from], packageOf[to])
		}
		slices.Sort(arrows[from])
	}
	return arrows
}

// importsOf the program and the plugin are their packages, with those that they import. The program is main.go.
func importsOf(t *testing.T) map[string][]string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`,
		".", "./api/...", "./cmd/...", "./controllers/...", "./internal/...")
	command.Dir = harness.Root()
	output, err := command.Output()
	harness.Must(t, err)
	imports := map[string][]string{}
	for row := range strings.Lines(string(output)) {
		paths := strings.Fields(row)
		for _, path := range paths[1:] {
			if short, ours := strings.CutPrefix(path, module+"/"); ours {
				from := strings.TrimPrefix(strings.TrimPrefix(paths[0], module), "/")
				if from == "" {
					from = "main.go"
				}
				imports[from] = append(imports[from], short)
			}
		}
	}
	return imports
}

// reduced leaves out an import that another import leads to.
func reduced(imports map[string][]string) map[string][]string {
	var leadsTo func(from, to string) bool
	leadsTo = func(from, to string) bool {
		return slices.ContainsFunc(imports[from], func(next string) bool { return next == to || leadsTo(next, to) })
	}
	few := map[string][]string{}
	for from, all := range imports {
		for _, to := range all {
			if !slices.ContainsFunc(all, func(other string) bool { return leadsTo(other, to) }) {
				few[from] = append(few[from], to)
			}
		}
		slices.Sort(few[from])
	}
	return few
}

func TestReduced(t *testing.T) {
	t.Parallel()
	got := reduced(map[string][]string{"a": {"d", "c", "b"}, "b": {"c"}, "c": {"e"}})
	want := map[string][]string{"a": {"b", "d"}, "b": {"c"}, "c": {"e"}}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestArrowsOf(t *testing.T) {
	t.Parallel()
	got := arrowsOf("```mermaid\nflowchart TD\n  a[\"x/<br/>a: what\"] --> b[\"y, z\"]\n  a --> c & b\n  c[\"w\"]\n```")
	if want := map[string][]string{"x/a": {"w", "y"}}; !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, want %q", got, want)
	}
}
