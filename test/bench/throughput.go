// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// served is what serving some objects of one account took.
type served struct {
	load
	useful  float64 // calls a second, from the first creation on
	written writes
	rss     int // MiB, at the end
	cpu     time.Duration
}

// serve creates n objects at once, and waits until they are served.
func (b *bench) serve(ctx context.Context, n int) (s served, err error) {
	t, o, err := b.started(ctx)
	if err != nil {
		return s, err
	}
	defer o.Kill()
	idle, begin := measure(o.Pid()), time.Now()
	s.written, err = b.writesDuring(ctx, func() error {
		if err := errors.Join(t.create(ctx, "a", 0, n), t.accepted(ctx, "a", n)); err != nil {
			return err
		}
		return harness.Pause(ctx, 2*time.Second)
	})
	if err != nil {
		return s, err
	}
	used := measure(o.Pid())
	s.load, s.rss, s.cpu = loadOf(t.requests("a")), used.rss, used.cpu-idle.cpu
	s.useful = float64(s.accepted) / s.last.Sub(begin).Seconds()
	return s, nil
}

func (b *bench) thousand(ctx context.Context) error {
	const n = 1000
	s, err := b.serve(ctx, n)
	if err != nil {
		return err
	}
	bare, err := b.floor().serve(ctx, n)
	if err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	b.rowBeside(fmt.Sprintf("%.1f/s", bare.useful), "1,000 objects, one account, 20 ms", "≥ 97 % of 20/s, 0 refused, ≤ 20 in any second",
		s.useful >= 19.4 && s.refused == 0 && s.worst <= 20, "%.1f/s (%.0f %%), %d refused, %d in the worst second", s.useful, s.useful*5, s.refused, s.worst)
	status, events := s.written.per(n)
	least, one := bare.written.per(n)
	b.rowBeside(fmt.Sprintf("%.2f + %.2f", least, one), "API server writes per object that waited", "3 status + 1 event", status <= 3 && events <= 1.001, "%.2f status + %.2f events", status, events)
	b.row("memory at 1,000 objects", "≤ 80 MiB", s.rss <= 80, "%d MiB", s.rss)
	cpu, floor := s.cpu/n, bare.cpu/n
	b.rowBeside(fmt.Sprintf("%s ms (%s)", milliseconds(floor), times(cpu, floor)), "CPU per object at 20/s, start to end", "≤ 5 ms, or ≤ 1.5 × the floor",
		cpu <= 5*time.Millisecond || cpu <= floor*3/2, "%s ms", milliseconds(cpu))
	return nil
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }

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
	total, least, err := b.fiveAccounts(ctx)
	if err != nil {
		return err
	}
	floor, leastFloor, err := b.floor().fiveAccounts(ctx)
	if err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	allowed := min(98, floor) // 20/(1 s + 20 ms) of each
	b.rowBeside(fmt.Sprintf("%.1f/s, the least %.1f", floor, leastFloor), "5 accounts × 400 objects", "≥ 97 % of the smaller of 98/s and the floor, none below 95 % of its share",
		total >= 0.97*allowed && least >= 0.95*allowed/5, "%.1f/s (%.0f %%), the least %.1f", total, 100*total/allowed, least)
	return nil
}

func (b *bench) fiveAccounts(ctx context.Context) (total, least float64, err error) {
	names := []string{"a", "b", "c", "d", "e"}
	t, err := b.newCrowd(ctx, names...)
	if err != nil {
		return 0, 0, err
	}
	return t.together(ctx, names, 400)
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
