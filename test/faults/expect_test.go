// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// hit waits until a rule was run into so many times.
func (w *fixture) hit(r *rule, times int) {
	w.Helper()
	for range times {
		select {
		case <-r.hit:
			w.inject(string(r.what), 1)
		case <-time.After(w.Patience):
			w.Fatalf("nothing ran into %s", r.what)
		}
	}
}

// called waits until the cloud has seen so many stops.
func (w *fixture) called(n int) {
	w.Helper()
	w.Eventually(fmt.Sprintf("%d calls", n), func() (bool, error) { return len(w.Stops()) >= n, nil })
}

// isDone: stopped by us, or found stopped; held back where that was asked for.
func isDone(o *cdbv1.ImportJobStop) bool {
	if o.Spec.Suspend {
		return harness.HasReason(o, cdbv1.ReasonSuspended, cdbv1.ReasonStopAccepted, cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportStopped)
	}
	return harness.HasReason(o, cdbv1.ReasonStopAccepted, cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportStopped)
}

// settle waits until every live object is as it should be, and at least so many are there.
func (w *fixture) settle(objects int, is func(*cdbv1.ImportJobStop) bool) {
	w.Helper()
	w.Eventually(fmt.Sprintf("%d objects as they should be", objects), func() (bool, error) {
		live := w.audit.live()
		for _, o := range live {
			if !is(o) {
				return false, fmt.Errorf("%s is %+v %+v", o.Name, o.Spec, o.Status)
			}
		}
		return len(live) >= objects, fmt.Errorf("%d are there", len(live))
	})
}

// wantCalls checks how many stops the cloud has seen.
func (w *fixture) wantCalls(want int) {
	w.Helper()
	if n := len(w.Stops()); n != want {
		w.Errorf("%d calls, want %d", n, want)
	}
}
