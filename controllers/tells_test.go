// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// turn is one object that was enqueued to tell.
type turn struct {
	name     string
	priority int
	at       time.Duration
}

// turnsOf runs tells for a while, and returns what it enqueues. A write takes as long as takes says; zero: for ever.
func turnsOf(t *testing.T, tells *tells, d, takes time.Duration) (turns []turn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	begin := time.Now()
	tells.run(ctx, func(key types.NamespacedName, priority int) {
		turns = append(turns, turn{key.Name, priority, time.Since(begin)})
		if takes == 0 {
			return
		}
		go func() {
			end := tells.begin(key)
			time.Sleep(takes)
			end()
		}()
	})
	synctest.Wait()
	return turns
}

func fill(tells *tells, n int, at time.Time) {
	for i := range n {
		tells.add(types.NamespacedName{Name: fmt.Sprint(i)}, at.Add(time.Duration(i)))
	}
}

// When nothing else is to do, one tells after the other, in the order of their times, and none before its time.
func TestOneTellsAfterTheOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tells tells
		at := time.Now().Add(time.Second)
		fill(&tells, 3, at)
		tells.add(types.NamespacedName{Name: "gone"}, at)
		tells.begin(types.NamespacedName{Name: "gone"})()
		got := turnsOf(t, &tells, time.Minute, 3*time.Millisecond)
		ms := time.Millisecond
		if want := []turn{{"0", priorityTells, 1000 * ms}, {"1", priorityTells, 1003 * ms}, {"2", priorityTells, 1006 * ms}}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		if len(tells.turns)+tells.queue.Len() > 0 {
			t.Errorf("%d turns and %d entries are kept", len(tells.turns), tells.queue.Len())
		}
	})
}

// When others keep the workers busy, 20 a second come before them.
func TestTwentyASecondTellWhateverElseIsToDo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tells tells
		fill(&tells, 1000, time.Now())
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		count := 0
		tells.run(ctx, func(key types.NamespacedName, priority int) {
			if priority == priorityCredit { // what comes later than others never comes
				count++
				go tells.begin(key)()
			}
		})
		if count < 199 {
			t.Errorf("%d have told in ten seconds", count)
		}
		synctest.Wait()
	})
}

// While the API server hangs, telling leaves workers to others.
func TestTellingLeavesWorkersToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tells tells
		fill(&tells, 100, time.Now())
		if got := turnsOf(t, &tells, time.Minute, 0); len(got) != 2*maxTellTurns {
			t.Errorf("%d times enqueued, want %d twice", len(got), maxTellTurns)
		}
	})
}

// A turn that is given while its object is being reconciled, as when that has just asked for it, is used by the next reconcile.
func TestATurnOutlivesTheReconcileThatAskedForIt(t *testing.T) {
	t.Parallel()
	var tells tells
	key := types.NamespacedName{Name: "a"}
	end := tells.begin(key)
	tells.add(key, time.Now())
	_, _, _ = tells.next(time.Now())
	end()
	if !tells.hasTurn(key) {
		t.Error("the turn ended before anybody used it")
	}
	tells.begin(key)()
	if tells.hasTurn(key) {
		t.Error("the turn was used, and goes on")
	}
}

// giveTurns lets objects tell that they wait, one after the other.
func (h *hostile) giveTurns() {
	h.enqueue = func(key types.NamespacedName, _ int) { go func() { _ = h.reconcileNamed(key) }() }
	go h.tells.run(h.Context(), h.enqueue)
}

// A burst costs no write before something else is to do, and one for each object that waits for long.
func TestABurstIsToldOnceEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		credits := h.rivals()
		for range 5 {
			_ = h.reconcile()
		}
		h.want("", 0, 0) // it waits for its turn to tell
		h.giveTurns()
		time.Sleep(4 * time.Second)
		synctest.Wait()
		h.want("", 0, 0)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		h.want(cdbv1.ReasonWaitingForQuota, 0, 1)
		expected := h.get().Status.NextAttemptTime.Time
		time.Sleep(time.Minute)
		synctest.Wait()
		next := h.get().Status.NextAttemptTime.Time
		if !next.After(expected) || time.Until(next) < -10*time.Second {
			t.Errorf("the turn was expected at %s, and is at %s, which is %s ago", expected, next, time.Since(next))
		}
		for _, credit := range credits {
			credit.Cancel()
		}
	})
}

// A wait that is worth telling is told in its turn, and not whenever somebody looks at the object.
func TestALongWaitIsToldInItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		credits := h.rivals()
		_ = h.reconcile()
		time.Sleep(6 * time.Second)
		_ = h.reconcile()
		h.want("", 0, 0)
		for _, credit := range credits {
			credit.Cancel()
		}
	})
}

// An object that can only wait says so in its turn: thousands of them keep nobody else waiting.
func TestWhatOnlyWaitsSaysSoInItsTurn(t *testing.T) {
	t.Parallel()
	for reason, prepare := range map[string]func(*hostile){
		cdbv1.ReasonCredentialsNotFound: func(h *hostile) { h.withSecret(nil) },
		cdbv1.ReasonSuspended: func(h *hostile) {
			h.put(func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true; o.Generation++ })
		},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHostile(t)
				prepare(h)
				_ = h.reconcile()
				h.want("", 0, 0)
				h.giveTurns()
				synctest.Wait()
				h.want(reason, 0, 1)
			})
		})
	}
}

// Thousands wait for their turns: a Secret that comes meanwhile needs none.
func TestASecretThatComesBeforeTheTurnIsNoticed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.withSecret(nil)
		go h.credentials.Run(h.Context(), func(key types.NamespacedName) { _ = h.reconcileNamed(key) })
		_ = h.reconcile()
		h.withSecret(map[string][]byte{"secretId": []byte("id"), "secretKey": []byte("key")})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

// A write that fails in its turn gets another turn, whatever else is to do.
func TestATurnThatFailsIsGivenAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.withSecret(nil)
		h.fail(func(*cdbv1.ImportJobStop) error { return errDown })
		_ = h.reconcile()
		h.giveTurns() // and nothing is reconciled without one
		time.Sleep(time.Second)
		h.fail(nil)
		time.Sleep(maxRetry)
		synctest.Wait()
		h.want(cdbv1.ReasonCredentialsNotFound, 0, 1)
	})
}

// The status is about another spec: that is no write that only tells.
func TestAnEditOfAWaitingObjectIsObservedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.rivals()
		h.put(func(o *cdbv1.ImportJobStop) {
			target := o.Spec.Target()
			o.Status.Target, o.Status.ObservedGeneration, o.Generation = &target, 1, 2
		})
		_ = h.reconcile()
		h.want(cdbv1.ReasonWaitingForQuota, 0, 1)
		if got := h.get(); got.Status.ObservedGeneration != got.Generation {
			t.Errorf("generation %d is observed of %d", got.Status.ObservedGeneration, got.Generation)
		}
	})
}
