// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// waiting is what each turn costs, and how much memory, while 50,000 objects wait in one budget.
func (b *bench) waiting(ctx context.Context) error {
	const few, many = 800, 50_000
	ofFew, err := b.turn(ctx, few)
	if err != nil {
		return err
	}
	ofMany, err := b.turn(ctx, many)
	if err != nil {
		return err
	}
	each := float64(ofMany.rss-ofFew.rss) * 1024 / (many - few)
	b.row("CPU of a turn while 50,000 wait in one budget", "≤ 1.1 × that while some hundreds wait", ofMany.cpu <= ofFew.cpu*11/10,
		"%s ms instead of %s ms, %.1f status writes instead of %.1f", milliseconds(ofMany.cpu), milliseconds(ofFew.cpu), ofMany.status, ofFew.status)
	b.row("memory at 50,000 waiting in one budget", "≤ 6 KiB each", each <= 6, "%.1f KiB each, %d MiB in all", each, ofMany.rss)
	return nil
}

// turn is what it takes to serve one of many that wait.
type turn struct {
	cpu    time.Duration
	status float64 // writes
	rss    int     // MiB of the operator, in all
}

// turn starts an operator where n objects wait, and know it.
func (b *bench) turn(ctx context.Context, n int) (each turn, err error) {
	t, err := b.newCrowd(ctx, "a")
	if err != nil {
		return each, err
	}
	if err := t.seed(ctx, "a", n, queue); err != nil {
		return each, err
	}
	for i := range n {
		t.SetImport(nameOf("a", i), cdbsim.Import{})
	}
	o, err := t.start(ctx)
	if err != nil {
		return each, err
	}
	defer o.Kill()
	if err := untilQuiet(ctx, o); err != nil {
		return each, err
	}
	before, from := measure(o.Pid()), loadOf(t.requests("a")).accepted
	written, err := b.writesDuring(ctx, func() error { return harness.Pause(ctx, 20*time.Second) })
	if err != nil {
		return each, err
	}
	after, to := measure(o.Pid()), loadOf(t.requests("a")).accepted
	if to-from < 100 {
		return each, fmt.Errorf("only %d calls in 20 s", to-from)
	}
	return turn{(after.cpu - before.cpu) / time.Duration(to-from), float64(written.status) / float64(to-from), after.rss}, nil
}

// untilQuiet waits until an operator has looked at all its objects: for less than a third of a core during five seconds.
func untilQuiet(ctx context.Context, o *harness.Operator) error {
	const pause = 5 * time.Second
	for {
		before := measure(o.Pid()).cpu
		if err := harness.Pause(ctx, pause); err != nil {
			return err
		}
		if measure(o.Pid()).cpu-before < pause/3 {
			return nil
		}
	}
}

// queue makes an object look as one that waits and knows it, so that the operator need not write that first.
func queue(o *cdbv1.ImportJobStop) {
	target, now := o.Spec.Target(), metav1.Now()
	o.Status = cdbv1.ImportJobStopStatus{
		ObservedGeneration: o.Generation, Target: &target, StartTime: &now, WaitingSince: &now,
		NextAttemptTime: &metav1.MicroTime{Time: now.Add(45 * time.Minute)}, // 50,000 at 20 a second
	}
	message := "in the queue for the cloud's quota since " + now.UTC().Format(time.RFC3339)
	for kind, status := range map[string]metav1.ConditionStatus{
		cdbv1.ConditionReady: "Unknown", cdbv1.ConditionReconciling: "True", cdbv1.ConditionStalled: "False",
	} {
		meta.SetStatusCondition(&o.Status.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: cdbv1.ReasonWaitingForQuota, Message: message, ObservedGeneration: o.Generation,
		})
	}
}
