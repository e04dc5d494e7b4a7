// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const retry = 10 * time.Minute

// The cloud refuses a Secret of a hundred objects: every ten minutes one tries, and the others follow its result.
func TestOneObjectTriesARejectedSecretAndTheOthersFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		b.put(creds, "id", "")
		_, f, _ := b.Get(t.Context(), creds)
		scope := Scope{Secret: creds, Region: "ap-guangzhou", Action: "Stop"}
		b.Report(scope, f, true, time.Now(), retry)
		for i := range 100 {
			b.Subscribe(creds, name("shop", fmt.Sprint(i)), Subscription{Seen: f})
		}
		for round := range 5 {
			time.Sleep(retry)
			tries := 0
			for i := range 100 {
				next, refused := b.Refused(scope, f, name("shop", fmt.Sprint(i)), time.Now(), retry)
				if !refused {
					tries++
				} else if until := time.Until(next); until <= 0 || until > retry {
					t.Errorf("round %d: the next try is in %s", round, until)
				}
			}
			if tries != 1 {
				t.Errorf("round %d: %d objects try, want one", round, tries)
			}
			b.Report(scope, f, true, time.Now(), retry)
		}
		for i := range 100 {
			if b.wokenBy(name("shop", fmt.Sprint(i))) {
				t.Fatalf("object %d was woken, and nothing changed", i)
			}
		}
		if _, refused := b.Refused(Scope{Secret: creds, Region: "ap-beijing", Action: "Stop"}, f, name("shop", "0"), time.Now(), retry); refused {
			t.Error("a refusal in one region counts in another")
		}
		if _, refused := b.Refused(scope, Fingerprint{1}, name("shop", "0"), time.Now(), retry); refused {
			t.Error("a refusal of other content counts")
		}
		b.Report(scope, f, false, time.Now().Add(settleRefusal), retry)
		for i := range 100 {
			if !b.wokenBy(name("shop", fmt.Sprint(i))) {
				t.Fatalf("object %d was not woken by the end of the refusal", i)
			}
		}
	})
}

func TestARefusalFromAClockThatWasAheadDelaysNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		scope := Scope{Secret: creds}
		b.Report(scope, Fingerprint{1}, true, time.Now().Add(24*time.Hour), retry)
		if _, refused := b.Refused(scope, Fingerprint{1}, name("shop", "0"), time.Now(), retry); refused {
			t.Error("it counts for a day")
		}
		if _, refused := b.Refused(scope, Fingerprint{1}, name("shop", "1"), time.Now(), retry); !refused {
			t.Error("two objects try at once")
		}
	})
}

// After a restart nobody knows which content was refused: what is there then is not taken for a change, what comes after it is.
func TestUnknownIsNotTakenForChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		b.put(creds, "id", "")
		refused, missing := name("shop", "refused"), name("shop", "missing")
		b.Subscribe(creds, refused, Subscription{})
		time.Sleep(time.Minute)
		if b.wokenBy(refused) {
			t.Error("a restart woke an object whose Secret is as it was")
		}
		b.put(creds, "other", "")
		time.Sleep(time.Minute)
		if !b.wokenBy(refused) {
			t.Error("the change was not seen")
		}
		b.Subscribe(creds, missing, Subscription{Missing: true})
		time.Sleep(time.Minute)
		if !b.wokenBy(missing) {
			t.Error("an object whose Secret was missing was not woken by the Secret")
		}
	})
}

func TestWhatIsNotUsedOfASecretWakesNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		object := name("shop", "a")
		b.put(creds, "id", "")
		_, f, _ := b.Get(t.Context(), creds)
		b.Subscribe(creds, object, Subscription{Seen: f})
		for i := range 600 {
			b.put(creds, " id\n", fmt.Sprint(i))
			time.Sleep(time.Second / 7)
		}
		if b.wokenBy(object) {
			t.Error("woken by junk")
		}
		if n := len(b.readsOf(creds)); n > 20 {
			t.Errorf("%d reads in %s", n, time.Since(b.begun))
		}
		b.put(creds, "id2", "")
		time.Sleep(time.Minute)
		if !b.wokenBy(object) {
			t.Error("the change was not seen")
		}
	})
}

// An object is woken once, however often the content changes, and a wait for one Secret ends the wait for another.
func TestAnObjectWaitsForOneSecretAndIsWokenOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		object, other := name("shop", "a"), name("shop", "other")
		b.Subscribe(creds, object, Subscription{Seen: Fingerprint{1}})
		b.Subscribe(other, object, Subscription{Seen: Fingerprint{1}})
		time.Sleep(time.Minute)
		if len(b.readsOf(creds)) != 0 || len(b.readsOf(other)) == 0 {
			t.Error("the wait for the first Secret goes on")
		}
		for range 2 {
			if !b.wokenBy(object) {
				t.Error("not woken, or the news did not last until the object acted on it")
			}
		}
		b.Forget(object)
		if b.wokenBy(object) {
			t.Error("woken twice")
		}
		n := len(b.readsOf(other))
		time.Sleep(time.Hour)
		if got := len(b.readsOf(other)); got != n {
			t.Errorf("%d reads for nobody", got-n)
		}
	})
}

func TestForgetLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		var objects []types.NamespacedName
		for i := range 500 {
			object := name(fmt.Sprint("n", i%7), fmt.Sprint(i))
			objects = append(objects, object)
			b.Subscribe(name(object.Namespace, fmt.Sprint(i%50)), object, Subscription{Seen: Fingerprint{1}, Missing: i%2 == 0})
		}
		time.Sleep(poll + time.Second) // some are woken, most are not
		for _, object := range objects {
			b.Forget(object)
		}
		b.Forget(name("n1", "never known"))
		time.Sleep(2 * keep)
		synctest.Wait()
		b.Store.mu.Lock()
		defer b.Store.mu.Unlock()
		if p := &b.polls; len(b.waiters)+len(b.kept)+len(p.secrets)+len(p.namespaces)+len(p.turns) != 0 {
			t.Errorf("left: %d waiters, %d kept, %d Secrets, %d namespaces, %d turns",
				len(b.waiters), len(b.kept), len(p.secrets), len(p.namespaces), len(p.turns))
		}
	})
}

// A tenant who makes many refusals, by regions that come and go, does not make each report of all others slower, and they are forgotten.
func TestManyRefusalsDoNotSlowDownReports(t *testing.T) {
	t.Parallel()
	s, start := New(nil, time.Second), time.Now()
	for i := range 50_000 {
		s.Report(Scope{Secret: creds, Region: fmt.Sprint(i)}, Fingerprint{1}, true, start, retry)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("50,000 reports took %s", took)
	}
	s.Report(Scope{Secret: creds}, Fingerprint{1}, true, start.Add(retry+forgetRefusal+time.Second), retry)
	if n := len(s.refusals); n != 1 {
		t.Errorf("%d refusals are remembered, want the one of now", n)
	}
}
