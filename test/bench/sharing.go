// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

func (b *bench) sharing(ctx context.Context) error {
	t, o, err := b.started(ctx)
	if err != nil {
		return err
	}
	defer o.Kill()
	if err := t.create(ctx, "a", 0, 1500); err != nil {
		return err
	}
	if err := harness.Pause(ctx, 10*time.Second); err != nil {
		return err
	}
	from := time.Now()
	if err := t.OtherProgram(ctx, "a", time.Minute); err != nil {
		return err
	}
	to := time.Now()
	if err := harness.Pause(ctx, 13*time.Second); err != nil {
		return err
	}
	var ours []cdbsim.Call
	others := 0
	for _, c := range t.requests("a") {
		in := c.Time.After(from) && c.Time.Before(to)
		switch {
		case c.AsyncRequestID != t.ImportID("other-program"):
			ours = append(ours, c)
		case in && c.Code != "RequestLimitExceeded":
			others++
		}
	}
	shared := loadOf(between(ours, from, to))
	left := to.Sub(from).Seconds()*20 - float64(others)
	back := fullAfter(ours, to, 12*time.Second)
	useful, refused := 100*float64(shared.accepted)/left, 100*float64(shared.refused)/float64(shared.requests())
	b.row("another program takes half of the quota for a minute", "≥ 85 % of what is left, refused ≤ 5 %, full again within 10 s",
		useful >= 85 && refused <= 5 && back <= 10*time.Second, "%.0f %% of what is left, %.1f %% refused, full after %s", useful, refused, back)
	return nil
}

func between(requests []cdbsim.Call, from, to time.Time) (in []cdbsim.Call) {
	for _, c := range requests {
		if !c.Time.Before(from) && c.Time.Before(to) {
			in = append(in, c)
		}
	}
	return in
}

// fullAfter is how long after a time the rate is full, at most the bound.
func fullAfter(requests []cdbsim.Call, from time.Time, bound time.Duration) (after time.Duration) {
	for ; after < bound; after += 100 * time.Millisecond {
		if loadOf(between(requests, from.Add(after), from.Add(after+time.Second))).accepted >= 19 {
			break
		}
	}
	return after
}
