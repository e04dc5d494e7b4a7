// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// keyOf is that of another account at the same host.
func keyOf(account string) Key { return Key{Account: account, Host: key.Host, Action: key.Action} }

func TestCredentialsThatReplaceOthersShareTheirCreditsWindowAndQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(4)
		r.mustGet(t, 1).Done(true) // which halves the window
		pass(2 * period)
		credits := []*Credit{r.mustGet(t, 2), r.mustGet(t, 3)}
		for id := range 4 {
			r.Acquire(key, 10+id)
		}
		r.Follow(key.Account, "b")
		r.Follow("b", "c")
		if credit, _ := r.Acquire(keyOf("c"), 14); credit != nil {
			t.Error("a fresh credit beside those in use")
		}
		for id := range 4 { // they find out, the last one first
			r.Acquire(keyOf("c"), 13-id)
		}
		for _, credit := range credits {
			credit.Done(false)
		}
		pass(2 * period)
		if woken := fmt.Sprint(r.woken()); woken != "[10 11 12]" {
			t.Errorf("woken: %s, want those that joined first", woken)
		}
		states := r.States()
		if len(states) != 1 || states[0].Key != keyOf("c") || states[0].Window != 3 || states[0].Waiting != 2 {
			t.Errorf("the budgets are %+v", states)
		}
		for id := range 5 {
			r.Leave(10 + id)
		}
		r.wantForgotten(t)
	})
}

func TestCredentialsWithBudgetsOfTheirOwnAreNotJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		mine, theirs := r.mustGet(t, 1), r.mustGetOf(t, "b", 2)
		r.Follow(key.Account, "b")
		r.Follow("unknown", "c")
		theirs.Cancel()
		r.mustGetOf(t, "b", 3).Cancel()
		r.mustGetOf(t, "c", 4).Cancel()
		mine.Cancel()
	})
}

// Whoever uses them less parts: a copy that is renewed too late, or one of many namespaces that has got another account.
func TestCredentialsThatAreBothUsedAMinuteLaterPart(t *testing.T) {
	t.Parallel()
	for _, newer := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := start(1)
			hangs := r.mustGet(t, 1)
			for range 100 {
				r.Acquire(key, 99) // before they were replaced
			}
			r.Leave(99)
			r.Follow(key.Account, "b")
			stays, parts := key, keyOf("b")
			if newer {
				stays, parts = parts, stays
			}
			for id := range 5 {
				r.Acquire(stays, 10+id)
			}
			r.Acquire(parts, 2)
			time.Sleep(retention - time.Nanosecond)
			if credit, _ := r.Acquire(parts, 2); credit != nil {
				t.Error("within the minute, a credit beside the one in use")
			}
			time.Sleep(time.Nanosecond)
			r.Acquire(key, 3)
			for range 2 {
				if credit, _ := r.Acquire(parts, 2); credit != nil {
					t.Error("a credit at once, beside what may just have been sent")
				}
			}
			pass(2 * period)
			if woken := fmt.Sprint(r.woken()); newer && woken != "[3]" && woken != "[2]" || !newer && woken != "[2]" {
				t.Errorf("woken: %s", woken)
			}
			if credit, _ := r.Acquire(stays, 10); credit != nil {
				t.Error("those that stay got a second credit")
			}
			for id := range 20 {
				r.Leave(id)
			}
			hangs.Cancel()
			r.wantForgotten(t)
		})
	}
}

// However often credentials are replaced, few names are kept.
func TestNamesAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		hangs := r.mustGetOf(t, "0", 1)
		for i := range 1000 {
			r.Follow(fmt.Sprint(i), fmt.Sprint(i+1))
			time.Sleep(time.Second)
			if n := r.known(); n > 3*int(retention/time.Second)+2 {
				t.Fatalf("%d names after %d seconds", n, i)
			}
		}
		if credit, _ := r.Acquire(keyOf("1000"), 2); credit != nil {
			t.Error("after many replacements, a credit beside the one in use")
		}
		r.Leave(2)
		hangs.Cancel()
	})
}

func TestOfTwoNamesThatAreUsedAlikeTheOlderOneParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		now := time.Now()
		r.Limiter.mu.Lock()
		shared := r.newAccount("new")
		shared.names["new"].uses = 3
		shared.names["old"] = &name{until: now, uses: 3}
		r.accounts["old"] = shared
		if a := r.accountOf("old", now); a == shared {
			t.Error("the older one stays")
		}
		if a := r.accountOf("new", now); a != shared {
			t.Error("the newer one parts")
		}
		r.Limiter.mu.Unlock()
		pass(2 * period) // the account that has no budgets is forgotten
	})
}

func TestANameThatCountsNoLongerIsForgottenAfterAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		now := time.Now()
		a := r.newAccount("new")
		a.sweptAt, a.names["old"], a.names["counts"] = now, &name{until: now}, &name{until: now.Add(retention + 1)}
		for _, test := range []struct {
			after time.Duration
			names int
		}{{retention - 1, 3}, {retention, 2}} {
			r.forgetNames(a, now.Add(test.after))
			if len(a.names) != test.names {
				t.Errorf("after %s it has %d names, want %d", test.after, len(a.names), test.names)
			}
		}
	})
}
