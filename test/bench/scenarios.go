// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/tencentcloud"
)

func (b *bench) thousand(ctx context.Context) error {
	t, o, err := b.started(ctx)
	if err != nil {
		return err
	}
	defer o.Kill()
	before, err := b.writes(ctx)
	if err != nil {
		return err
	}
	idle := measure(o.Pid())
	begin := time.Now()
	if err := t.create(ctx, "a", 0, 1000, nil); err != nil {
		return err
	}
	if err := t.accepted(ctx, "a", 1000); err != nil {
		return err
	}
	l := loadOf(t.requests("a"))
	useful := float64(l.accepted) / l.last.Sub(begin).Seconds()
	b.row("1,000 objects, one account, 20 ms", "≥ 97 % of 20/s, 0 refused, ≤ 20 in any second",
		useful >= 19.4 && l.refused == 0 && l.worst <= 20, "%.1f/s (%.0f %%), %d refused, %d in the worst second", useful, useful*5, l.refused, l.worst)
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	used := measure(o.Pid())
	after, err := b.writes(ctx)
	if err != nil {
		return err
	}
	status, events := float64(after.status-before.status)/1000, float64(after.events-before.events)/1000
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
	if err := t.create(ctx, "a", 0, 1000, nil); err != nil {
		return err
	}
	if err := t.accepted(ctx, "a", 1000); err != nil {
		return err
	}
	l := loadOf(t.requests("a"))
	b.row("the same, 0 to 300 ms of random latency", "0 refused", l.refused == 0 && l.worst <= 20, "%d refused, %.1f/s, %d in the worst second", l.refused, l.rate(), l.worst)
	return nil
}

func (b *bench) idle(ctx context.Context) error {
	t, o, err := b.started(ctx)
	if err != nil {
		return err
	}
	defer o.Kill()
	var one []time.Duration
	for i := range 20 {
		each, _, err := t.readyAfter(ctx, "a", i, i+1)
		if err != nil {
			return err
		}
		one = append(one, each...)
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	p50 := percentile(one, 50)
	b.row("idle system, one object", "create → Ready p50 ≤ 20 ms + 30 ms", p50 <= latency+30*time.Millisecond, "p50 %s, p95 %s", p50, percentile(one, 95))
	var bursts []time.Duration
	before, err := b.writes(ctx)
	if err != nil {
		return err
	}
	for i := range 5 {
		if err := pause(ctx, 2*time.Second); err != nil {
			return err
		}
		_, all, err := t.readyAfter(ctx, "a", 100+20*i, 120+20*i)
		if err != nil {
			return err
		}
		bursts = append(bursts, all)
	}
	worst := percentile(bursts, 100)
	b.row("20 objects at once on an idle system", "all Ready within 20 ms + 150 ms", worst <= latency+150*time.Millisecond,
		"median %s, worst of 5 %s", percentile(bursts, 50), worst)
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	after, err := b.writes(ctx)
	if err != nil {
		return err
	}
	status, events := float64(after.status-before.status)/100, float64(after.events-before.events)/100
	b.row("API server writes per object served at once", "2 status + 1 event", status <= 2 && events <= 1.001, "%.2f status + %.2f events", status, events)
	return nil
}

func (b *bench) accounts(ctx context.Context) error {
	t, err := b.tenant(ctx)
	if err != nil {
		return err
	}
	names := []string{"a", "b", "c", "d", "e"}
	total, least, err := t.together(ctx, names, 400)
	if err != nil {
		return err
	}
	b.row("5 accounts × 400 objects", "≥ 95 % of 100/s, none below 90 % of its share", total >= 95 && least >= 18, "%.1f/s, the least %.1f of 20/s", total, least)
	return nil
}

// together starts an operator when each account has n objects, and returns the calls a second of all and of the slowest.
func (t *tenant) together(ctx context.Context, names []string, n int) (total, least float64, err error) {
	for _, name := range names {
		if err := errors.Join(t.account(ctx, name), t.create(ctx, name, 0, n, nil)); err != nil {
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

func (b *bench) sharing(ctx context.Context) error {
	t, o, err := b.started(ctx)
	if err != nil {
		return err
	}
	defer o.Kill()
	if err := t.create(ctx, "a", 0, 1500, nil); err != nil {
		return err
	}
	if err := pause(ctx, 10*time.Second); err != nil {
		return err
	}
	from := time.Now()
	if err := t.otherProgram(ctx, time.Minute); err != nil {
		return err
	}
	to := time.Now()
	if err := pause(ctx, 13*time.Second); err != nil {
		return err
	}
	var ours []cdbsim.Call
	others, back := 0, time.Duration(0)
	for _, c := range t.requests("a") {
		in := c.Time.After(from) && c.Time.Before(to)
		switch {
		case c.AsyncRequestID != "other-program":
			ours = append(ours, c)
		case in && c.Code != "RequestLimitExceeded":
			others++
		}
	}
	shared := loadOf(between(ours, from, to))
	left := to.Sub(from).Seconds()*20 - float64(others)
	for back = 0; back < 12*time.Second; back += 100 * time.Millisecond {
		if loadOf(between(ours, to.Add(back), to.Add(back+time.Second))).accepted >= 19 {
			break
		}
	}
	useful, refused := 100*float64(shared.accepted)/left, 100*float64(shared.refused)/float64(shared.requests())
	b.row("another program takes half of the quota for a minute", "≥ 85 % of what is left, refused ≤ 5 %, full again within 10 s",
		useful >= 85 && refused <= 5 && back <= 10*time.Second, "%.0f %% of what is left, %.1f %% refused, full after %s", useful, refused, back)
	return nil
}

// otherProgram calls ten times a second with the credentials of account a.
func (t *tenant) otherProgram(ctx context.Context, d time.Duration) error {
	endpoint, err := tencentcloud.ParseOverride(t.CloudURL)
	if err != nil {
		return err
	}
	cloud := tencentcloud.NewClient(tencentcloud.Endpoints{Override: endpoint})
	creds := importjob.Credentials{SecretID: t.secretID("a"), SecretKey: "key"}
	for begin := time.Now(); time.Since(begin) < d; {
		go func() {
			_, _ = cloud.Stop(ctx, creds, importjob.Target{Region: region, AsyncRequestID: "other-program", Site: importjob.China})
		}()
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
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

func (b *bench) crowd(ctx context.Context) error {
	t, o, err := b.started(ctx)
	if err != nil {
		return err
	}
	defer o.Kill()
	if err := t.account(ctx, "fresh"); err != nil {
		return err
	}
	idle, err := t.sample(ctx, 0, 10)
	if err != nil {
		return err
	}
	if err := t.create(ctx, "a", 0, 10_000, nil); err != nil {
		return err
	}
	if err := pause(ctx, 10*time.Second); err != nil {
		return err
	}
	rss := measure(o.Pid()).rss
	busy, err := t.sample(ctx, 100, 10)
	if err != nil {
		return err
	}
	was, is := percentile(idle, 50), percentile(busy, 50)
	b.row("a fresh object while another account has 10,000 waiting", "≤ 2 × its latency on an idle system", is <= 2*was, "p50 %s, on an idle system %s", is, was)
	b.row("memory at 10,000 waiting", "≤ 150 MiB", rss <= 150, "%d MiB", rss)
	return nil
}

func (b *bench) hang(ctx context.Context) error {
	var totals [2]float64
	names := []string{"a", "b", "c", "d"}
	for i := range totals {
		t, err := b.tenant(ctx)
		if err != nil {
			return err
		}
		if i == 1 {
			b.Cloud.Play(cdbsim.Fault{SecretID: t.secretID("hangs"), Kind: cdbsim.Hang})
			if err := errors.Join(t.account(ctx, "hangs"), t.create(ctx, "hangs", 0, 200, nil)); err != nil {
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

func (b *bench) restart(ctx context.Context) error {
	t, err := b.tenant(ctx)
	if err != nil {
		return err
	}
	if err := t.account(ctx, "a"); err != nil {
		return err
	}
	if err := t.seed(ctx, "a", 10_000); err != nil {
		return err
	}
	if err := t.create(ctx, "a", 10_000, 12_000, nil); err != nil {
		return err
	}
	first, err := t.start(ctx)
	if err != nil {
		return err
	}
	if err := t.accepted(ctx, "a", 300); err != nil {
		return err
	}
	first.Kill()
	killed := time.Now()
	second, err := t.Run(ctx, t.program, "--namespaces="+t.namespace)
	if err != nil {
		return err
	}
	defer second.Kill()
	ready := time.Now()
	if err := pause(ctx, 15*time.Second); err != nil {
		return err
	}
	requests := t.requests("a")
	l, full := loadOf(requests), time.Duration(0)
	for full = 0; full < 15*time.Second; full += 100 * time.Millisecond {
		if loadOf(between(requests, ready.Add(full), ready.Add(full+time.Second))).accepted >= 19 {
			break
		}
	}
	inFlight := loadOf(between(requests, killed.Add(-latency), killed.Add(latency))).requests()
	b.row("kill -9 and restart with 10,000 finished and 2,000 waiting", "no call repeated that was not in flight, window kept, full rate within 3 s of ready",
		l.repeated <= inFlight && l.refused == 0 && l.worst <= 20 && full <= 3*time.Second,
		"%d repeated (%d were in flight), %d in the worst second, full rate %s after ready, ready %s after the kill", l.repeated, inFlight, l.worst, full, ready.Sub(killed).Round(time.Millisecond))
	return nil
}

func (b *bench) finished(ctx context.Context) error {
	t, err := b.tenant(ctx)
	if err != nil {
		return err
	}
	if err := t.account(ctx, "a"); err != nil {
		return err
	}
	if err := t.seed(ctx, "a", 100_000); err != nil {
		return err
	}
	o, err := t.start(ctx)
	if err != nil {
		return err
	}
	defer o.Kill()
	if err := pause(ctx, 20*time.Second); err != nil {
		return err
	}
	rss, requests := measure(o.Pid()).rss, len(t.requests(""))
	b.row("memory at 100,000 finished", "≤ 500 MiB, and no call", rss <= 500 && requests == 0, "%d MiB, %d calls", rss, requests)
	if requests > 0 {
		return fmt.Errorf("%d calls for finished objects", requests)
	}
	return nil
}
