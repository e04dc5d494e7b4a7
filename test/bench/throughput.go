// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

func (b *bench) thousand(ctx context.Context) error {
	t, o, err := b.started(ctx)
	if err != nil {
		return err
	}
	defer o.Kill()
	idle, begin := measure(o.Pid()), time.Now()
	written, err := b.writesDuring(ctx, func() error {
		if err := errors.Join(t.create(ctx, "a", 0, 1000), t.accepted(ctx, "a", 1000)); err != nil {
			return err
		}
		return harness.Pause(ctx, 2*time.Second)
	})
	if err != nil {
		return err
	}
	l, used := loadOf(t.requests("a")), measure(o.Pid())
	useful := float64(l.accepted) / l.last.Sub(begin).Seconds()
	b.row("1,000 objects, one account, 20 ms", "≥ 97 % of 20/s, 0 refused, ≤ 20 in any second",
		useful >= 19.4 && l.refused == 0 && l.worst <= 20, "%.1f/s (%.0f %%), %d refused, %d in the worst second", useful, useful*5, l.refused, l.worst)
	status, events := written.per(1000)
	b.row("API server writes per object that waited", "3 status + 1 event", status <= 3 && events <= 1.001, "%.2f status + %.2f events", status, events)
	b.row("memory at 1,000 objects", "≤ 80 MiB", used.rss <= 80, "%d MiB", used.rss)
	cpu := (used.cpu - idle.cpu) / 1000
	b.row("CPU per object, start to end", "≤ 5 ms", cpu <= 5*time.Millisecond, "%.1f ms", float64(cpu.Microseconds())/1000)
	return nil
}

func (b *bench) jitter(ctx context.Context) error {
	b.Cloud.SetLatency(func() time.Duration { return rand.N(300 * time.Millisecond) })
	t, o, err := b.started(ctx)
	if err != nil {
		return err
	}
	defer o.Kill()
	if err := t.create(ctx, "a", 0, 1000); err != nil {
		return err
	}
	if err := t.accepted(ctx, "a", 1000); err != nil {
		return err
	}
	l := loadOf(t.requests("a"))
	b.row("the same, 0 to 300 ms of random latency", "0 refused", l.refused == 0 && l.worst <= 20, "%d refused, %.1f/s, %d in the worst second", l.refused, l.rate(), l.worst)
	return nil
}

func (b *bench) accounts(ctx context.Context) error {
	names := []string{"a", "b", "c", "d", "e"}
	t, err := b.newCrowd(ctx, names...)
	if err != nil {
		return err
	}
	total, least, err := t.together(ctx, names, 400)
	if err != nil {
		return err
	}
	b.row("5 accounts × 400 objects", "≥ 95 % of 100/s, none below 90 % of its share", total >= 95 && least >= 18, "%.1f/s, the least %.1f of 20/s", total, least)
	return nil
}

// together starts an operator when each account has n objects, and returns the calls a second of all and of the slowest.
func (t crowd) together(ctx context.Context, names []string, n int) (total, least float64, err error) {
	for _, name := range names {
		if err := t.create(ctx, name, 0, n); err != nil {
			return 0, 0, err
		}
	}
	o, err := t.start(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer o.Kill()
	least = 1000
	var all load
	for _, name := range names {
		if err := t.accepted(ctx, name, n); err != nil {
			return 0, 0, err
		}
		l := loadOf(t.requests(name))
		least = min(least, l.rate())
		all.accepted += l.accepted
		if all.first.IsZero() || l.first.Before(all.first) {
			all.first = l.first
		}
		if l.last.After(all.last) {
			all.last = l.last
		}
	}
	return all.rate(), least, nil
}

func (b *bench) hang(ctx context.Context) error {
	var totals [2]float64
	names := []string{"a", "b", "c", "d"}
	for i := range totals {
		t, err := b.newCrowd(ctx, append(names, "hangs")...)
		if err != nil {
			return err
		}
		if i == 1 {
			b.Cloud.Play(cdbsim.Fault{SecretID: t.AccountOf("hangs").SecretID, Kind: cdbsim.Hang})
			if err := t.create(ctx, "hangs", 0, 200); err != nil {
				return err
			}
		}
		if totals[i], _, err = t.together(ctx, names, 200); err != nil {
			return err
		}
	}
	change := 100 * (totals[1]/totals[0] - 1)
	b.row("one account's endpoint hangs", "the others' throughput ± 10 %", change >= -10 && change <= 10, "%.1f/s instead of %.1f/s (%+.0f %%)", totals[1], totals[0], change)
	return nil
}
