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

var (
	block    = regexp.MustCompile("(?ms)^( *)```(\\w*)\n(.*?)^ *```$")
	prompt   = regexp.MustCompile(`(?m)^ *\$ `)
	typed    = regexp.MustCompile(`^(?:cosign|docker|git|go|grep|helm|jq|kubectl|make|sha256sum|ssh-keygen|tccli|velero) `)
	noScript = []string{"mermaid", "yaml", "json"}
)

// steps of a page: the lines after a $ of a block that has any, and each line of a block without one that begins with a command, each with its
// here-document. The other lines of a block with a $ are output. Blocks of a picture or of a manifest have no commands.
func steps(text string) (output []step) {
	for _, m := range block.FindAllStringSubmatch(text, -1) {
		body := ""
		for row := range strings.Lines(m[3]) {
			body += strings.TrimPrefix(row, m[1])
		}
		if hasCommands(m[2], body) {
			output = append(output, stepsOf(body)...)
		}
	}
	return output
}

// hasCommands says whether a person types what a block shows.
func hasCommands(language, body string) bool {
	if slices.Contains(noScript, language) {
		return false
	}
	return language == "sh" || language == "console" || prompt.MatchString(body) || typed.MatchString(body)
}

func stepsOf(body string) (output []step) {
	prompts, document, more := prompt.MatchString(body), false, false
	for row := range strings.Lines(body) {
		command, prompted := strings.CutPrefix(row, "$ ")
		last := len(output) - 1
		switch {
		case document || more:
			output[last].command += row
			document = document && row != "EOF\n"
			more = !document && goesOn(output[last].command)
		case prompted || !prompts && strings.TrimSpace(row) != "" && !strings.HasPrefix(row, "#"):
			output = append(output, step{command: command})
			document, more = strings.HasSuffix(command, "<<EOF\n"), goesOn(command)
		case prompts && last >= 0:
			output[last].want += row
		}
	}
	return output
}

// goesOn: the next line belongs to the command, too.
func goesOn(command string) bool {
	return strings.HasSuffix(command, "\\\n") || strings.Count(command, "'")%2 == 1
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
	got := steps("  ```console\n  $ a <<EOF\n  k: v\n  EOF\n  created\n  $ b\n  ```\n\n```sh\n# says why\nc \\\n  d\ne\n```\n```console\nno prompt\n```\n" +
		"```text\nprinted\n```\n```text\n$ f\nprinted\n```\n```\nkubectl g 'h\n  i'\nmake j\n```\n```yaml\nmake: k\n```\n")
	want := []step{
		{"a <<EOF\nk: v\nEOF\n", "created\n"},
		{"b\n", ""},
		{"c \\\n  d\n", ""},
		{"e\n", ""},
		{"no prompt\n", ""},
		{"f\n", "printed\n"},
		{"kubectl g 'h\n  i'\n", ""},
		{"make j\n", ""},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
