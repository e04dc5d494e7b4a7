// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var key = Key{Account: "a", Host: "h", Action: "x"}

// rig runs callers against a server that judges by arrival.
type rig struct {
	*Budgets[int]
	mu       sync.Mutex
	awake    []int
	arrivals []time.Time
}

func start(limit int) *rig {
	r := &rig{Budgets: New[int](func(string) int { return limit })}
	r.Start(r.wakeUp)
	time.Sleep(period)
	synctest.Wait()
	return r
}

func (r *rig) wakeUp(id int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.awake = append(r.awake, id)
}

// woken are those that were woken so far.
func (r *rig) woken() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.awake)
}

func (r *rig) mustGet(t *testing.T, id int) *Credit {
	t.Helper()
	credit, _ := r.Acquire(key, id)
	if credit == nil {
		t.Fatalf("%d got no credit", id)
	}
	return credit
}

func TestTheFirstCreditsComeOneSecondAfterStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{Budgets: New[int](func(string) int { return 1 })}
		if credit, _ := r.Acquire(key, 1); credit != nil {
			t.Error("a credit before Start")
		}
		r.Start(r.wakeUp)
		time.Sleep(period - time.Nanosecond)
		synctest.Wait()
		if len(r.woken()) != 0 {
			t.Error("a credit within the first second")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if len(r.woken()) != 1 {
			t.Errorf("woken after a second: %v", r.woken())
		}
	})
}

func TestACreditComesBackOneSecondAfterTheAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		credit := r.mustGet(t, 1)
		r.Acquire(key, 2)
		time.Sleep(time.Minute)
		credit.Done(false)
		credit.Done(false)
		time.Sleep(period - time.Nanosecond)
		synctest.Wait()
		if len(r.woken()) != 0 {
			t.Error("it came earlier")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if len(r.woken()) != 1 {
			t.Errorf("woken: %v", r.woken())
		}
		r.mustGet(t, 2).Done(false)
		time.Sleep(period)
	})
}

func TestFirstComeFirstServedAndWhoLeavesGivesItsPlaceOrItsCreditToTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		credit := r.mustGet(t, 1)
		for id := range 4 {
			r.Acquire(key, 10+id)
			r.Acquire(key, 10+id)
		}
		r.Leave(10)
		credit.Done(false)
		time.Sleep(period)
		synctest.Wait()
		r.Leave(11)
		if len(r.woken()) != 2 || r.woken()[0] != 11 || r.woken()[1] != 12 {
			t.Errorf("woken: %v, want 11 and, when it left, 12", r.woken())
		}
		r.mustGet(t, 12).Done(false)
		time.Sleep(period)
		synctest.Wait()
		r.mustGet(t, 13).Done(false)
		time.Sleep(period)
	})
}

func TestACancelledCreditGoesToTheNextAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		credit := r.mustGet(t, 1)
		r.Acquire(key, 2)
		credit.Cancel()
		credit.Done(true)
		if woken := r.woken(); len(woken) != 1 {
			t.Errorf("woken: %v", woken)
		}
		r.mustGet(t, 2).Cancel()
	})
}

func TestARefusalHalvesTheWindowOnceForAllCallsThatWereOutAndPauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(20)
		var credits []*Credit
		for id := range 20 {
			credits = append(credits, r.mustGet(t, id))
		}
		time.Sleep(time.Millisecond)
		for id := range 20 {
			r.Acquire(key, 100+id)
			credits[id].Done(true)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(2 * period)
		synctest.Wait()
		if len(r.woken()) != 10 {
			t.Errorf("%d were served after the refusals, want 10", len(r.woken()))
		}
	})
}

func TestAFullWindowWithoutARefusalOpensItByOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bud := &budget[int]{window: 10}
		for range 10 {
			bud.answered(time.Now(), false, 20)
		}
		if bud.window != 11 {
			t.Errorf("the window is %d", bud.window)
		}
	})
}

func TestABudgetAtRestIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(2)
		r.mustGet(t, 1).Done(false)
		time.Sleep(period)
		synctest.Wait()
		if len(r.budgets) != 0 || len(r.places) != 0 {
			t.Errorf("%d budgets and %d places are left", len(r.budgets), len(r.places))
		}
	})
}

// Whatever the latency, and whenever within it a call arrives, no second at the server sees more than the limit.
func TestNoSecondAtTheServerSeesMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			const limit, callers = 5, 200
			r := start(limit)
			handled, next := 0, callers
			pending := make([]int, callers)
			for i := range pending {
				pending[i] = i
			}
			for len(r.arrivals) < callers*9/10 {
				for _, id := range pending {
					if random.IntN(50) == 0 {
						r.Leave(id)
						continue
					}
					if credit, _ := r.Acquire(key, id); credit != nil {
						sent, latency := time.Now(), time.Duration(random.IntN(2000))*time.Millisecond
						r.arrivals = append(r.arrivals, sent.Add(time.Duration(random.Int64N(int64(latency)+1))))
						time.AfterFunc(latency, func() { credit.Done(false) })
					}
				}
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
				pending = append(r.woken()[handled:], next)
				handled, next = handled+len(pending)-1, next+1
			}
			for _, from := range r.arrivals {
				n := 0
				for _, at := range r.arrivals {
					if !at.Before(from) && at.Before(from.Add(period)) {
						n++
					}
				}
				if n > limit {
					t.Fatalf("seed %d: %d calls in one second", seed, n)
				}
			}
			time.Sleep(5 * period)
		})
	}
}
