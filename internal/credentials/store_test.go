// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhoAsksAtTheSameTimeSharesARead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		b.put(creds, "id", "")
		b.takes = 100 * time.Millisecond
		var group sync.WaitGroup
		for range 1000 {
			group.Go(func() {
				if c, f, err := b.Get(t.Context(), creds); err != nil || c.SecretID != "id" || f != FingerprintOf(c) {
					t.Errorf("got %v, %v", c.SecretID, err)
				}
			})
		}
		group.Wait()
		if got := len(b.readsOf(creds)); got != 1 {
			t.Errorf("%d reads, want one", got)
		}
	})
}

func TestContentIsKeptForASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		b.put(creds, "old", "")
		_, _, _ = b.Get(t.Context(), creds)
		b.put(creds, "new", "")
		time.Sleep(keep - time.Millisecond)
		if c, _, _ := b.Get(t.Context(), creds); c.SecretID != "old" || len(b.readsOf(creds)) != 1 {
			t.Errorf("got %s after %d reads, want the content that was read", c.SecretID, len(b.readsOf(creds)))
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		b.Store.mu.Lock()
		if len(b.kept) != 0 {
			t.Error("credentials are in memory for more than a second")
		}
		b.Store.mu.Unlock()
		if c, _, _ := b.Get(t.Context(), creds); c.SecretID != "new" {
			t.Errorf("got %s after a second", c.SecretID)
		}
	})
}

func TestAFailedReadWakesNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		object := name("shop", "a")
		b.put(creds, "id", "")
		c, f, _ := b.Get(t.Context(), creds)
		b.Subscribe(creds, object, Subscription{Seen: f})
		b.fail(errors.New("the API server is down"))
		time.Sleep(time.Minute)
		if _, _, err := b.Get(t.Context(), creds); err == nil || b.wokenBy(object) {
			t.Error("a failed read counts as content")
		}
		b.fail(nil)
		time.Sleep(keep)
		synctest.Wait()
		if got, _, err := b.Get(t.Context(), creds); err != nil || got != c {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

// Ten thousand names of Secrets that do not exist cause fewer than 20 reads a second, and delay no other namespace.
func TestTenThousandMissingSecretsLoadNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		for i := range 10000 {
			n := fmt.Sprint(i)
			b.Subscribe(name("greedy", n), name("greedy", n), Subscription{Seen: Fingerprint{1}, Missing: true})
		}
		time.Sleep(20 * time.Second)
		alone := name("modest", "a")
		b.Subscribe(creds, alone, Subscription{Missing: true})
		time.Sleep(poll)
		b.Forget(alone)
		_, f, _ := b.Get(t.Context(), creds)
		b.Subscribe(creds, alone, Subscription{Seen: f, Missing: true})
		at := time.Now()
		b.put(creds, "id", "")
		time.Sleep(2 * poll)
		if !b.wokenBy(alone) {
			t.Errorf("not woken %s after its Secret was created", time.Since(at))
		}
		time.Sleep(20 * time.Minute)
		b.server.mu.Lock()
		defer b.server.mu.Unlock()
		for i := range b.all {
			if i >= 20 && b.all[i].Sub(b.all[i-20]) < time.Second {
				t.Fatalf("20 reads within %s", b.all[i].Sub(b.all[i-20]))
			}
		}
		for i := range 10000 {
			if n := len(b.server.reads[name("greedy", fmt.Sprint(i))]); n < 1 || n > 3 {
				t.Fatalf("Secret %d was read %d times", i, n)
			}
		}
	})
}

func TestTheIntervalGrowsToHalfAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		_, f, _ := b.Get(t.Context(), creds)
		b.Subscribe(creds, name("shop", "a"), Subscription{Seen: f, Missing: true})
		time.Sleep(10 * time.Minute)
		reads := b.readsOf(creds)
		for i := 2; i < len(reads); i++ {
			interval := reads[i].Sub(reads[i-1])
			if interval < poll || interval > maxInterval+pace || interval+time.Millisecond < min(reads[i-1].Sub(reads[i-2]), maxInterval) {
				t.Errorf("interval %d is %s after %s", i, interval, reads[i-1].Sub(reads[i-2]))
			}
		}
		if last := reads[len(reads)-1].Sub(reads[len(reads)-2]); last < maxInterval {
			t.Errorf("after ten minutes the interval is %s", last)
		}
	})
}

func TestAnUrgentWaitReadsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		object := name("shop", "a")
		_, f, _ := b.Get(t.Context(), creds)
		b.Subscribe(creds, object, Subscription{Seen: f, Missing: true})
		time.Sleep(5 * time.Minute)
		at := time.Now()
		b.Subscribe(creds, object, Subscription{Urgent: true, Missing: true})
		time.Sleep(2 * pace)
		synctest.Wait()
		if changed, urgent := b.News(object); !changed || !urgent {
			t.Errorf("%s after an urgent wait: woken %t, urgent %t", time.Since(at), changed, urgent)
		}
	})
}

// A minute without a failed read, or a read that succeeds, begins a new series of failures. Nothing of a series stays in memory.
func TestUnreadableSinceTheFirstFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		b.put(creds, "id", "")
		b.fail(errors.New("the API server is down"))
		for _, step := range []struct{ wait, since time.Duration }{
			{0, 0}, {forgetFailure - 1, 0}, {forgetFailure - 1, 0}, {forgetFailure + 1, 3*forgetFailure - 1}, {keep, 3*forgetFailure - 1},
		} {
			time.Sleep(step.wait)
			synctest.Wait()
			_, _, err := b.Get(t.Context(), creds)
			unreadable, ok := errors.AsType[*Unreadable](err)
			if !ok || err.Error() != "reading Secret shop/creds: the API server is down" {
				t.Fatalf("got %v", err)
			}
			if got := unreadable.Since.Sub(b.begun); got != step.since {
				t.Errorf("unreadable since %s at %s, want %s", got, time.Since(b.begun), step.since)
			}
		}
		for _, fault := range []error{nil, errors.New("the API server is down again")} {
			b.fail(fault)
			time.Sleep(keep)
			synctest.Wait()
			_, _, err := b.Get(t.Context(), creds)
			if unreadable, ok := errors.AsType[*Unreadable](err); ok && !unreadable.Since.Equal(time.Now()) {
				t.Errorf("unreadable since %s although a read succeeded", unreadable.Since.Sub(b.begun))
			}
		}
		time.Sleep(forgetFailure)
		synctest.Wait()
		b.Store.mu.Lock()
		defer b.Store.mu.Unlock()
		if n := len(b.failures); n != 0 {
			t.Errorf("%d series are in memory", n)
		}
	})
}
