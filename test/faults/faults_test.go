// SPDX-License-Identifier: Apache-2.0

// Package faults proves by injection that nothing is lost, nothing is sent twice without need and nothing is recorded that did not happen.
//
// A fixture is a tenant with a manager of its own, as a process, behind a proxy that injects faults, and with a simulated cloud
// that injects faults, too. An oracle checks the whole history of the objects and the log of the cloud.
package faults

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/oracle"
)

var (
	long      = flag.Bool("long", false, "run the rows that take more than a few seconds too")
	schedules = flag.Int("schedules", 12, "how many random schedules to run")
	patience  = flag.Duration("patience", 90*time.Second, "how long to wait for anything")
	seed      = flag.Uint64("seed", 0, "the seed of the first schedule; 0 takes one from the clock")

	env   *harness.Environment
	table results
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(harness.With(func(e *harness.Environment) int {
		env = e
		code := m.Run()
		table.print(os.Stdout)
		return code
	}, nil))
}

// results are the lines of the table, by row.
type results struct {
	mu   sync.Mutex
	rows map[string]*result
}

type result struct {
	runs     int
	injected map[string]int
	oracle.Findings
}

func (r *results) add(row string, injected map[string]int, v oracle.Findings) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rows == nil {
		r.rows = map[string]*result{}
	}
	sum := r.rows[row]
	if sum == nil {
		sum = &result{injected: map[string]int{}}
		r.rows[row] = sum
	}
	sum.runs++
	for what, n := range injected {
		sum.injected[what] += n
	}
	sum.Objects += v.Objects
	sum.Stops += v.Stops
	sum.Repeated += v.Repeated
	sum.Wrong = append(sum.Wrong, v.Wrong...)
}

func (r *results) print(output io.Writer) {
	w := tabwriter.NewWriter(output, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "row\truns\tinjected\tobjects\tcalls\trepeated\tverdict")
	for _, row := range slices.Sorted(maps.Keys(r.rows)) {
		sum := r.rows[row]
		var injected []string
		for _, what := range slices.Sorted(maps.Keys(sum.injected)) {
			injected = append(injected, fmt.Sprintf("%s ×%d", what, sum.injected[what]))
		}
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%d\t%d\t%s\n", row, sum.runs, strings.Join(injected, ", "), sum.Objects, sum.Stops, sum.Repeated, &sum.Findings)
	}
	_ = w.Flush()
}
