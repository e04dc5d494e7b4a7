// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// crowdRows are about many objects.
var crowdRows = []row{
	{"1,000 objects for one import", true, func(f *fixture) {
		f.SetImport("one", cdbsim.Import{})
		f.crowd(1000, 10, func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = f.ImportID("one") })
		f.Start()
		f.settle(1000, isDone)
		accepted := 0
		for _, o := range f.audit.live() {
			if o.Status.RequestID != "" {
				accepted++
			}
		}
		if accepted != 1 {
			f.Errorf("%d record the acceptance", accepted)
		}
		f.inject("same id", 999)
	}},
	{"5,000 objects created while the operator is down", true, func(f *fixture) {
		f.crowd(5000, 20)
		f.inject("created meanwhile", 5000)
		f.Start()
		f.settle(5000, isDone)
	}},
	{"1,000 objects, kill -9 every two seconds", true, func(f *fixture) {
		f.crowd(1000, 5)
		done := func() (n int) {
			for _, o := range f.audit.live() {
				if isDone(o) {
					n++
				}
			}
			return n
		}
		for done() < 1000 {
			f.Start()
			pause(f.Context(), 2*time.Second)
			f.kill()
		}
		f.Start()
		f.settle(1000, isDone)
	}},
}
