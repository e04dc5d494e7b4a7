// SPDX-License-Identifier: Apache-2.0

// bench measures the real operator, as a process of its own, against a real API server and a simulated cloud with a strict quota.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// latency of the cloud, unless a scenario says otherwise.
const latency = 20 * time.Millisecond

// row is one row of the table.
type row struct {
	Scenario string `json:"scenario"`
	Goal     string `json:"goal"`
	Figure   string `json:"figure"`
	Floor    string `json:"floor"`
	Met      bool   `json:"met"`
}

const (
	noGoal  = "none" // of what is only shown for comparison
	noFloor = "–"    // where a bare client has no figure
)

type bench struct {
	*harness.Environment                      // where the operator runs
	bare                 *harness.Environment // the same, where the bare client of test/bench/floor runs instead
	rows                 []row
}

// floor is the benchmark of the bare client. It has no rows of its own.
func (b *bench) floor() *bench { return &bench{Environment: b.bare} }

func (b *bench) row(scenario, goal string, met bool, figure string, args ...any) {
	b.rowBeside(noFloor, scenario, goal, met, figure, args...)
}

// rowBeside has the figure of the bare client, too.
func (b *bench) rowBeside(floor, scenario, goal string, met bool, figure string, args ...any) {
	r := row{scenario, goal, fmt.Sprintf(figure, args...), floor, met}
	b.rows = append(b.rows, r)
	fmt.Printf("  %s: %s (goal: %s; floor: %s)\n", r.Scenario, r.Figure, r.Goal, r.Floor)
}

// times is the ratio of a figure to its floor, as a text.
func times(figure, floor time.Duration) string {
	return fmt.Sprintf("%.2f ×", float64(figure)/float64(floor))
}

var scenarios = []struct {
	name string
	run  func(*bench, context.Context) error
}{
	{"thousand", (*bench).thousand},
	{"jitter", (*bench).jitter},
	{"idle", (*bench).idle},
	{"burst", (*bench).burst},
	{"accounts", (*bench).accounts},
	{"namespaces", (*bench).namespaces},
	{"renewals", (*bench).renewals},
	{"sharing", (*bench).sharing},
	{"crowd", (*bench).crowd},
	{"hang", (*bench).hang},
	{"newcomers", (*bench).newcomers},
	{"restart", (*bench).restart},
	{"finished", (*bench).finished},
	{"waiting", (*bench).waiting},
	{"strangers", (*bench).strangers},
	{"badsecret", (*bench).badSecret},
	{"naive", (*bench).naive},
}

func main() {
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench failed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	only, err := regexp.Compile(os.Getenv("BENCH_ONLY"))
	if err != nil {
		return fmt.Errorf("BENCH_ONLY: %w", err)
	}
	b := &bench{}
	begin := time.Now()
	for _, s := range scenarios {
		if !only.MatchString(s.name) {
			continue
		}
		fmt.Printf("» %s\n", s.name)
		if err = b.play(ctx, s.run); err != nil {
			err = fmt.Errorf("%s: %w", s.name, err)
			break
		}
	}
	fmt.Printf("» all in %s\n\n", time.Since(begin).Round(time.Second))
	return errors.Join(err, b.print())
}

// play runs a scenario on a control plane of its own: what one leaves behind would slow the next.
func (b *bench) play(ctx context.Context, scenario func(*bench, context.Context) error) error {
	e, err := startPlane(ctx)
	if err != nil {
		return err
	}
	defer e.Stop()
	if err := e.Build(ctx); err != nil {
		return err
	}
	if b.bare, err = e.WithProgram(ctx, "floor", "./test/bench/floor"); err != nil {
		return err
	}
	b.Environment = e
	e.Cloud.SetLatency(func() time.Duration { return latency })
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	return scenario(b, ctx)
}

// startPlane lets the API server, which has to share the machine with all the rest here, collect its garbage less often.
func startPlane(ctx context.Context) (*harness.Environment, error) {
	if err := os.Setenv("GOGC", "400"); err != nil {
		return nil, err
	}
	defer func() { _ = os.Unsetenv("GOGC") }()
	return harness.Start(ctx)
}

// print prints the table as docs/benchmarks.md has it.
func (b *bench) print() error {
	fmt.Print("| scenario | goal | figure | floor | |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range b.rows {
		mark := "met"
		switch {
		case r.Goal == noGoal:
			mark = "–"
		case !r.Met:
			mark = "missed"
		}
		fmt.Printf("| %s | %s | %s | %s | %s |\n", r.Scenario, r.Goal, r.Figure, r.Floor, mark)
	}
	if file := os.Getenv("BENCH_JSON"); file != "" {
		text, _ := json.MarshalIndent(b.rows, "", "  ")
		return os.WriteFile(file, append(text, '\n'), 0o644)
	}
	return nil
}
