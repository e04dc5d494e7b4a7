// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

func (b *bench) restart(ctx context.Context) error {
	t, err := b.newCrowd(ctx, "a")
	if err != nil {
		return err
	}
	if err := t.seed(ctx, "a", 10_000, finish); err != nil {
		return err
	}
	if err := t.create(ctx, "a", 10_000, 12_000); err != nil {
		return err
	}
	first, err := t.start(ctx)
	if err != nil {
		return err
	}
	err = t.accepted(ctx, "a", 300)
	first.Kill()
	if err != nil {
		return err
	}
	killed := time.Now()
	second, err := t.Run(ctx)
	if err != nil {
		return err
	}
	defer second.Kill()
	ready := time.Now()
	if err := harness.Pause(ctx, 15*time.Second); err != nil {
		return err
	}
	requests := t.requests("a")
	l, full := loadOf(requests), fullAfter(requests, ready, 15*time.Second)
	marked, err := t.marked(ctx)
	if err != nil {
		return err
	}
	b.row("kill -9 and restart with 10,000 finished and 2,000 waiting", "no call repeated but those whose result was not in status yet, window kept, full rate within 3 s of ready",
		l.repeated <= marked && l.refused == 0 && l.worst <= 20 && full <= 3*time.Second,
		"%d repeated (%d marked followsUnknown), %d in the worst second, full rate %s after ready, ready %s after the kill", l.repeated, marked, l.worst, full, ready.Sub(killed).Round(time.Millisecond))
	return nil
}

// marked counts the objects whose last attempt follows one whose result was not in status.
func (t crowd) marked(ctx context.Context) (marked int, err error) {
	objects, err := t.objects(ctx)
	for _, o := range objects {
		if last := o.Status.LastAttempt; last != nil && last.FollowsUnknown {
			marked++
		}
	}
	return marked, err
}

func (b *bench) finished(ctx context.Context) error {
	t, err := b.newCrowd(ctx, "a")
	if err != nil {
		return err
	}
	if err := t.seed(ctx, "a", 100_000, finish); err != nil {
		return err
	}
	o, err := t.start(ctx)
	if err != nil {
		return err
	}
	defer o.Kill()
	if err := harness.Pause(ctx, 20*time.Second); err != nil {
		return err
	}
	rss, requests := measure(o.Pid()).rss, len(t.CallLog())
	b.row("memory at 100,000 finished", "≤ 500 MiB, and no call", rss <= 500 && requests == 0, "%d MiB, %d calls", rss, requests)
	if requests > 0 {
		return fmt.Errorf("%d calls for finished objects", requests)
	}
	return nil
}
