// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// eventually waits for something to be so.
func (w *fixture) eventually(what string, is func() (bool, error)) {
	w.Helper()
	var last error
	err := wait.PollUntilContextTimeout(w.ctx(), 20*time.Millisecond, w.patience, true, func(context.Context) (done bool, _ error) {
		done, last = is()
		return done, nil
	})
	if err != nil {
		w.Fatalf("%s: not within %s (%v)", what, w.patience, last)
	}
}

// hit waits until a rule was run into so many times.
func (w *fixture) hit(r *rule, times int) {
	w.Helper()
	for range times {
		select {
		case <-r.hit:
			w.inject(string(r.what), 1)
		case <-time.After(w.patience):
			w.Fatalf("nothing ran into %s", r.what)
		}
	}
}

// called waits until the cloud has seen so many stops.
func (w *fixture) called(n int) {
	w.Helper()
	w.eventually(fmt.Sprintf("%d calls", n), func() (bool, error) { return len(w.stops()) >= n, nil })
}

func (w *fixture) stops() (stops []cdbsim.Call) {
	for _, c := range w.cloud.CallLog() {
		if c.Action == "StopDBImportJob" {
			stops = append(stops, c)
		}
	}
	return stops
}

// stopsOf are those for the import of a name.
func (w *fixture) stopsOf(name string) (stops []cdbsim.Call) {
	for _, c := range w.stops() {
		if c.AsyncRequestID == w.id(name) {
			stops = append(stops, c)
		}
	}
	return stops
}

// expect waits until an object has a reason.
func (w *fixture) expect(name, reason string) *cdbv1.ImportJobStop {
	w.Helper()
	return w.expectObject(name, reason, func(o *cdbv1.ImportJobStop) bool { return hasReason(o, reason) })
}

// expectObject waits until an object is as it should be.
func (w *fixture) expectObject(name, what string, is func(*cdbv1.ImportJobStop) bool) *cdbv1.ImportJobStop {
	w.Helper()
	o := &cdbv1.ImportJobStop{}
	err := wait.PollUntilContextTimeout(w.ctx(), 50*time.Millisecond, w.patience, true, func(ctx context.Context) (bool, error) {
		err := env.Client.Get(ctx, w.key(name), o)
		return err == nil && is(o), nil
	})
	if err != nil {
		w.Fatalf("%s did not become %s: %+v %+v", name, what, o.Spec, o.Status)
	}
	return o
}

func ready(o *cdbv1.ImportJobStop) metav1.Condition {
	if c := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// hasReason: the status speaks of the newest spec, and Ready has one of these reasons.
func hasReason(o *cdbv1.ImportJobStop, reasons ...string) bool {
	for _, reason := range reasons {
		if ready(o).Reason == reason && o.Status.ObservedGeneration == o.Generation {
			return true
		}
	}
	return false
}

// isDone: stopped by us, or found stopped; held back where that was asked for.
func isDone(o *cdbv1.ImportJobStop) bool {
	if o.Spec.Suspend {
		return hasReason(o, cdbv1.ReasonSuspended, cdbv1.ReasonStopAccepted, cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportStopped)
	}
	return hasReason(o, cdbv1.ReasonStopAccepted, cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportStopped)
}

// settle waits until every live object is as it should be, and at least so many are there.
func (w *fixture) settle(objects int, is func(*cdbv1.ImportJobStop) bool) {
	w.Helper()
	var last *cdbv1.ImportJobStop
	err := wait.PollUntilContextTimeout(w.ctx(), 50*time.Millisecond, w.patience, true, func(context.Context) (bool, error) {
		live := w.audit.live()
		for _, o := range live {
			if !is(o) {
				last = o
				return false, nil
			}
		}
		return len(live) >= objects, nil
	})
	if err != nil {
		if last == nil {
			w.Fatalf("%d objects are there, want %d", len(w.audit.live()), objects)
		}
		w.Fatalf("lost: %s is %+v %+v", last.Name, last.Spec, last.Status)
	}
}
