// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"testing"
	"testing/synctest"
	"time"
)

// A pause can outlast every call that was in flight, so no answer wakes an id that comes then.
func TestAnIDThatComesDuringAPauseIsWoken(t *testing.T) {
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

func TestAnIDThatLeavesGivesItsTurnOrCreditToTheNext(t *testing.T) {
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

func TestTheQueueIsWokenHalfAnEvenShareApart(t *testing.T) {
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

func TestAnIDThatAsksAnotherBudgetLeavesTheFirst(t *testing.T) {
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
			r.wantTurn(t, 100+id, time.Duration(1+id/20)*period)
		}
	})
}

func TestTheTurnComesNearerWithEachThatIsServedOrLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		credit := r.mustGet(t, 1)
		for id := range 4 {
			r.wantTurn(t, 10+id, time.Duration(1+id)*period)
		}
		r.Leave(12)
		r.wantTurn(t, 13, 3*period)
		credit.Cancel() // which serves 10
		r.wantTurn(t, 11, period)
		r.wantTurn(t, 13, 2*period)
		r.wantTurn(t, 14, 3*period)
	})
}

// The id that is next has a turn to wait for, even when more have left behind it than are before it.
func TestNoTurnIsShorterThanOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		r.mustGet(t, 1)
		for id := range 4 {
			r.Acquire(key, 10+id)
		}
		r.Leave(12)
		r.Leave(13)
		r.wantTurn(t, 10, period)
	})
}

func TestATurnTakesAsLongAsTheAverageCallAndTheSecondAfterIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		credit := r.mustGet(t, 1)
		credit.Wait()
		time.Sleep(300 * time.Millisecond)
		credit.Done(false)
		r.wantTurn(t, 10, 1300*time.Millisecond)
		r.wantTurn(t, 11, 2600*time.Millisecond)
	})
}

// The credit that comes back wakes the next. A timer for each that waits would be polling.
func TestAQueueBehindAFullWindowSetsNoTimer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		r.mustGet(t, 1)
		r.Acquire(key, 2)
		if r.budget(key).dispatchScheduled {
			t.Error("a timer is set")
		}
	})
}

func TestWhatAnIdleBudgetLearnedIsForgottenAfterAMinute(t *testing.T) {
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

func TestAnIdleBudgetIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(2)
		r.mustGet(t, 1).Done(false)
		pass(period)
		if len(r.accounts) != 0 || len(r.waiters) != 0 {
			t.Errorf("%d budgets and %d waiters are left", len(r.accounts), len(r.waiters))
		}
	})
}

// What is refused for itself, and not for the limit, is the oldest, and keeps nobody waiting.
func TestTheOldestThatIsAlwaysRefusedKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		woken := make(chan int, 10)
		l := New[int](func(string) int { return 1 }, 0)
		l.Start(func(id int) { woken <- id })
		time.Sleep(2 * time.Second)
		key, done := Key{Account: "a", Host: "h", Action: "stop"}, map[int]bool{}
		rank := func(id int) Rank { return Rank{Owner: "shop", Created: time.Unix(int64(id), 0)} }
		asking := []int{0, 1, 2, 3}
		for tries := 0; len(done) < 2; tries++ {
			if tries > 30 {
				t.Fatalf("only %v had a turn", done)
			}
			for _, id := range asking {
				if credit, _ := l.Acquire(key, id, rank(id)); credit != nil {
					credit.Wait()
					credit.Done(id < 2) // the two oldest are refused for ever
					done[id] = done[id] || id >= 2
					if id < 2 {
						l.Acquire(key, id, rank(id))
					}
				}
			}
			time.Sleep(5 * time.Second)
			asking = nil
			for len(woken) > 0 {
				asking = append(asking, <-woken)
			}
		}
		for id := range 4 {
			l.Leave(id)
		}
	})
}
