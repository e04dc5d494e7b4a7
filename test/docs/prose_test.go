// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"regexp"
	"strings"
	"testing"
)

// banned are words and riddles that nobody writes here, and what to write instead.
var banned = map[string]string{
	// One word for one thing.
	`wish(es)?`:           "target, or what the spec asks for",
	`verdicts?`:           "result",
	`intents?`:            "attempt",
	`judge[sd]?|judging`:  "reconcile, or count",
	`rouse[sd]?|ripe`:     "wake, usable",
	`alarms?`:             "requeueAfter, or alert",
	`(is|are) let in`:     "accepted",
	`calls that are out`:  "calls in flight",
	`in mid-call`:         "while a call is in flight",
	`in peace`:            "after a clean shutdown",
	`goes? wrong by rule`: "injected faults",
	// Riddles.
	`looked at at`:                                  "name what happens at a time",
	`speaks? of`:                                    "is about, or describes",
	`did not do it`:                                 "the call failed",
	`holds no worker`:                               "say what it does",
	`ha(s|ve) ended before (its|their) end`:         "ended before it was complete",
	`what (has |have |had )?bec[ao]me of`:           "what happened to",
	`(?-i:Who) (reads|asks|waits|goes|comes|leads)`: "name the actor",
	`makes? (it|that) true`:                         "say what the operator does",
	`says? truthfully|truthfully`:                   "reports, records",
	`at the pace that`:                              "within the quota",
	`if somebody else was here`:                     "if the object changed meanwhile",
	`time alone (makes|is)`:                         "name the deadline or the delay",
	`whether it is so`:                              "say what is true, false and unknown",
	`write down that`:                               "create, record",
	`unwelcome`:                                     "say what is refused",
	`(is|are|was|were) no (number|name|file|value) of the \w+`: "is not a … of the …",
	// Padding.
	`simply|easily|obviously|of course`:             "leave it out",
	`note that|please note|it should be noted`:      "leave it out",
	`utili[sz]e[sd]?|leverages?`:                    "use",
	`in order to`:                                   "to",
	`is able to|are able to`:                        "can",
	`prior to|subsequent to`:                        "before, after",
	`due to the fact that|in the event (of|that)`:   "because, if",
	`(a (large|great) number|a majority|plenty) of`: "many, most, or the number",
	`and/or`:                       "or",
	`e\.g\.|i\.e\.|etc\.|\bviz\.?`: "as in, that is, or the list",
	// The passive, where the words tell who does it.
	`has to be|have to be|needs? to be`: "active voice: say who does it",
	`was (carried out|performed) by`:    "active voice",
	`(is|are|was|were|been|being|be) \w+(ed|en) by (the (operator|cloud|API server|account|user|plugin|kubelet)|you|us|(some|no)body)`: "active voice: begin with who does it",
}

// longest is the most words of a sentence, outside of code and tables.
const longest = 35

var (
	fenced   = regexp.MustCompile("(?ms)^ *```.*?^ *```$|<!--.*?-->")
	inline   = regexp.MustCompile("`[^`\n]+`")
	linked   = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	tableRow = regexp.MustCompile(`(?m)^ *\|.*$`)
	sentence = regexp.MustCompile(`[.!?:;](?:\s|$)|\n\s*\n|\n\s*(?:[-*#]|\d+\.) `)
	banners  = compiled()
)

func compiled() map[*regexp.Regexp]string {
	all := map[*regexp.Regexp]string{}
	for pattern, better := range banned {
		all[regexp.MustCompile(`(?i)\b(?:`+pattern+`)(?:\b|\s|$)`)] = better
	}
	return all
}

// bannedIn are the words of a text that are banned, with what to write instead.
func bannedIn(text string) (all []string) {
	text = strings.Join(strings.Fields(text), " ") // also over the end of a line
	for pattern, better := range banners {
		for _, found := range pattern.FindAllString(text, -1) {
			all = append(all, strings.TrimSpace(found)+": write "+better)
		}
	}
	return all
}

// tooLongIn are the beginnings of the sentences of a text that have too many words.
func tooLongIn(text string) (all []string) {
	for _, s := range sentence.Split(text, -1) {
		if words := strings.Fields(s); len(words) > longest {
			all = append(all, "a sentence of more words than a reader keeps in mind: "+strings.Join(words[:8], " ")+" …")
		}
	}
	return all
}

// complaints are what is wrong with a page.
func complaints(text string) []string {
	text = linked.ReplaceAllString(inline.ReplaceAllString(fenced.ReplaceAllString(text, ""), "CODE"), "$1")
	return append(bannedIn(text), tooLongIn(tableRow.ReplaceAllString(text, "\n\n"))...)
}

func TestProse(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		for _, complaint := range complaints(page.text) {
			t.Errorf("%s: %s", page.name, complaint)
		}
	}
}

// Each rule notices a sentence that breaks it, and lets the sentence stand that mends it.
func TestComplaints(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"The operator calls StopDBImportJob within your quota.":             0,
		"The spec is the wish. Who reads it knows.":                         2,
		"The copy that was\njudged is stale.":                               1,
		"It tells what has become of the stop.":                             1,
		"Correct the spec, keys etc. and try again.":                        1,
		"The cloud did not do it.":                                          1,
		"The object is deleted by the operator.":                            1,
		"The operator deletes the object, and prints the time by zone.":     0,
		"Simply run it in order to stop the import.":                        2,
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
