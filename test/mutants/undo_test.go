// SPDX-License-Identifier: Apache-2.0

// The test undoes one fix after the other, by the patches in its folder, and fails if the tests that the patch names do not.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

var (
	undo   = flag.Bool("undo", false, "run the tests that each patch names, and see that they fail")
	notice = flag.Duration("notice", 0, "let the explorer, and the simulation for this long, look at what each patch makes of the operator")
)

// patch undoes one fix. Its first line says what happens without it; each line "Test: " has the arguments of a go test that must fail.
type patch struct {
	name, file, why string
	tests           [][]string
	touched         []string
}

var (
	testLine    = regexp.MustCompile(`(?m)^Test: (.+)$`)
	touchedLine = regexp.MustCompile(`(?m)^--- a/(.+)$`)
	failedTest  = regexp.MustCompile(`--- FAIL: (\S+)`)
	// firstFailure is a line that says why a test failed.
	firstFailure = regexp.MustCompile(`(?m)^(\s*\S+_test\.go:\d+: .+|panic: .+|fatal error: .+|WARNING: DATA RACE)$`)
)

func read(t *testing.T, file string) *patch {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &patch{name: strings.TrimSuffix(filepath.Base(file), ".patch"), file: file}
	p.why, _, _ = strings.Cut(string(text), "\n")
	for _, m := range testLine.FindAllStringSubmatch(string(text), -1) {
		p.tests = append(p.tests, strings.Fields(m[1]))
	}
	for _, m := range touchedLine.FindAllStringSubmatch(string(text), -1) {
		p.touched = append(p.touched, m[1])
	}
	if len(p.tests) == 0 || len(p.touched) == 0 {
		t.Fatalf("%s has no line that begins with Test:, or changes nothing", file)
	}
	return p
}

// apply returns an overlay in which the patch is applied. The tree itself stays as it is.
func (p *patch) apply(t *testing.T, root string) (overlay string) {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for _, name := range p.touched {
		source, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		changed := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(changed), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(changed, source, 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, name)] = changed
	}
	command := exec.Command("git", "apply", "-C1", p.file) // one line of context: a comment nearby may change
	command.Dir = dir
	command.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s does not apply any more; make it undo the fix as the code is now: %s", filepath.Base(p.file), output)
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay
}

// failing is the first test that fails, or the part of it that does.
func failing(output string) (name string) {
	for _, m := range failedTest.FindAllStringSubmatch(output, 3) {
		if strings.Contains(m[1], name) {
			name = m[1]
		}
	}
	return name
}

// TestEachFixIsNeeded: without a flag it sees only that each patch applies.
func TestEachFixIsNeeded(t *testing.T) {
	files, err := filepath.Glob("patches/*.patch")
	if err != nil || len(files) == 0 {
		t.Fatal("no patches", err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	rows := [][]string{{"mutant", "found by", "seed", "schedules or states", "after"}}
	for _, file := range files {
		absolute, _ := filepath.Abs(file)
		p := read(t, absolute)
		t.Run(p.name, func(t *testing.T) {
			overlay := p.apply(t, root)
			if *undo {
				for _, args := range p.tests {
					rows = append(rows, p.mustFail(t, root, overlay, args)...)
				}
			}
			if *notice > 0 {
				rows = append(rows, p.noticed(t, root, overlay)...)
			}
		})
	}
	if len(rows) > 1 {
		t.Log("\n" + table(rows))
	}
}

// mustFail runs a test with the fix undone. It returns rows of the table if the simulation or the explorer is what fails.
func (p *patch) mustFail(t *testing.T, root, overlay string, args []string) (rows [][]string) {
	t.Helper()
	begin := time.Now()
	output, err := goTest(root, overlay, args...)
	row := strings.TrimSpace(firstFailure.FindString(output))
	switch {
	case err == nil:
		t.Errorf("%s\nnobody notices: go test %s passes", p.why, strings.Join(args, " "))
	case strings.Contains(output, "[build failed]"), row == "":
		t.Errorf("%s\nit does not compile or did not run:\n%s", p.why, output)
	default:
		t.Logf("%s\n  → %s after %s: %s", p.why, failing(output), time.Since(begin).Round(time.Second), row)
		rows = p.found(t, output)
	}
	return rows
}

// noticed returns rows of the table: what the explorer and the simulation find when the fix is undone.
func (p *patch) noticed(t *testing.T, root, overlay string) (rows [][]string) {
	t.Helper()
	for by, args := range map[string][]string{
		"explorer":   {"./test/explorer", "-run", "TestEveryInterleaving"},
		"simulation": {"./test/simulation", "-run", "TestSchedules", "-schedules=1000000", "-for=" + notice.String(), "-timeout=1h"},
	} {
		output, err := goTest(root, overlay, args...)
		found := p.found(t, output)
		if len(found) == 0 {
			what := "nothing"
			if err != nil {
				what = "it failed otherwise"
				t.Log(output)
			}
			found = [][]string{{p.name, by + ": " + what, "", "", ""}}
		}
		rows = append(rows, found...)
	}
	return rows
}

func goTest(root, overlay string, args ...string) (output string, err error) {
	command := exec.Command("go", append([]string{"test", "-count=1", "-vet=off", "-timeout=5m"}, args...)...)
	command.Dir = root
	command.Env = append(os.Environ(), "GOFLAGS=-overlay="+overlay) // also for what the test itself builds
	text, err := command.CombinedOutput()
	return string(text), err
}

// What the simulation and the explorer print when they find something; its history follows.
var (
	simulated = regexp.MustCompile(`found by seed (\d+), the (\d+)\. schedule, after ([\d.a-z]+)`)
	explored  = regexp.MustCompile(`found in (\d+) states, \d+ steps deep, after ([\d.a-z]+)`)
)

// found logs the history, and returns rows of the table.
func (p *patch) found(t *testing.T, output string) (rows [][]string) {
	t.Helper()
	if m := simulated.FindStringSubmatchIndex(output); m != nil {
		part := func(i int) string { return output[m[2*i]:m[2*i+1]] }
		rows = append(rows, []string{p.name, "simulation", part(1), part(2), part(3)})
		t.Log(history(output[m[0]:]))
	}
	if m := explored.FindStringSubmatchIndex(output); m != nil {
		rows = append(rows, []string{p.name, "explorer", "", output[m[2]:m[3]], output[m[4]:m[5]]})
		t.Log(history(output[m[0]:]))
	}
	return rows
}

// history is the first rows of a report.
func history(text string) string {
	const rows = 60
	text, _, _ = strings.Cut(text, "\n--- FAIL")
	lines := strings.SplitN(text, "\n", rows+1)
	return strings.Join(lines[:min(len(lines), rows)], "\n")
}

// table aligns its columns.
func table(rows [][]string) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
	return text.String()
}

// TestEachMutantIsOfTheCodeAsItIs: a text that is not there takes no safeguard out.
func TestEachMutantIsOfTheCodeAsItIs(t *testing.T) {
	t.Parallel()
	for _, m := range mutants {
		source, err := os.ReadFile(filepath.Join("..", "..", m.file))
		if err != nil || strings.Count(string(source), m.text) != 1 {
			t.Errorf("without %s: %q is %d times in %s, %v", m.without, m.text, strings.Count(string(source), m.text), m.file, err)
		}
	}
}
