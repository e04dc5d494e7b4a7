// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

// since is when the object joined the queue of its budget.
func (h *hostile) since() time.Time {
	h.Helper()
	credit, wait := h.Quota.Acquire(h.budget(), client.ObjectKeyFromObject(request()), quota.Rank{})
	if credit != nil {
		h.Fatal("the object has a credit, not a place")
	}
	return wait.Since
}

// tellWait writes into status that the object waits for its turn, and requests a retry.
func (h *hostile) tellWait(since time.Time) {
	h.put(func(o *cdbv1.ImportJobStop) {
		lifecycle.WaitForQuota(time.Now(), since, time.Minute)(o)
		o.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: "now"}
	})
}

// A retry is requested for an object that has a place, or a credit in hand: it keeps it.
func TestARequestedRetryKeepsThePlaceInTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.rivals()
		_ = h.reconcile()
		since := h.since()
		time.Sleep(7 * time.Second)
		h.tellWait(since)
		for range 3 {
			_ = h.reconcile()
		}
		h.want(cdbv1.ReasonWaitingForQuota, 0, 0)
		if got := h.since(); !got.Equal(since) {
			t.Errorf("it has a place since %s, it joined at %s", got, since)
		}
	})
}

func TestARequestedRetryKeepsTheCreditInHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		credits := h.rivals()
		_ = h.reconcile()
		h.tellWait(h.since())
		next := types.NamespacedName{Name: "next"}
		h.Quota.Acquire(h.budget(), next, quota.Rank{Owner: "shop", Created: time.Now()})
		credits[0].Cancel() // the object has the credit in hand
		_ = h.reconcile()
		if got := h.cloud.stops.Load(); got != 1 {
			t.Errorf("%d stops, want one at once", got)
		}
	})
}

// The Secret cannot be read while a credit is in hand: others get it.
func TestACreditThatCannotBeUsedIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		credits := h.rivals()
		_ = h.reconcile()
		time.Sleep(2 * time.Second) // what was read of the Secret is kept no longer
		credits[0].Cancel()
		h.failLive(func(o client.Object) error {
			if _, ok := o.(*corev1.Secret); ok {
				return apierrors.NewInternalError(errDown)
			}
			return nil
		})
		if err := h.reconcile(); err == nil {
			t.Error("the read of the Secret failed, and reconcile did not")
		}
		if credit, _ := h.Quota.Acquire(h.budget(), types.NamespacedName{Name: "other"}, quota.Rank{}); credit == nil {
			t.Error("the credit stays in the hand of an object that cannot go on")
		}
		h.want("", 0, 0)
	})
}

// Once accepted, nothing sends a second stop: not after a restart, not when more is asked for.
func TestAnAcceptedStopIsFinalAfterARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.settle()
		h.restart()
		h.settle()
		h.want(cdbv1.ReasonStopAccepted, 1, 2)
		h.put(func(o *cdbv1.ImportJobStop) {
			o.Spec.WaitFor, o.Generation = cdbv1.WaitForStopped, 2
			o.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: "now"}
		})
		h.restart()
		h.settle()
		h.restart()
		h.settle()
		h.want(cdbv1.ReasonImportStopped, 1, int(h.writes.Load()))
	})
}

// shiftMonotonic moves the monotonic reading of a time and leaves its wall clock.
func shiftMonotonic(at time.Time, by time.Duration) time.Time {
	(*struct {
		wall uint64
		ext  int64
		loc  *time.Location
	})(unsafe.Pointer(&at)).ext += int64(by)
	return at
}

// The Lease was renewed for the last time when the attempt was recorded: another process may lead when its call is due.
func TestNoCallIsSentOnceAnotherProcessMayLead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.Leads = func() bool { return h.writes.Load() == 0 }
		_ = h.reconcile()
		h.want(cdbv1.ReasonRetryScheduled, 0, 2)
	})
}

func TestAnAttemptIsAsOldAsTheClockSaysThatSaysMore(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for name, test := range map[string]struct {
		now  time.Time
		want time.Duration
	}{
		"at once":                  {start, 0},
		"both clocks went on":      {start.Add(time.Minute), time.Minute},
		"the machine slept":        {shiftMonotonic(start.Add(time.Hour), -time.Hour+time.Second), time.Hour},
		"the clock was set back":   {shiftMonotonic(start.Add(-time.Hour), time.Hour+time.Minute), time.Minute},
		"the clock was set ahead":  {shiftMonotonic(start.Add(time.Hour), -time.Hour), time.Hour},
		"no monotonic clock to go": {start.Round(0).Add(time.Minute), time.Minute},
	} {
		if got := AgeOf(start, test.now); got.Round(time.Millisecond) != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
