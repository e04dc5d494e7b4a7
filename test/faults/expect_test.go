// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// hit waits until a rule was run into so many times.
func (f *fixture) hit(r *rule, times int) {
	f.Helper()
	for range times {
		select {
		case <-r.hit:
			f.inject(string(r.what), 1)
		case <-time.After(f.Patience):
			f.Fatalf("nothing ran into %s", r.what)
		}
	}
}

// called waits until the cloud has seen so many stops.
func (f *fixture) called(n int) {
	f.Helper()
	f.Eventually(fmt.Sprintf("%d calls", n), func() (bool, error) { return len(f.Stops()) >= n, nil })
}

// isDone: stopped by us, or found stopped; held back where that was asked for.
func isDone(o *cdbv1.ImportJobStop) bool {
	if o.Spec.Suspend {
		return harness.HasReason(o, cdbv1.ReasonSuspended, cdbv1.ReasonStopAccepted, cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportStopped)
	}
	return harness.HasReason(o, cdbv1.ReasonStopAccepted, cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportStopped)
}

// settle waits until every live object is as it should be, and at least so many are there.
func (f *fixture) settle(objects int, is func(*cdbv1.ImportJobStop) bool) {
	f.Helper()
	f.Eventually(fmt.Sprintf("%d objects as they should be", objects), func() (bool, error) {
		live := f.audit.live()
		for _, o := range live {
			if !is(o) {
				return false, fmt.Errorf("%s is %+v %+v", o.Name, o.Spec, o.Status)
			}
		}
		return len(live) >= objects, fmt.Errorf("%d are there", len(live))
	})
}

// wantCalls checks how many stops the cloud has seen.
func (f *fixture) wantCalls(want int) {
	f.Helper()
	if n := len(f.Stops()); n != want {
		f.Errorf("%d calls, want %d", n, want)
	}
}
