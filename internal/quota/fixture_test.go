// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var key = Key{Account: "a", Host: "h", Action: "x"}

// fixture runs callers against a server that counts by arrival.
type fixture struct {
	*Limiter[int]
	mu       sync.Mutex
	awake    []int
	arrivals []time.Time
}

func start(limit int) *fixture {
	r := &fixture{Limiter: New[int](func(string) int { return limit }, 0)}
	r.Start(r.wake)
	pass(period)
	return r
}

// known is how many names of accounts are known.
func (r *fixture) known() int {
	r.Limiter.mu.Lock()
	defer r.Limiter.mu.Unlock()
	return len(r.accounts)
}

// wantForgotten wants no account to be known two minutes after the last call.
func (r *fixture) wantForgotten(t *testing.T) {
	t.Helper()
	pass(2 * retention)
	if names := r.known(); names != 0 {
		t.Errorf("%d names of accounts are kept", names)
	}
}

// pass lets time pass, and everything happen that is due by then.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *fixture) wake(id int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.awake = append(r.awake, id)
}

// woken has the ids that were woken so far.
func (r *fixture) woken() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.awake)
}

// Acquire asks without a rank: the order is that of joining.
func (r *fixture) Acquire(key Key, id int) (*Credit, Wait) { return r.Limiter.Acquire(key, id, Rank{}) }

func (r *fixture) mustGet(t *testing.T, id int) *Credit {
	t.Helper()
	return r.mustGetOf(t, key.Account, id)
}

func (r *fixture) mustGetOf(t *testing.T, account string, id int) *Credit {
	t.Helper()
	credit, _ := r.Acquire(Key{account, key.Host, key.Action}, id)
	if credit == nil {
		t.Fatalf("%d got no credit", id)
	}
	return credit
}

// wantTurn asks for a credit, and wants to be told how long the turn takes.
func (r *fixture) wantTurn(t *testing.T, id int, want time.Duration) {
	t.Helper()
	if _, wait := r.Acquire(key, id); wait.Turn != want {
		t.Errorf("%d is told that its turn takes %s, want %s", id, wait.Turn, want)
	}
}
