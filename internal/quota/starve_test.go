// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"testing"
	"testing/synctest"
	"time"
)

// The oldest id of an owner is refused whenever it is tried, and another owner never runs out of ids: the owner's other ids have their turns.
func TestWhoIsAlwaysRefusedCostsItsOwnerNoTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		woken := make(chan int, 100)
		l := New[int](func(string) int { return 1 }, 0)
		l.Start(func(id int) { woken <- id })
		time.Sleep(2 * time.Second)
		key, served := Key{Account: "a", Host: "h", Action: "stop"}, map[string]int{}
		rank := func(id int) Rank {
			if id < 10 {
				return Rank{Owner: "shop", Created: time.Unix(int64(id), 0)}
			}
			return Rank{Owner: "other", Created: time.Unix(int64(id), 0)}
		}
		first, _ := l.Acquire(key, 10, rank(10))
		for _, id := range []int{0, 1, 2, 3, 11, 12, 13} {
			l.Acquire(key, id, rank(id))
		}
		first.Done(false)
		next := 14
		for range 60 {
			id := <-woken
			credit, _ := l.Acquire(key, id, rank(id))
			credit.Wait()
			credit.Done(id == 0)
			served[rank(id).Owner]++
			switch {
			case id == 0:
				served["refused"]++
				l.Acquire(key, id, rank(id))
			case id >= 10:
				l.Acquire(key, next, rank(next))
				next++
			}
		}
		if got := served["shop"] - served["refused"]; got != 3 {
			t.Errorf("of the three other ids of the owner %d had a turn, in %v turns", got, served)
		}
		for id := range next {
			l.Leave(id)
		}
	})
}
