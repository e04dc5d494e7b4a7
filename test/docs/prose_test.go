// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// banned are words and riddles that no page uses, and what to write instead. Flags, fields and metrics are on pages that are made from the code.
var banned = map[string]string{
	`wish(es)?`:          "target, or what the spec asks for",
	`verdicts?`:          "result",
	`in peace`:           "after a clean shutdown",
	`looked at at`:       "name what happens at a time",
	`calls that are out`: "calls in flight",
	`(is|are) let in`:    "accepted",
	`(?-i:Who) (reads|asks|waits|goes|comes|leads)`: "name the actor",
	`goes? wrong by rule`:                           "injected faults",
	`makes? (it|that) true`:                         "say what the operator does",
	`says? truthfully|truthfully`:                   "reports, records",
	`did not do it`:                                 "the call failed",
	`in mid-call`:                                   "while a call is in flight",
	`simply|easily|obviously|of course`:             "leave it out",
	`utili[sz]e[sd]?|leverages?`:                    "use",
	`in order to`:                                   "to",
	`and/or`:                                        "or",
	`e\.g\.|i\.e\.`:                                 "as in, that is",
	`note that`:                                     "leave it out",
	`it should be noted`:                            "leave it out",
	`is able to|are able to`:                        "can",
	`has to be|have to be|needs to be`:              "active voice: say who does it",
	`was (carried out|performed) by`:                "active voice",
}

// longest is the most words of a sentence, outside of code and tables.
const longest = 45

var (
	fenced   = regexp.MustCompile("(?ms)^ *```.*?^ *```$|<!--.*?-->")
	inline   = regexp.MustCompile("`[^`\n]+`")
	linked   = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	tableRow = regexp.MustCompile(`(?m)^ *\|.*$`)
	sentence = regexp.MustCompile(`[.!?:;](?:\s|$)|\n\s*\n|\n\s*(?:[-*#]|\d+\.) `)
)

// bannedIn are the words of a text that are banned, with what to write instead.
func bannedIn(text string) (all []string) {
	for pattern, better := range banned {
		for _, found := range regexp.MustCompile(`(?i)\b(?:`+pattern+`)\b`).FindAllString(text, -1) {
			all = append(all, found+": write "+better)
		}
	}
	return all
}

// complaints are what is wrong with a text.
func complaints(text string) (all []string) {
	text = linked.ReplaceAllString(inline.ReplaceAllString(fenced.ReplaceAllString(text, ""), "CODE"), "$1")
	all = bannedIn(text)
	for _, s := range sentence.Split(tableRow.ReplaceAllString(text, "\n\n"), -1) {
		if n := len(strings.Fields(s)); n > longest {
			all = append(all, "a sentence of more words than a reader keeps in mind: "+strings.Join(strings.Fields(s)[:8], " ")+" …")
		}
	}
	return all
}

func TestProse(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		for _, complaint := range complaints(page.text) {
			t.Errorf("%s: %s", page.name, complaint)
		}
	}
}

// The code that ships speaks as plainly: its comments, messages, logs and flags, and what is said of fields, alerts and samples.
func TestProseInCode(t *testing.T) {
	t.Parallel()
	read := 0
	for _, folder := range []string{".", "api", "cmd", "config", "controllers", "internal/credentials", "internal/importjob", "internal/lifecycle", "internal/metrics", "internal/operator", "internal/quota"} {
		harness.Must(t, filepath.WalkDir(harness.Path(folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				if err == nil && folder == "." && path != harness.Path(folder) {
					return fs.SkipDir
				}
				return err
			}
			if ext := filepath.Ext(path); ext != ".go" && ext != ".yaml" || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(path)
			read++
			for _, complaint := range bannedIn(string(text)) {
				t.Errorf("%s: %s", path, complaint)
			}
			return err
		}))
	}
	if read < 50 {
		t.Errorf("only %d files were read", read)
	}
}

func TestComplaints(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"The operator calls StopDBImportJob within your quota.":             0,
		"The spec is the wish. Who reads it knows.":                         2,
		"`wish` is code.\n```\nwish\n```":                                   0,
		strings.Repeat("word ", longest+1):                                  1,
		strings.Repeat("word ", longest) + ". One more.":                    0,
		"| a table | " + strings.Repeat("word ", longest+1) + " |\n":        0,
		"- " + strings.Repeat("a ", 30) + "\n- " + strings.Repeat("b ", 30): 0,
	} {
		if got := complaints(text); len(got) != want {
			t.Errorf("%.40q: %q, want %d", text, got, want)
		}
	}
}
