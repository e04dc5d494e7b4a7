// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// After a restart the operator does not know which content was refused. The first content that it reads counts as that one.
func TestUnknownIsNotTakenForChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		b.put(creds, "id", "")
		refused, missing := name("shop", "refused"), name("shop", "missing")
		b.Subscribe(creds, refused, Subscription{})
		time.Sleep(time.Minute)
		if b.wokenBy(refused) {
			t.Error("an object was woken after a restart, although its Secret has not changed")
		}
		b.put(creds, "other", "")
		time.Sleep(time.Minute)
		if !b.wokenBy(refused) {
			t.Error("the object was not woken by a change of its Secret")
		}
		b.Subscribe(creds, missing, Subscription{Missing: true})
		time.Sleep(time.Minute)
		if !b.wokenBy(missing) {
			t.Error("an object whose Secret was missing was not woken by the Secret")
		}
	})
}

func TestUnusedKeysOfASecretWakeNobody(t *testing.T) {
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
			t.Error("woken by a key that the operator does not use")
		}
		if n := len(b.readsOf(creds)); n > 20 {
			t.Errorf("%d reads in %s", n, time.Since(b.begun))
		}
		b.put(creds, "id2", "")
		time.Sleep(time.Minute)
		if !b.wokenBy(object) {
			t.Error("the object was not woken by a change of its Secret")
		}
	})
}

// However often the content changes, an object is woken once. Subscribing to a Secret ends the subscription to another.
func TestAnObjectWaitsForOneSecretAndIsWokenOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		object, other := name("shop", "a"), name("shop", "other")
		b.Subscribe(creds, object, Subscription{Seen: Fingerprint{1}})
		b.Subscribe(other, object, Subscription{Seen: Fingerprint{1}})
		time.Sleep(time.Minute)
		if len(b.readsOf(creds)) != 0 || len(b.readsOf(other)) == 0 {
			t.Error("the object still waits for the first Secret")
		}
		for range 2 {
			if !b.wokenBy(object) {
				t.Error("not woken, or no longer so before the object acted on it")
			}
		}
		b.Forget(object)
		if b.wokenBy(object) {
			t.Error("woken twice")
		}
		n := len(b.readsOf(other))
		time.Sleep(time.Hour)
		if got := len(b.readsOf(other)); got != n {
			t.Errorf("%d reads that no object waits for", got-n)
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
		if p := &b.polls; len(b.waiters)+len(b.kept)+len(p.secrets)+p.queue.Len() != 0 {
			t.Errorf("left: %d waiters, %d kept, %d Secrets, %d of them queued",
				len(b.waiters), len(b.kept), len(p.secrets), p.queue.Len())
		}
	})
}

// A repeated subscription neither delays a poll nor loses what the object has seen.
func TestARepeatedSubscriptionKeepsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		b.put(creds, "id", "")
		_, f, _ := b.Get(t.Context(), creds)
		object := name("shop", "a")
		for range 20 {
			b.Subscribe(creds, object, Subscription{Seen: f})
			time.Sleep(poll / 2)
		}
		if n := len(b.readsOf(creds)); n < 5 {
			t.Errorf("%d reads in %s", n, time.Since(b.begun))
		}
		b.put(creds, "other", "")
		b.Subscribe(creds, object, Subscription{})
		time.Sleep(time.Minute)
		if !b.wokenBy(object) {
			t.Error("a subscription that does not know what failed made the object forget it")
		}
	})
}

// An object that failed with new content waits for the content to change again.
func TestASubscriptionWithOtherContentStartsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		b.put(creds, "id", "")
		_, f, _ := b.Get(t.Context(), creds)
		object := name("shop", "a")
		b.Subscribe(creds, object, Subscription{Seen: Fingerprint{1}})
		b.Subscribe(creds, object, Subscription{Seen: f})
		time.Sleep(time.Minute)
		if b.wokenBy(object) {
			t.Error("woken by content that failed")
		}
	})
}

func TestFirstPoll(t *testing.T) {
	t.Parallel()
	for subscription, want := range map[Subscription]time.Duration{
		{}:                                   0,
		{Missing: true}:                      0,
		{Seen: Fingerprint{1}}:               poll,
		{Seen: Fingerprint{1}, Urgent: true}: 0,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := begin(t)
			b.Subscribe(creds, name("shop", "a"), subscription)
			time.Sleep(2 * poll)
			synctest.Wait()
			if got := b.readsOf(creds)[0].Sub(b.begun); got != want {
				t.Errorf("%+v: the first poll is after %s, want %s", subscription, got, want)
			}
		})
	}
}
