// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

func (b *bench) idle(ctx context.Context) error {
	t, o, err := b.started(ctx)
	if err != nil {
		return err
	}
	defer o.Kill()
	one, err := t.sample(ctx, "a", 0, 20)
	if err != nil {
		return err
	}
	p50 := percentile(one, 50)
	b.row("idle system, one object", "create → Ready p50 ≤ 20 ms + 30 ms", p50 <= latency+30*time.Millisecond, "p50 %s, p95 %s", p50, percentile(one, 95))
	var bursts []time.Duration
	written, err := b.writesDuring(ctx, func() error {
		for i := range 5 {
			if err := harness.Pause(ctx, 2*time.Second); err != nil {
				return err
			}
			_, all, err := t.readyAfter(ctx, "a", 100+20*i, 120+20*i)
			if err != nil {
				return err
			}
			bursts = append(bursts, all)
		}
		return harness.Pause(ctx, time.Second)
	})
	if err != nil {
		return err
	}
	worst := percentile(bursts, 100)
	b.row("20 objects at once on an idle system", "all Ready within 20 ms + 150 ms", worst <= latency+150*time.Millisecond,
		"median %s, worst of 5 %s", percentile(bursts, 50), worst)
	status, events := written.per(100)
	b.row("API server writes per object served at once", "2 status + 1 event", status <= 2 && events <= 1.001, "%.2f status + %.2f events", status, events)
	return nil
}

func (b *bench) crowd(ctx context.Context) error {
	t, o, err := b.started(ctx)
	if err != nil {
		return err
	}
	defer o.Kill()
	if err := t.CreateAccount(ctx, "fresh"); err != nil {
		return err
	}
	idle, err := t.sample(ctx, "fresh", 0, 10)
	if err != nil {
		return err
	}
	if err := t.create(ctx, "a", 0, 10_000); err != nil {
		return err
	}
	if err := harness.Pause(ctx, 10*time.Second); err != nil {
		return err
	}
	rss := measure(o.Pid()).rss
	busy, err := t.sample(ctx, "fresh", 100, 10)
	if err != nil {
		return err
	}
	was, is := percentile(idle, 50), percentile(busy, 50)
	b.row("a fresh object while another account has 10,000 waiting", "≤ 2 × its latency on an idle system", is <= 2*was, "p50 %s, on an idle system %s", is, was)
	b.row("memory at 10,000 waiting", "≤ 150 MiB", rss <= 150, "%d MiB", rss)
	return nil
}
