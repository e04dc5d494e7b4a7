// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// startAll has budgets of a limit, and a bound for all of them.
func startAll(limit, all int) *fixture {
	r := &fixture{Limiter: New[int](func(string) int { return limit }, all)}
	r.Start(r.wake)
	pass(period)
	return r
}

func TestAllBudgetsTogetherStayWithinTheirBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := startAll(2, 3)
		first, second := r.mustGetOf(t, "a", 1), r.mustGetOf(t, "a", 2)
		third := r.mustGetOf(t, "b", 3)
		if credit, _ := r.Acquire(keyOf("b"), 4); credit != nil {
			t.Error("a fourth credit of three")
		}
		first.Wait() // a call counts for one second after it was sent, however long its answer takes
		pass(period - time.Nanosecond)
		if woken := r.woken(); len(woken) > 0 {
			t.Errorf("woken within the second: %v", woken)
		}
		pass(time.Nanosecond)
		if woken := fmt.Sprint(r.woken()); woken != "[4]" {
			t.Errorf("woken after the second: %s", woken)
		}
		for _, credit := range []*Credit{second, third, r.mustGetOf(t, "b", 4)} {
			credit.Cancel()
		}
		first.Done(false)
		pass(2 * period)
		if r.total.inUse != 0 || len(r.accounts) != 0 {
			t.Errorf("%d are in use, %d accounts are kept", r.total.inUse, len(r.accounts))
		}
	})
}

// A namespace with a thousand invented accounts delays another one's real account by a turn, not by a thousand.
func TestNamespacesTakeTurnsInTheBoundOfAllBudgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := startAll(2, 1)
		credit := r.mustGetOf(t, "real", 1)
		for id := range 1000 {
			r.Limiter.Acquire(keyOf(fmt.Sprint(id)), 1000+id, rank("attacker", id, ""))
		}
		for id := range 3 {
			r.Limiter.Acquire(keyOf("real"), 10+id, rank("victim", 5000+id, ""))
		}
		r.Leave(1000)
		var served []int
		for range 6 {
			credit.Cancel()
			pass(period)
			id := r.woken()[len(r.woken())-1]
			served = append(served, id)
			if account := fmt.Sprint(id - 1000); id >= 1000 {
				credit = r.mustGetOf(t, account, id)
			} else {
				credit = r.mustGetOf(t, "real", id)
			}
		}
		if got := fmt.Sprint(served); got != "[1001 10 1002 11 1003 12]" {
			t.Errorf("served: %s", got)
		}
		for id := range 1000 {
			r.Leave(1000 + id)
		}
		credit.Cancel()
	})
}

// Whatever the latencies are, whoever leaves, cancels or is refused: no second sees more calls sent than the bound, and nobody is forgotten.
func TestNoSecondSeesMoreCallsThanTheBoundOfAllBudgets(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			const all = 4
			r := startAll(1+random.IntN(3), all)
			var mu sync.Mutex
			var sent []time.Time
			account := map[int]string{}
			handled := 0
			for id := range 150 {
				asked := r.woken()[handled:]
				handled += len(asked)
				if id < 60 {
					account[id] = fmt.Sprint(random.IntN(20))
					asked = append(asked, id)
				}
				for _, id := range asked {
					credit, _ := r.Limiter.Acquire(keyOf(account[id]), id, rank(fmt.Sprint(id%3), id, ""))
					if credit == nil {
						continue
					}
					if random.IntN(8) == 0 {
						credit.Cancel()
						continue
					}
					latency, refused := time.Duration(random.IntN(3000))*time.Millisecond, random.IntN(10) == 0
					go func() {
						credit.Wait()
						mu.Lock()
						sent = append(sent, time.Now())
						mu.Unlock()
						time.Sleep(latency)
						credit.Done(refused)
					}()
				}
				if id < 60 && random.IntN(8) == 0 {
					r.Leave(random.IntN(60))
				}
				pass(time.Duration(random.IntN(500)) * time.Millisecond)
			}
			pass(time.Minute)
			for id := range r.waiters {
				if r.waiters[id].node != nil {
					t.Fatalf("seed %d: %d is forgotten: %+v", seed, id, r.States())
				}
			}
			for _, from := range sent {
				if n := within(sent, from, from.Add(period)); n > all {
					t.Fatalf("seed %d: %d calls in one second", seed, n)
				}
			}
			for id := range 150 {
				r.Leave(id)
			}
			pass(2 * retention)
			if r.total.inUse != 0 || len(r.accounts) != 0 {
				t.Fatalf("seed %d: %d are in use, %d accounts are kept", seed, r.total.inUse, len(r.accounts))
			}
		})
	}
}
