// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// prompt is how long objects take on an idle system.
type prompt struct {
	one     []time.Duration // each alone
	bursts  []time.Duration // until the last of 20 that come at once
	written writes          // for the bursts
}

const (
	bursts    = 10
	burstSize = 20
)

func (b *bench) promptness(ctx context.Context) (p prompt, err error) {
	t, o, err := b.started(ctx)
	if err != nil {
		return p, err
	}
	defer o.Kill()
	if p.one, err = t.sample(ctx, "a", 0, 20); err != nil {
		return p, err
	}
	p.written, err = b.writesDuring(ctx, func() error {
		for i := range bursts {
			if err := harness.Pause(ctx, 2*time.Second); err != nil {
				return err
			}
			from := 100 + burstSize*i
			_, all, err := t.readyAfter(ctx, "a", from, from+burstSize)
			if err != nil {
				return err
			}
			p.bursts = append(p.bursts, all)
		}
		return harness.Pause(ctx, time.Second)
	})
	return p, err
}

func (b *bench) idle(ctx context.Context) error {
	is, err := b.promptness(ctx)
	if err != nil {
		return err
	}
	bare, err := b.floor().promptness(ctx)
	if err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	p50, floor := percentile(is.one, 50), percentile(bare.one, 50)
	b.rowBeside(fmt.Sprintf("p50 %s, p95 %s (%s)", floor, percentile(bare.one, 95), times(p50, floor)), "idle system, one object",
		"create → Ready p50 ≤ 20 ms + 30 ms", p50 <= latency+30*time.Millisecond, "p50 %s, p95 %s", p50, percentile(is.one, 95))
	median, floor := percentile(is.bursts, 50), percentile(bare.bursts, 50)
	b.rowBeside(fmt.Sprintf("median %s, worst %s (%s)", floor, percentile(bare.bursts, 100), times(median, floor)), "20 objects at once on an idle system",
		"all Ready within 1.3 × the floor (medians)", median <= floor*13/10, "median %s, worst of %d %s", median, bursts, percentile(is.bursts, 100))
	status, events := is.written.per(bursts * burstSize)
	least, one := bare.written.per(bursts * burstSize)
	b.rowBeside(fmt.Sprintf("%.2f + %.2f", least, one), "API server writes per object served at once", "2 status + 1 event", status <= 2 && events <= 1.001, "%.2f status + %.2f events", status, events)
	return nil
}

// burst is how prompt a fresh object is while another account creates 3,000.
func (b *bench) burst(ctx context.Context) error {
	idle, busy, err := b.inBurst(ctx)
	if err != nil {
		return err
	}
	_, bare, err := b.floor().inBurst(ctx)
	if err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	worst, floor, p50 := percentile(busy, 100), percentile(bare, 100), percentile(idle, 50)
	b.rowBeside(fmt.Sprintf("p50 %s, worst %s (%s)", percentile(bare, 50), floor, times(worst, floor)), "a fresh object while another account creates 3,000",
		"worst of 20 ≤ 1.5 × the floor's and ≤ 5 × p50 on an idle system", worst <= floor*3/2 && worst <= 5*p50,
		"p50 %s, worst of 20 %s, on an idle system p50 %s", percentile(busy, 50), worst, p50)
	return nil
}

// inBurst returns how long 20 objects took, one after the other, on an idle system and while another account creates 3,000.
func (b *bench) inBurst(ctx context.Context) (idle, busy []time.Duration, err error) {
	fresh, many, o, err := b.neighbours(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer o.Kill()
	if idle, err = fresh.sample(ctx, "fresh", 0, 20); err != nil {
		return nil, nil, err
	}
	created := make(chan error, 1)
	go func() { created <- many.create(ctx, "a", 0, 3000) }()
	busy, err = fresh.sample(ctx, "fresh", 100, 20)
	return idle, busy, errors.Join(err, <-created)
}

// neighbours are two namespaces of one operator, each with an account of its own.
func (b *bench) neighbours(ctx context.Context) (fresh, many crowd, o *harness.Operator, err error) {
	if fresh, err = b.newCrowd(ctx, "fresh"); err != nil {
		return fresh, many, nil, err
	}
	if many, err = b.newCrowd(ctx, "a"); err != nil {
		return fresh, many, nil, err
	}
	o, err = fresh.start(ctx, "--namespaces="+fresh.Namespace+","+many.Namespace)
	return fresh, many, o, err
}

func (b *bench) crowd(ctx context.Context) error {
	idle, busy, rss, err := b.inCrowd(ctx)
	if err != nil {
		return err
	}
	_, bare, _, err := b.floor().inCrowd(ctx)
	if err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	was, is, floor := percentile(idle, 50), percentile(busy, 50), percentile(bare, 50)
	b.rowBeside(fmt.Sprintf("p50 %s (%s)", floor, times(is, floor)), "a fresh object while another account has 10,000 waiting",
		"≤ 2 × its latency on an idle system", is <= 2*was, "p50 %s, on an idle system %s", is, was)
	b.row("memory at 10,000 waiting", "≤ 150 MiB", rss <= 150, "%d MiB", rss)
	return nil
}

// inCrowd returns how long objects took, one after the other, on an idle system and while another account has 10,000 waiting.
func (b *bench) inCrowd(ctx context.Context) (idle, busy []time.Duration, rss int, err error) {
	fresh, many, o, err := b.neighbours(ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	defer o.Kill()
	if idle, err = fresh.sample(ctx, "fresh", 0, 10); err != nil {
		return nil, nil, 0, err
	}
	if err := many.create(ctx, "a", 0, 10_000); err != nil {
		return nil, nil, 0, err
	}
	if err := harness.Pause(ctx, 10*time.Second); err != nil {
		return nil, nil, 0, err
	}
	rss = measure(o.Pid()).rss
	busy, err = fresh.sample(ctx, "fresh", 100, 10)
	return idle, busy, rss, err
}
