// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTheFirstCreditsComeOneSecondAfterStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &fixture{Limiter: New[int](func(string) int { return 1 }, 0)}
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

func TestACreditComesBackOneSecondAfterTheAnswerAndIsHandedToTheNextFiftyMillisecondsBefore(t *testing.T) {
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

func TestATurnWeighsAnEighthInTheAverage(t *testing.T) {
	t.Parallel()
	var b budget[int]
	for _, turn := range []struct{ took, want time.Duration }{
		{8 * time.Second, 8 * time.Second}, {16 * time.Second, 9 * time.Second}, {time.Second, 8 * time.Second},
	} {
		if b.tookTurn(turn.took); b.turn != turn.want {
			t.Errorf("after a turn of %s the average is %s, want %s", turn.took, b.turn, turn.want)
		}
	}
}

// A waiter gets its credit 50 ms before it may be used, to record the attempt meanwhile.
func TestACreditIsHandedOverAheadOfItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		r.mustGet(t, 1).Done(false)
		r.Acquire(key, 2)
		pass(period - 51*time.Millisecond)
		if woken := r.woken(); len(woken) > 0 {
			t.Errorf("woken too early: %v", woken)
		}
		pass(time.Millisecond)
		if woken := r.woken(); len(woken) != 1 {
			t.Errorf("woken: %v, want the one that waits", woken)
		}
		began, credit := time.Now(), r.mustGet(t, 2)
		credit.Wait()
		if waited := time.Since(began); waited != 50*time.Millisecond {
			t.Errorf("it waited %s until it may be used", waited)
		}
		credit.Cancel()
	})
}
