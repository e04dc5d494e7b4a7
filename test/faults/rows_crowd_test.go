// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// crowdRows are about many objects.
var crowdRows = []row{
	{"1,000 objects for one import", true, func(w *fixture) {
		w.SetImport("one", cdbsim.Import{})
		w.crowd(1000, 10, func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = w.ImportID("one") })
		w.Start()
		w.settle(1000, isDone)
		accepted := 0
		for _, o := range w.audit.live() {
			if o.Status.RequestID != "" {
				accepted++
			}
		}
		if accepted != 1 {
			w.Errorf("%d claim the acceptance", accepted)
		}
		w.inject("same id", 999)
	}},
	{"5,000 objects created while the operator is down", true, func(w *fixture) {
		w.crowd(5000, 20)
		w.inject("created meanwhile", 5000)
		w.Start()
		w.settle(5000, isDone)
	}},
	{"1,000 objects, kill -9 every two seconds", true, func(w *fixture) {
		w.crowd(1000, 5)
		done := func() (n int) {
			for _, o := range w.audit.live() {
				if isDone(o) {
					n++
				}
			}
			return n
		}
		for done() < 1000 {
			w.Start()
			pause(w.Context(), 2*time.Second)
			w.kill()
		}
		w.Start()
		w.settle(1000, isDone)
	}},
}
