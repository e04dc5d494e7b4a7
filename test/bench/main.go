// SPDX-License-Identifier: Apache-2.0

// bench measures the real operator, as a process of its own, against a real API server and a simulated cloud with a strict quota.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// latency of the cloud, unless a scenario says otherwise.
const latency = 20 * time.Millisecond

// row is one line of the table.
type row struct {
	Scenario string `json:"scenario"`
	Goal     string `json:"goal"`
	Figure   string `json:"figure"`
	Met      bool   `json:"met"`
}

// noGoal is the goal of what is only shown for comparison.
const noGoal = "none"

type bench struct {
	*harness.Environment
	rows []row
}

func (b *bench) row(scenario, goal string, met bool, figure string, args ...any) {
	r := row{scenario, goal, fmt.Sprintf(figure, args...), met}
	b.rows = append(b.rows, r)
	fmt.Printf("  %s: %s (goal: %s)\n", r.Scenario, r.Figure, r.Goal)
}

var scenarios = []struct {
	name string
	run  func(*bench, context.Context) error
}{
	{"thousand", (*bench).thousand},
	{"jitter", (*bench).jitter},
	{"idle", (*bench).idle},
	{"accounts", (*bench).accounts},
	{"sharing", (*bench).sharing},
	{"crowd", (*bench).crowd},
	{"hang", (*bench).hang},
	{"restart", (*bench).restart},
	{"finished", (*bench).finished},
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
	e, err := startPlane(ctx)
	if err != nil {
		return err
	}
	defer e.Stop()
	if err := e.Build(ctx); err != nil {
		return err
	}
	b := &bench{Environment: e}
	begin := time.Now()
	for _, s := range scenarios {
		if !only.MatchString(s.name) {
			continue
		}
		fmt.Printf("» %s\n", s.name)
		bounded, cancel := context.WithTimeout(ctx, 6*time.Minute)
		e.Cloud.SetLatency(func() time.Duration { return latency })
		err := s.run(b, bounded)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	fmt.Printf("» all in %s\n\n", time.Since(begin).Round(time.Second))
	return b.print()
}

// startPlane lets the API server, which has to share the machine with all the rest here, collect its garbage less often.
func startPlane(ctx context.Context) (*harness.Environment, error) {
	if err := os.Setenv("GOGC", "400"); err != nil {
		return nil, err
	}
	defer func() { _ = os.Unsetenv("GOGC") }()
	return harness.Start(ctx)
}

func (b *bench) print() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| scenario\t| goal\t| figure\t|\t|\n| ---\t| ---\t| ---\t| ---\t|")
	for _, r := range b.rows {
		mark := "met"
		switch {
		case r.Goal == noGoal:
			mark = "–"
		case !r.Met:
			mark = "MISSED"
		}
		fmt.Fprintf(w, "| %s\t| %s\t| %s\t| %s\t|\n", r.Scenario, r.Goal, r.Figure, mark)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if file := os.Getenv("BENCH_JSON"); file != "" {
		text, _ := json.MarshalIndent(b.rows, "", "  ")
		return os.WriteFile(file, append(text, '\n'), 0o644)
	}
	return nil
}
