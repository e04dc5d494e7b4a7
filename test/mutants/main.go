// SPDX-License-Identifier: Apache-2.0

// mutants undoes one fix or safeguard after the other by the patches in test/mutants, fails if the tests that each names do not, and prints
// what the simulation and the explorer found. Then it takes three safeguards out, and fails if the fault matrix does not notice.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// mutant is the operator without one of its safeguards: in a file, one text stands for another.
type mutant struct{ without, file, text, instead string }

var mutants = []mutant{
	{
		"the record of the attempt", "controllers/status.go",
		"return r.write(ctx, object, lifecycle.RecordAttempt(time.Now()))",
		"lifecycle.RecordAttempt(time.Now())(object); return nil",
	},
	{
		"the check of the resourceVersion", "controllers/status.go",
		"if err := r.Client.Status().Update(ctx, updated); err != nil {",
		"newest := &cdbv1.ImportJobStop{}; _ = r.APIReader.Get(ctx, client.ObjectKeyFromObject(object), newest); updated.ResourceVersion = newest.ResourceVersion\n" +
			"if err := r.Client.Status().Update(ctx, updated); err != nil {",
	},
	{
		"the answer kept in memory", "controllers/status.go",
		"		time.Sleep(delay)\n",
		"		return\n",
	},
}

func main() {
	undo := exec.Command("go", "test", "-count=1", "-v", "-timeout=2h", "./test/mutants", "-undo")
	undo.Dir, undo.Stdout, undo.Stderr = harness.Root(), os.Stdout, os.Stderr
	if err := undo.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
	for _, m := range mutants {
		fmt.Printf("» without %s\n", m.without)
		rows, err := m.run()
		if err != nil {
			fmt.Fprintln(os.Stderr, "mutants:", err)
			os.Exit(1)
		}
		fmt.Println("  noticed by", strings.Join(rows, ", "))
	}
}

var failure = regexp.MustCompile(`(?m)^ +--- FAIL: TestMatrix/(.+) \(`)

// run returns the rows of the matrix that fail.
func (m mutant) run() (rows []string, err error) {
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	original := filepath.Join(harness.Root(), m.file)
	source, err := os.ReadFile(original)
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(source), m.text); n != 1 {
		return nil, fmt.Errorf("%s has %d places that say %q, want one", m.file, n, m.text)
	}
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	instead := strings.Replace(string(source), m.text, m.instead, 1)
	text, _ := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err := os.WriteFile(changed, []byte(instead), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		return nil, err
	}
	command := exec.Command("go", "test", "-count=1", "./test/faults", "-run", "TestMatrix", "-parallel=6", "-patience=15s")
	command.Dir = harness.Root()
	command.Env = append(os.Environ(), "GOFLAGS=-overlay="+overlay)
	output, err := command.CombinedOutput()
	if err == nil {
		return nil, fmt.Errorf("the harness did not notice")
	}
	for _, match := range failure.FindAllStringSubmatch(string(output), -1) {
		rows = append(rows, strings.ReplaceAll(match[1], "_", " "))
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: %s", err, output)
	}
	return rows, nil
}
