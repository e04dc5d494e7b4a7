// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// waiting is what each turn costs, and how much memory, while 50,000 objects wait in one budget.
func (b *bench) waiting(ctx context.Context) error {
	const few, many = 800, 50_000
	turnOfFew, rssOfFew, err := b.turn(ctx, few, func(t crowd) error { return t.create(ctx, "a", 0, few) })
	if err != nil {
		return err
	}
	turnOfMany, rssOfMany, err := b.turn(ctx, many, func(t crowd) error { return t.seed(ctx, "a", many, nil) })
	if err != nil {
		return err
	}
	each := float64(rssOfMany-rssOfFew) * 1024 / (many - few)
	b.row("CPU of a turn while 50,000 wait in one budget", "≤ 1.1 × that while some hundreds wait", turnOfMany <= turnOfFew*11/10,
		"%s ms instead of %s ms", milliseconds(turnOfMany), milliseconds(turnOfFew))
	b.row("memory at 50,000 waiting in one budget", "≤ 6 KiB each", each <= 6, "%.1f KiB each, %d MiB in all", each, rssOfMany)
	return nil
}

// turn starts an operator where n objects wait, lets it tell them so, and returns the CPU time that it then takes for each call.
func (b *bench) turn(ctx context.Context, n int, fill func(crowd) error) (each time.Duration, rss int, err error) {
	t, err := b.newCrowd(ctx, "a")
	if err != nil {
		return 0, 0, err
	}
	if err := fill(t); err != nil {
		return 0, 0, err
	}
	for i := range n {
		t.SetImport(nameOf("a", i), cdbsim.Import{})
	}
	earlier, err := b.writes(ctx)
	if err != nil {
		return 0, 0, err
	}
	o, err := t.start(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer o.Kill()
	if err := t.untilTold(ctx, b, n, earlier); err != nil {
		return 0, 0, err
	}
	before, from := measure(o.Pid()), loadOf(t.requests("a")).accepted
	if err := harness.Pause(ctx, 20*time.Second); err != nil {
		return 0, 0, err
	}
	after, to := measure(o.Pid()), loadOf(t.requests("a")).accepted
	if to-from < 200 {
		return 0, 0, fmt.Errorf("only %d calls in 20 s", to-from)
	}
	return (after.cpu - before.cpu) / time.Duration(to-from), after.rss, nil
}

// untilTold waits until all of n objects know that they wait, but for the first 100, whose turn comes within five seconds. Each that is
// served meanwhile has two more writes.
func (t crowd) untilTold(ctx context.Context, b *bench, n int, earlier writes) error {
	for {
		w, err := b.writes(ctx)
		if err != nil {
			return err
		}
		if served := loadOf(t.requests("a")).accepted; w.status-earlier.status >= n-100+served {
			return harness.Pause(ctx, 5*time.Second)
		}
		if err := harness.Pause(ctx, time.Second); err != nil {
			return err
		}
	}
}
