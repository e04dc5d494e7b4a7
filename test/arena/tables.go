// SPDX-License-Identifier: Apache-2.0

package arena

import (
	"errors"
	"fmt"
	"strings"
)

// result is what one rival did in one scenario.
type result struct {
	rival string
	summary
}

// marks are what the page has before and after something that is written into it.
type marks struct{ begin, end string }

var (
	arenaMarks = marks{"<!-- make arena writes from here -->\n", "<!-- to here -->\n"}
	tradeMarks = marks{"<!-- make arena writes the trade from here -->\n", "<!-- to here, the trade -->\n"}
)

// insert puts the sections into the page, between the marks.
func insert(page string, between marks, sections []string) (string, error) {
	before, remainder, begun := strings.Cut(page, between.begin)
	_, after, ended := strings.Cut(remainder, between.end)
	if !begun || !ended {
		return "", errors.New("the page does not say where the tables belong")
	}
	return before + between.begin + "\n" + strings.Join(sections, "\n") + "\n" + between.end + after, nil
}

// section is what the page says of one scenario: a table, and the picture.
func (s scenario) section(results []result) string {
	var text strings.Builder
	fmt.Fprintf(&text, "### %s\n\n", s.title)
	text.WriteString(s.titles(""))
	for _, r := range results {
		fmt.Fprintln(&text, s.row(r))
	}
	fmt.Fprintf(&text, "\n![Calls and refusals a second](pictures/%s)\n", s.pictureName())
	return text.String()
}

// titles are those of the columns.
func (s scenario) titles(first string) string {
	columns, text := s.columns(), "| "+first+" |"
	for _, c := range columns[1:] {
		text += fmt.Sprintf(" %s |", c.title)
	}
	return text + "\n|" + strings.Repeat(" --- |", len(columns)) + "\n"
}

// row is that of one rival in the table of a scenario.
func (s scenario) row(r result) string {
	text := "|"
	for _, c := range s.columns() {
		text += fmt.Sprintf(" %s |", c.text(r))
	}
	return text
}

func (s scenario) pictureName() string { return "arena-" + s.name + ".svg" }

type column struct {
	title string
	text  func(result) string
}

func (s scenario) columns() []column {
	all := []column{
		{"", func(r result) string { return r.rival }},
		{"used", func(r result) string { return percent(r.used) }},
		{"refused", func(r result) string { return percent(r.refused) }},
		{"worst second", func(r result) string { return fmt.Sprint(r.worst) }},
	}
	if s.clients > 1 {
		all = append(all, column{"Jain's index", func(r result) string { return fmt.Sprintf("%.3f", r.fairness) }})
	}
	if s.hasOtherProgram() {
		all = append(all, column{"refused of the other program", func(r result) string { return percent(r.displaced) }})
	}
	if s.recovery > 0 {
		all = append(all, column{"full again after (median, worst)", recovery})
	}
	return all
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func recovery(r result) string {
	median, slowest := fmt.Sprintf("%.1f s", r.median.Seconds()), fmt.Sprintf("%.1f s", r.slowest.Seconds())
	if r.median >= patience {
		median = fmt.Sprintf("over %.0f s", patience.Seconds())
	}
	if r.lost > 0 {
		slowest = fmt.Sprintf("over %.0f s", patience.Seconds())
	}
	return median + ", " + slowest
}
