// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// step is a command of a page, and what the page shows of its output. Without want, the page shows nothing.
type step struct{ command, want string }

var block = regexp.MustCompile("(?ms)^( *)```(sh|console)\n(.*?)^ *```$")

// steps of a page: the lines of sh blocks, and those after a $ in console blocks, each with its here-document. A console block without a $
// is no command: it shows what a person types elsewhere.
func steps(text string) (output []step) {
	for _, m := range block.FindAllStringSubmatch(text, -1) {
		document, more := false, false
		for row := range strings.Lines(m[3]) {
			row = strings.TrimPrefix(row, m[1])
			command, prompted := strings.CutPrefix(row, "$ ")
			last := len(output) - 1
			switch {
			case document || more:
				output[last].command += row
				document = document && row != "EOF\n"
				more = !document && strings.HasSuffix(row, "\\\n")
			case prompted || m[2] == "sh" && strings.TrimSpace(row) != "" && !strings.HasPrefix(row, "#"):
				output = append(output, step{command: command})
				document, more = strings.HasSuffix(command, "<<EOF\n"), strings.HasSuffix(command, "\\\n")
			case m[2] == "console" && strings.Contains(m[3], "$ "):
				output[last].want += row
			}
		}
	}
	return output
}

// varying are the parts of an output that differ each time.
var varying = regexp.MustCompile(`[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?|\b(?:\d+[dhm])*\d+[smhd]\b`)

var blanks, ends = regexp.MustCompile(`[ \t]+`), regexp.MustCompile(`[ \t]*\n`)

// alike compares an output with what a page shows. What varies may differ, blanks in a row are one, and … stands for anything.
func alike(output, want string) bool {
	normal := func(text string) string {
		text = blanks.ReplaceAllString(varying.ReplaceAllString(text, "VARYING"), " ")
		return strings.TrimSpace(ends.ReplaceAllString(text, "\n"))
	}
	pattern := strings.ReplaceAll(regexp.QuoteMeta(normal(want)), "…", "(?s:.*)")
	return regexp.MustCompile("^" + pattern + "$").MatchString(normal(output))
}

func TestAlike(t *testing.T) {
	t.Parallel()
	const shown = "NAME   AGE\nstop-a   9s\nthe stop, RequestId E619651E-71F8-DDAB-7BD5-3F7DB98F516D at 2026-11-25T10:00:00Z\n…\nend\n"
	if !alike("NAME AGE  \nstop-a 1m3s\nthe stop, RequestId 11111111-71F8-DDAB-7BD5-3F7DB98F516D at 2027-01-01T00:00:00Z\nx\ny\nend\n", shown) {
		t.Error("an output that only varies is not like the page")
	}
	for _, other := range []string{"", "NAME AGE\nstop-b 9s\n", strings.Replace(shown, "the stop", "a stop", 1), shown + "more\n"} {
		if alike(other, shown) {
			t.Errorf("an output that differs is like the page: %q", other)
		}
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	got := steps("  ```console\n  $ a <<EOF\n  k: v\n  EOF\n  created\n  $ b\n  ```\n\n```sh\n# says why\nc \\\n  d\ne\n```\n```console\nelsewhere\n```\n")
	want := []step{{"a <<EOF\nk: v\nEOF\n", "created\n"}, {"b\n", ""}, {"c \\\n  d\n", ""}, {"e\n", ""}}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
