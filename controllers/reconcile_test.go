// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/credentials"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

func TestAResyncAfterSuccessDoesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		for range 5 {
			if err := r.reconcile(); err != nil {
				t.Error(err)
			}
		}
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

func TestNothingIsSentThatIsNotWrittenDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.fail(func(*cdbv1.ImportJobStop) error { return errDown })
		for range 3 {
			if err := r.reconcile(); !errors.Is(err, errDown) {
				t.Errorf("the error is %v", err)
			}
		}
		r.want("", 0, 0)
	})
}

func TestTheWriteOfAnAnswerIsRetriedAndNotTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.failOutcomes()
		for range 3 {
			if err := r.reconcile(); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
		}
		r.want(cdbv1.ReasonStopping, 1, 1)
		r.fail(nil)
		time.Sleep(maxWriteRetry)
		synctest.Wait()
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

// Also a process that is told to end keeps trying for as long as it may live.
func TestAShutdownWaitsForTheWriteOfAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.failOutcomes()
		ctx, cancel := context.WithCancel(t.Context())
		_, _ = r.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(request())})
		cancel()
		time.AfterFunc(5*time.Second, func() { r.fail(nil) })
		r.inFlight.drain()
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

func TestAnOldCopyInTheCacheSendsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.stale = r.get()
		for range 3 {
			if err := r.reconcile(); err != nil {
				t.Error(err)
			}
		}
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
		r.expectations.forget(client.ObjectKeyFromObject(request())) // as after a restart
		if err := r.reconcile(); err != nil {
			t.Error(err)
		}
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

// The spec changes while the call is in flight: its result is written all the same, and then the new target is looked at.
func TestAnAnswerIsWrittenOverAConflict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		conflict := apierrors.NewConflict(cdbv1.GroupVersion.WithResource("importjobstops").GroupResource(), "stop", errDown)
		r.fail(func(o *cdbv1.ImportJobStop) error {
			if o.Status.RequestID == "" {
				return nil
			}
			r.fault = nil
			return conflict
		})
		if err := r.reconcile(); err != nil {
			t.Error(err)
		}
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

// Somebody changes the object at the very moment of its turn: it looks again, and has its turn all the same.
func TestAConflictDoesNotCostTheTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		account := credentials.FingerprintOf(importjob.Credentials{SecretID: "id", SecretKey: "key"})
		rival := func(name string) *quota.Credit {
			key := quota.Key{Account: string(account[:]), Host: r.cloud.Host(lifecycle.Target(request())), Action: string(importjob.ActionStop)}
			credit, _ := r.Quota.Acquire(key, types.NamespacedName{Name: name}, quota.Rank{})
			return credit
		}
		for i := range 19 {
			if rival(fmt.Sprint(i)) == nil {
				t.Fatal("the budget is not open")
			}
		}
		r.fail(func(*cdbv1.ImportJobStop) error {
			r.fault = nil
			return apierrors.NewConflict(cdbv1.GroupVersion.WithResource("importjobstops").GroupResource(), "stop", errDown)
		})
		if err := r.reconcile(); err != nil {
			t.Error(err)
		}
		if rival("late") != nil {
			t.Error("somebody else has its turn")
		}
		if err := r.reconcile(); err != nil {
			t.Error(err)
		}
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

func TestALaterAttemptOfAnotherOperatorIsNotOverwritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.failOutcomes()
		_ = r.reconcile()
		time.Sleep(time.Second)
		other := r.get()
		lifecycle.RecordAttempt(time.Now())(other)
		if err := r.APIReader.(client.Client).Status().Update(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		r.fail(nil)
		time.Sleep(maxRetry)
		synctest.Wait()
		r.want(cdbv1.ReasonStopping, 1, 1)
	})
}

func TestAShutdownWaitsForTheAnswerAndLetsNoNewCallBegin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.cloud.takes = 5 * time.Second
		_, _ = r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(request())})
		r.inFlight.drain()
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
		other := request()
		other.Name = "late"
		if err := r.APIReader.(client.Client).Create(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		_, _ = r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(other)})
		synctest.Wait()
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

func TestWhileACallIsOutNothingElseIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.cloud.takes = 5 * time.Second
		for range 3 {
			_ = r.reconcile()
		}
		r.want(cdbv1.ReasonStopping, 1, 1)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}
