// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"testing"
	"testing/synctest"
	"time"
)

// wantServed empties the queue of a budget of one credit, and wants this order. An id is its owner's number times 100 and more.
func (r *fixture) wantServed(t *testing.T, credit *Credit, want ...int) {
	t.Helper()
	from := len(r.woken())
	for i, id := range want {
		credit.Cancel()
		if woken := r.woken()[from:]; len(woken) != i+1 || woken[i] != id {
			t.Fatalf("served: %v, want %v", woken, want)
		}
		pass(period) // the waiters are woken apart
		credit = r.mustGet(t, id)
	}
	credit.Cancel()
}

func TestNamespacesTakeTurnsWhateverTheLengthsOfTheirQueues(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		credit := r.mustGet(t, 1)
		for i := range 4 {
			r.Limiter.Acquire(key, 100+i, rank("crowd", i, ""))
		}
		for i := range 2 {
			r.Limiter.Acquire(key, 200+i, rank("few", 10-i, ""))
		}
		r.wantServed(t, credit, 100, 201, 101, 200, 102, 103)
	})
}

// A retry, as any id that joins again, stands where its age puts it.
func TestWhoeverJoinsAgainStandsWhereItStood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		credit := r.mustGet(t, 1)
		for i := range 4 {
			r.Limiter.Acquire(key, i+10, rank("a", i, ""))
		}
		for _, id := range []int{12, 10, 11} {
			r.Leave(id)
			r.Limiter.Acquire(key, id, rank("a", id-10, ""))
		}
		r.wantServed(t, credit, 10, 11, 12, 13)
	})
}

// Old ids that come again and again cannot keep a young one waiting for ever.
func TestNobodyStarvesBehindOlderOnesThatComeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		time.Sleep(time.Hour)
		credit := r.mustGet(t, 1)
		young, old := time.Now(), time.Now().Add(-time.Hour)
		r.Limiter.Acquire(key, 0, Rank{Owner: "a", Created: young})
		for id := 2; len(r.woken()) == 0 || r.woken()[len(r.woken())-1] != 0; id++ {
			r.Limiter.Acquire(key, id, Rank{Owner: "a", Created: old})
			credit.Cancel()
			pass(period)
			woken := r.woken()
			credit = r.mustGet(t, woken[len(woken)-1])
			if time.Since(young) > maxAge+time.Minute {
				t.Fatalf("%d older ones were served, and the young one waits since %s", len(woken), time.Since(young))
			}
		}
		if time.Since(young) < maxAge-time.Minute {
			t.Errorf("the age of those that came again counted for %s only", time.Since(young))
		}
		for id := range 10_000 {
			r.Leave(id)
		}
		credit.Cancel()
	})
}

// After a start everyone joins anew, in any order. Even the oldest have their age then.
func TestAfterAStartAgeCountsInFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		credit := r.mustGet(t, 1)
		for i := range 5 {
			r.Limiter.Acquire(key, 14-i, Rank{Owner: "a", Created: time.Now().Add(time.Duration(-i-1) * time.Hour)})
		}
		r.wantServed(t, credit, 10, 11, 12, 13, 14)
	})
}

func TestNotMoreThanMaxLateRefusedIDsAreRemembered(t *testing.T) {
	t.Parallel()
	var b budget[int]
	for id := range maxLate + 1 {
		b.noteRefused(&waiter[int]{id: id})
	}
	if len(b.refused) != maxLate {
		t.Errorf("%d ids are remembered, want %d", len(b.refused), maxLate)
	}
}
