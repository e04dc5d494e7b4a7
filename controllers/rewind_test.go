// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"testing/synctest"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// While the call is out, a restore of etcd, a person or a proxy that only said it had written takes the record of the attempt away.
// The process knows the answer: it is written, and nothing is stopped a second time.
func TestAnAnswerOutlivesARecordThatWasTakenBack(t *testing.T) {
	t.Parallel()
	for name, takeBack := range map[string]func(*cdbv1.ImportJobStop){
		"all of the status": func(o *cdbv1.ImportJobStop) { o.Status = cdbv1.ImportJobStopStatus{ObservedGeneration: -1} },
		"the attempt":       func(o *cdbv1.ImportJobStop) { o.Status.LastAttempt = nil },
		"to an earlier attempt": func(o *cdbv1.ImportJobStop) {
			o.Status.Attempts--
			o.Status.LastAttempt = &cdbv1.Attempt{StartTime: *o.Status.LastAttempt.StartTime.DeepCopy()}
			o.Status.LastAttempt.StartTime.Time = o.Status.LastAttempt.StartTime.Add(-time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHostile(t)
				h.cloud.takes = 5 * time.Second
				_, _ = h.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(request())})
				h.put(takeBack)
				time.Sleep(time.Minute)
				h.settle()
				h.want(cdbv1.ReasonStopAccepted, 1, 2)
				if got := h.get().Status; got.RequestID != "r-1" || got.Attempts != 1 || got.LastAttempt == nil || got.LastAttempt.RequestID != "r-1" {
					t.Errorf("status %+v", got)
				}
			})
		})
	}
}

// The record is taken away while the id that was found is written into spec: it is still the import that the call stopped.
func TestAnAnswerOutlivesARecordThatWasTakenBackFromAPinnedObject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newLookupFixture(t)
		h.cloud.takes = 5 * time.Second
		for h.cloud.stops.Load() == 0 {
			_ = h.reconcile()
		}
		h.put(func(o *cdbv1.ImportJobStop) {
			o.Spec.AsyncRequestID, o.Generation = "a-170", o.Generation+1
			o.Status = cdbv1.ImportJobStopStatus{ObservedGeneration: -1}
		})
		h.settle()
		if got := h.get().Status; h.cloud.stops.Load() != 1 || got.RequestID != "r-1" || got.LastAttempt == nil {
			t.Errorf("after %d stops status is %+v", h.cloud.stops.Load(), got)
		}
	})
}
