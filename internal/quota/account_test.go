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
		pass(2 * retention)
		if len(r.accounts) != 0 {
			t.Errorf("%d accounts are kept", len(r.accounts))
		}
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

func TestWhoStillUsesTheOlderCredentialsAMinuteLaterHasBudgetsOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(1)
		hangs := r.mustGet(t, 1)
		r.Follow(key.Account, "b")
		r.Acquire(key, 2)
		time.Sleep(retention - time.Nanosecond)
		if credit, _ := r.Acquire(key, 3); credit != nil {
			t.Error("within the minute, a credit beside the one in use")
		}
		time.Sleep(time.Nanosecond)
		r.mustGet(t, 2).Cancel() // who waits moves when it asks again
		if credit, _ := r.Acquire(keyOf("b"), 4); credit != nil {
			t.Error("the newer ones got a second credit, too")
		}
		r.Leave(3)
		r.Leave(4)
		hangs.Cancel()
	})
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
			if n := len(r.accounts); n > 2*int(retention/time.Second)+2 {
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
