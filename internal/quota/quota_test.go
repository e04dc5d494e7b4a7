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

// fixture runs callers against a server that judges by arrival.
type fixture struct {
	*Limiter[int]
	mu       sync.Mutex
	awake    []int
	arrivals []time.Time
}

func start(limit int) *fixture {
	r := &fixture{Limiter: New[int](func(string) int { return limit })}
	r.Start(r.wake)
	pass(period)
	return r
}

// pass lets time go by, and all that it brings happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *fixture) wake(id int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.awake = append(r.awake, id)
}

// woken are those that were woken so far.
func (r *fixture) woken() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.awake)
}

func (r *fixture) mustGet(t *testing.T, id int) *Credit {
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
		r := &fixture{Limiter: New[int](func(string) int { return 1 })}
		if credit, _ := r.Acquire(key, 1); credit != nil {
			t.Error("a credit before Start")
		}
		r.Start(r.wake)
		pass(period - time.Nanosecond)
		if len(r.woken()) != 0 {
			t.Error("a credit within the first second")
		}
		pass(time.Nanosecond)
		if len(r.woken()) != 1 {
			t.Errorf("woken after a second: %v", r.woken())
		}
	})
}

func TestACreditComesBackOneSecondAfterTheAnswerAndIsHandedToWhoIsInLineFiftyMillisecondsBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		credit := r.mustGet(t, 1)
		r.Acquire(key, 2)
		time.Sleep(time.Minute)
		credit.Done(false)
		credit.Done(false)
		answered := time.Now()
		pass(period - headStart - time.Nanosecond)
		if len(r.woken()) != 0 {
			t.Error("it came earlier than its head start")
		}
		pass(time.Nanosecond)
		if len(r.woken()) != 1 {
			t.Errorf("woken: %v", r.woken())
		}
		credit = r.mustGet(t, 2)
		credit.Wait()
		if took := time.Since(answered); took != period {
			t.Errorf("it may be used %s after the answer", took)
		}
		credit.Done(false)
		time.Sleep(period)
	})
}

func TestNobodyElseGetsACreditBeforeItMayBeUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		r.mustGet(t, 1).Done(false)
		time.Sleep(period - time.Nanosecond)
		if credit, _ := r.Acquire(key, 2); credit != nil {
			t.Error("nobody waited, and the next got it earlier")
		}
		pass(time.Nanosecond)
		r.mustGet(t, 2).Done(false)
		answered := time.Now()
		r.Acquire(key, 3)
		pass(period - headStart)
		r.Leave(3) // which leaves the budget at rest
		credit := r.mustGet(t, 4)
		credit.Wait()
		if took := time.Since(answered); took != period {
			t.Errorf("the waiter left, and the next used it after %s", took)
		}
		credit.Cancel()
	})
}

// A pause can outlast every call that was out, so that no answer wakes who comes then.
func TestWhoComesWhileABudgetIsPausedIsWoken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(2)
		r.mustGet(t, 1).Done(true)
		pass(period)
		if credit, _ := r.Acquire(key, 2); credit != nil {
			t.Error("a credit during the pause")
		}
		pass(period)
		if len(r.woken()) != 1 {
			t.Error("it was forgotten in the queue")
		}
		r.Leave(2)
	})
}

func TestFirstComeFirstServedAndWhoLeavesGivesItsPlaceOrCreditToTheNext(t *testing.T) {
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
		pass(period)
		r.Leave(11)
		pass(period / 2)
		if len(r.woken()) != 2 || r.woken()[0] != 11 || r.woken()[1] != 12 {
			t.Errorf("woken: %v, want 11 and, when it left, 12", r.woken())
		}
		r.mustGet(t, 12).Done(false)
		pass(period)
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

func TestAKeptCreditIsInHandForWhenItsOwnerAsksAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		credit := r.mustGet(t, 1)
		r.Acquire(key, 2)
		credit.Keep()
		credit.Cancel() // does nothing any more
		if woken := r.woken(); len(woken) != 0 {
			t.Errorf("woken: %v", woken)
		}
		r.mustGet(t, 1).Keep()
		r.Leave(1)
		if woken := r.woken(); len(woken) != 1 {
			t.Errorf("woken after it left: %v", woken)
		}
		credit = r.mustGet(t, 2)
		if again, _ := r.Acquire(key, 2); again != nil {
			t.Error("a second credit of a window of one")
		}
		credit.Keep() // 2 is in the queue again by now, and gets this one
		pass(period)
		if woken := r.woken(); len(woken) != 2 {
			t.Errorf("woken by its own credit: %v", woken)
		}
		r.mustGet(t, 2).Cancel()
	})
}

func TestTheLineIsWokenHalfAnEvenShareApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(20)
		for id := range 20 {
			r.mustGet(t, id).Done(false)
		}
		for id := range 20 {
			r.Acquire(key, 100+id)
		}
		time.Sleep(period - headStart)
		for n := range 20 {
			synctest.Wait()
			if len(r.woken()) != n+1 {
				t.Errorf("%d woken after %d gaps", len(r.woken()), n)
			}
			time.Sleep(25 * time.Millisecond)
		}
		for id := range 20 {
			r.Leave(100 + id)
		}
	})
}

func TestNoBudgetWaitsForAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		hangs := r.mustGet(t, 1)
		for id := range 10_000 {
			r.Acquire(key, 10+id)
		}
		other := Key{Account: "b", Host: "h", Action: "x"}
		credit, _ := r.Acquire(other, 2)
		if credit == nil {
			t.Fatal("an idle budget gave no credit")
		}
		if len(r.States()) != 2 {
			t.Errorf("the budgets are %+v", r.States())
		}
		credit.Done(false)
		hangs.Cancel()
		time.Sleep(period)
	})
}

func TestWhoAsksAnotherBudgetLeavesTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		credit := r.mustGet(t, 1)
		r.Acquire(key, 2)
		if moved, _ := r.Acquire(Key{Account: "b"}, 2); moved == nil {
			t.Error("no credit of the other budget")
		}
		credit.Done(false)
		pass(period)
		if len(r.woken()) != 0 {
			t.Errorf("woken: %v", r.woken())
		}
	})
}

func TestTheTurnIsEstimated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(20)
		for id := range 20 {
			r.mustGet(t, id)
		}
		for id := range 200 {
			_, wait := r.Acquire(key, 100+id)
			if want := time.Duration(1+id/20) * period; wait.Turn != want {
				t.Errorf("number %d is told %s, want %s", id, wait.Turn, want)
			}
		}
	})
}

func TestABudgetAtRestIsForgottenAndWhatItLearnedAfterAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(20)
		r.mustGet(t, 1).Done(true)
		pass(retention - time.Second)
		if states := r.States(); len(states) != 1 || states[0].Window != 10 {
			t.Errorf("within the minute the budgets are %+v", states)
		}
		pass(time.Second)
		if states := r.States(); len(states) != 0 {
			t.Errorf("after the minute the budgets are %+v", states)
		}
	})
}

func TestABudgetAtRestIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(2)
		r.mustGet(t, 1).Done(false)
		pass(period)
		if len(r.budgets) != 0 || len(r.waiters) != 0 {
			t.Errorf("%d budgets and %d places are left", len(r.budgets), len(r.waiters))
		}
	})
}

// Whatever the latency, whenever within it a call arrives, whoever leaves, and whatever is refused, lost or not made at all.
func TestNoSecondAtTheServerSeesMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
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
						r.call(credit, random)
					}
				}
				pass(100 * time.Millisecond)
				pending = append(r.woken()[handled:], next)
				handled, next = handled+len(pending)-1, next+1
			}
			for _, from := range r.arrivals {
				if n := within(r.arrivals, from, from.Add(period)); n > limit {
					t.Fatalf("seed %d: %d calls in one second", seed, n)
				}
			}
			time.Sleep(20 * time.Second)
		})
	}
}

// However much or little is asked for, whatever is refused and whoever leaves: nobody is forgotten in the queue.
func TestWhoeverStaysInLineIsWoken(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			r := start(1 + random.IntN(3))
			handled := 0
			for id := range 130 {
				asked := r.woken()[handled:]
				handled += len(asked)
				if id < 30 {
					asked = append(asked, id)
				}
				for _, id := range asked {
					if credit, _ := r.Acquire(key, id); credit != nil {
						r.finish(credit, random)
					}
				}
				if id < 30 && random.IntN(10) == 0 {
					r.Leave(random.IntN(30))
				}
				pass(time.Duration(random.IntN(2500)) * time.Millisecond)
			}
			for id := range r.waiters {
				t.Fatalf("seed %d: %d is forgotten: %+v", seed, id, r.States())
			}
			time.Sleep(retention)
		})
	}
}

// answer is that of a server which others use, too.
func (r *fixture) finish(credit *Credit, random *rand.Rand) {
	latency, kind := time.Duration(random.IntN(300))*time.Millisecond, random.IntN(4)
	if kind == 0 {
		credit.Cancel()
		return
	}
	time.AfterFunc(latency, func() { credit.Wait(); credit.Done(kind == 1) })
}

// call arrives at some time between now and its answer; a lost answer is one that is given up after ten seconds.
func (r *fixture) call(credit *Credit, random *rand.Rand) {
	if random.IntN(20) == 0 {
		credit.Cancel()
		return
	}
	latency := time.Duration(random.IntN(2000)) * time.Millisecond
	way, refused := time.Duration(random.Int64N(int64(latency)+1)), random.IntN(40) == 0
	if random.IntN(20) == 0 {
		latency = 10 * time.Second
	}
	go func() {
		credit.Wait()
		r.mu.Lock()
		r.arrivals = append(r.arrivals, time.Now().Add(way))
		r.mu.Unlock()
		time.Sleep(latency)
		credit.Done(refused)
	}()
}
