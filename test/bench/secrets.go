// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// strangers is about the memory of the operator while the cluster has Secrets that no object names: 500 MiB of annotations.
func (b *bench) strangers(ctx context.Context) error {
	t, err := b.newCrowd(ctx, "a")
	if err != nil {
		return err
	}
	without, err := t.memoryAfter(ctx, 0)
	if err != nil {
		return err
	}
	defer func() { // also when it fails: the API server keeps them in memory
		_ = b.Client.DeleteAllOf(context.WithoutCancel(ctx), &corev1.Secret{}, client.InNamespace(t.Namespace), client.MatchingLabels{"of": "strangers"})
	}()
	begin := time.Now()
	if err := t.fill(ctx, 2000, 250<<10); err != nil {
		return err
	}
	fmt.Printf("  2,000 Secrets in %s\n", time.Since(begin).Round(time.Second))
	with, err := t.memoryAfter(ctx, 3)
	if err != nil {
		return err
	}
	b.row("memory with 2,000 Secrets of 250 KiB of annotations in the cluster", "as without ± 5 MiB", with-without <= 5 && without-with <= 5,
		"%d MiB, without them %d MiB", with, without)
	return nil
}

// fill creates n Secrets with annotations of a size, in the namespace that the operator watches.
func (t crowd) fill(ctx context.Context, n, size int) error {
	annotations := map[string]string{"junk": strings.Repeat("x", size-len("junk"))}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8) // each request is held in memory by client, API server and etcd
	for i := range n {
		group.Go(func() error {
			return t.Client.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
				Namespace: t.Namespace, Name: fmt.Sprintf("stranger-%d", i), Labels: map[string]string{"of": "strangers"}, Annotations: annotations,
			}})
		})
	}
	return group.Wait()
}

// memory is the median of three operators that each have stopped 100 imports. Round is the number of the first of them.
func (t crowd) memoryAfter(ctx context.Context, round int) (rss int, err error) {
	var all []int
	for i := range 3 {
		o, err := t.start(ctx)
		if err != nil {
			return 0, err
		}
		from := 100 * (round + i)
		if err = t.create(ctx, "a", from, from+100); err == nil {
			err = t.accepted(ctx, "a", from+100)
		}
		if err == nil {
			err = harness.Pause(ctx, 2*time.Second)
		}
		all = append(all, measure(o.Pid()).rss)
		o.Kill()
		if err != nil {
			return 0, err
		}
	}
	slices.Sort(all)
	return all[1], nil
}

// badSecret is how long a stranger's stop takes while 3,000 objects of another namespace wait for one large Secret that is wrong, and
// that is changed all the time: first only in what nobody reads, then also in what is wrong with it, which all 3,000 must be told.
func (b *bench) badSecret(ctx context.Context) error {
	stranger, err := b.newCrowd(ctx, "fresh")
	if err != nil {
		return err
	}
	many, err := b.newCrowd(ctx)
	if err != nil {
		return err
	}
	o, err := stranger.start(ctx, "--namespaces="+stranger.Namespace+","+many.Namespace)
	if err != nil {
		return err
	}
	defer o.Kill()
	idle, err := stranger.sample(ctx, "fresh", 0, 20)
	if err != nil {
		return err
	}
	if err := b.Client.Create(ctx, many.bad(0, 0)); err != nil {
		return err
	}
	if err := many.create(ctx, "bad", 0, 3000); err != nil {
		return err
	}
	var busy [2]underChange
	for i := range busy {
		if busy[i], err = b.underChange(ctx, many, stranger, i == 1, 100*(i+1)); err != nil {
			return err
		}
		busy[i].rss = measure(o.Pid()).rss
	}
	o.Kill()
	bare, err := b.bareIn(stranger).start(ctx)
	if err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	defer bare.Kill()
	was := percentile(idle, 50)
	for i, what := range []string{"in its junk", "in what is wrong with it"} {
		floor, err := b.underChange(ctx, many, stranger, i == 1, 1000+100*i)
		if err != nil {
			return fmt.Errorf("the floor: %w", err)
		}
		is, least := percentile(busy[i].each, 50), percentile(floor.each, 50)
		b.rowBeside(fmt.Sprintf("p50 %s, worst of 20 %s (%s)", least, percentile(floor.each, 100), times(is, least)),
			"a stranger's stop while 3,000 wait for a bad Secret of 900 KiB that changes "+what, "≤ 3 × its latency on an idle system", is <= 3*was,
			"p50 %s, worst of 20 %s, on an idle system p50 %s; %.1f changes/s, %.0f status writes/s, %d MiB",
			is, percentile(busy[i].each, 100), was, busy[i].changes, busy[i].written, busy[i].rss)
	}
	return nil
}

// underChange is what happened while a bad Secret changed.
type underChange struct {
	each             []time.Duration // of the stranger's stops
	changes, written float64         // Secrets and statuses, a second
	rss              int             // MiB
}

// underChange samples a stranger's stops from a number on.
func (b *bench) underChange(ctx context.Context, many, stranger crowd, wrongness bool, from int) (u underChange, err error) {
	begin, changes := time.Now(), 0
	written, err := b.writesDuring(ctx, func() (err error) {
		changes, err = many.whileBadSecretChanges(ctx, wrongness, func() (err error) {
			u.each, err = stranger.sample(ctx, "fresh", from, 20)
			return err
		})
		return err
	})
	took := time.Since(begin).Seconds()
	u.changes, u.written = float64(changes)/took, float64(written.status)/took
	return u, err
}

// whileBadSecretChanges does something ten seconds after the bad Secret began to change, and returns how often it did.
func (t crowd) whileBadSecretChanges(ctx context.Context, wrongness bool, do func() error) (int, error) {
	changing, stop := context.WithCancel(ctx)
	defer stop()
	changes := make(chan int, 1)
	go func() { changes <- t.keepChanging(changing, wrongness) }()
	if err := harness.Pause(ctx, 10*time.Second); err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	stop()
	return <-changes, nil
}

// bad is a Secret of 900 KiB that cannot be used, in one of several ways.
func (t crowd) bad(change, way int) *corev1.Secret {
	data := map[string][]byte{
		"secretId": []byte(t.AccountOf("bad").SecretID), "secretKey": []byte("a key"), "junk": fmt.Appendf(nil, "%0*d", 900<<10, change),
	}
	switch way % 4 {
	case 1:
		delete(data, "secretKey")
	case 2:
		data["secretId"] = []byte("an id")
	case 3:
		data["secretKey"], data["token"] = []byte("key"), []byte("a token")
	}
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: "bad"}, Data: data}
}

// keepChanging writes the bad Secret seven times a second until ctx ends, and returns how often it did.
func (t crowd) keepChanging(ctx context.Context, wrongness bool) (changes int) {
	tick := time.NewTicker(time.Second / 7)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return changes
		case <-tick.C:
			way := 0
			if wrongness {
				way = changes + 1
			}
			if t.Client.Update(ctx, t.bad(changes+1, way)) == nil {
				changes++
			}
		}
	}
}
