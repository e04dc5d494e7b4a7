// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// playNamed is a subtest in virtual time.
func playNamed(t *testing.T, name string, play func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, play)
	})
}

// Nobody calls at the moment of the renewal: the next calls with either credentials count together all the same.
func TestCredentialsThatAreReplacedWhileTheyAreIdleShareOneBudget(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(*testing.T, *fixture){
		"never used": func(*testing.T, *fixture) {},
		"used before": func(t *testing.T, r *fixture) {
			r.mustGet(t, 1).Done(false)
			pass(3 * period)
		},
	} {
		playNamed(t, name, func(t *testing.T) {
			r := start(1)
			use(t, r)
			r.Follow(key.Account, "b")
			pass(3 * period)
			newer := r.mustGetOf(t, "b", 2)
			if older, _ := r.Acquire(key, 3); older != nil {
				t.Error("a second credit for the old credentials")
			}
			r.Leave(3)
			newer.Cancel()
			r.wantForgotten(t)
		})
	}
}

func TestCredentialsThatAreIdleAfterTheyWereReplacedShareOneBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		credit := r.mustGet(t, 1)
		r.Follow(key.Account, "b")
		credit.Done(false)
		pass(3 * period)
		older := r.mustGet(t, 2)
		if newer, _ := r.Acquire(keyOf("b"), 3); newer != nil {
			t.Error("a second credit for the new credentials")
		}
		r.Leave(3)
		older.Cancel()
		r.wantForgotten(t)
	})
}

// A renewal that is taken back, also minutes later, does not forget the calls that are under way.
func TestCredentialsThatAreTakenBackShareOneBudget(t *testing.T) {
	t.Parallel()
	for _, later := range []time.Duration{time.Second, retention - 1, retention, 10 * retention} {
		playNamed(t, later.String(), func(t *testing.T) {
			r := start(1)
			hangs := r.mustGet(t, 1)
			r.Follow(key.Account, "b")
			pass(later)
			r.Follow("b", key.Account)
			for range 2 {
				if credit, _ := r.Acquire(key, 3); credit != nil {
					t.Error("a credit beside the one in use")
				}
				r.Leave(3)
				pass(3 * period)
			}
			hangs.Cancel()
			r.wantForgotten(t)
		})
	}
}

// Its budgets open two seconds after it parted, also when the one that asked first leaves.
func TestANameThatPartedWaitsAlsoWhenTheFirstWaiterLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		r.Follow(key.Account, "b")
		hangs := r.mustGetOf(t, "b", 10)
		r.Acquire(keyOf("b"), 11)
		pass(retention)
		for id := range 3 {
			if credit, _ := r.Acquire(key, id); credit != nil {
				t.Errorf("waiter %d has a credit at once, beside what may just have been sent", id)
			}
			r.Leave(id)
		}
		pass(2 * period)
		r.mustGet(t, 4).Cancel()
		r.Leave(11)
		hangs.Cancel()
		r.wantForgotten(t)
	})
}

// Credentials that change each second, as those of a hostile tenant may, leave one timer and the names of three minutes, also where the old
// ones are used.
func TestCredentialsThatChangeEachSecondAreForgotten(t *testing.T) {
	t.Parallel()
	for _, used := range []bool{false, true} {
		playNamed(t, fmt.Sprint("used ", used), func(t *testing.T) {
			r := start(1)
			for i := range 1000 {
				r.Follow(fmt.Sprint(i), fmt.Sprint(i+1))
				if used {
					if credit, _ := r.Acquire(keyOf(fmt.Sprint(i)), 1); credit != nil {
						credit.Cancel()
					}
					r.Leave(1)
				}
				pass(time.Second)
				if names := r.known(); names > 185 {
					t.Fatalf("after %d changes %d names are kept", i, names)
				}
			}
			r.wantForgotten(t)
		})
	}
}
