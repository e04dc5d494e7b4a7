// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// The write of the attempt panics: neither the object's name nor the credit is lost, and a shutdown waits for nobody.
func TestAPanicInTheWriteOfAnAttemptLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.fail(func(*cdbv1.ImportJobStop) error {
			h.fault = nil
			panic("write")
		})
		_ = h.reconcile()
		if h.inFlight.skip(types.NamespacedName{Namespace: "shop", Name: "stop"}) {
			t.Error("the object is taken for one whose call is out")
		}
		time.Sleep(2 * time.Second)
		if n := len(h.rivals()); n != 20 {
			t.Errorf("%d credits are left of 20", n)
		}
	})
}

// The write of an answer panics: it is tried again, and the call is not.
func TestAPanicInTheWriteOfAnAnswerKeepsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.fail(func(o *cdbv1.ImportJobStop) error {
			if o.Status.RequestID == "" {
				return nil
			}
			h.fault = nil
			panic("write")
		})
		h.settle()
		h.want(cdbv1.ReasonStopAccepted, 1, 2)
		h.wantPanics(1)
	})
}
