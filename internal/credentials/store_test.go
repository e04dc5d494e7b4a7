// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// server has Secrets and counts how often each is read.
type server struct {
	mu      sync.Mutex
	secrets map[types.NamespacedName]map[string][]byte
	reads   map[types.NamespacedName][]time.Time
	all     []time.Time
	takes   time.Duration
	fault   error
}

func (s *server) read(_ context.Context, name types.NamespacedName) (map[string][]byte, error) {
	s.mu.Lock()
	now := time.Now()
	s.reads[name], s.all = append(s.reads[name], now), append(s.all, now)
	data, takes, fault := s.secrets[name], s.takes, s.fault
	s.mu.Unlock()
	time.Sleep(takes)
	switch {
	case fault != nil:
		return nil, fault
	case data == nil:
		return nil, &Unusable{"no Secret " + name.Name}
	}
	return data, nil
}

func (s *server) put(name types.NamespacedName, id string, junk string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[name] = map[string][]byte{"secretId": []byte(id), "secretKey": []byte("key"), "junk": []byte(junk)}
}

func (s *server) fail(fault error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

func (s *server) readsOf(name types.NamespacedName) []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads[name]
}

// bench is a store whose Run is under way, until the test ends.
type bench struct {
	*Store
	*server
	mu    sync.Mutex
	woken map[types.NamespacedName]time.Duration // since the beginning
	begun time.Time
}

const poll = 5 * time.Second

func begin(t *testing.T) *bench {
	b := &bench{
		server: &server{secrets: map[types.NamespacedName]map[string][]byte{}, reads: map[types.NamespacedName][]time.Time{}},
		woken:  map[types.NamespacedName]time.Duration{}, begun: time.Now(),
	}
	b.Store = New(b.server.read, poll)
	go b.Run(t.Context(), func(object types.NamespacedName) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.woken[object] = time.Since(b.begun)
	})
	synctest.Wait()
	return b
}

// wokenBy says whether the object was woken. The news lasts until it acts on it.
func (b *bench) wokenBy(object types.NamespacedName) bool {
	synctest.Wait()
	changed, _ := b.News(object)
	return changed
}

func name(namespace, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

var creds = name("shop", "creds")

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

func TestWhatWasReadIsKeptForASecondAndNoLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		b.put(creds, "old", "")
		_, _, _ = b.Get(t.Context(), creds)
		b.put(creds, "new", "")
		time.Sleep(keep - time.Millisecond)
		if c, _, _ := b.Get(t.Context(), creds); c.SecretID != "old" || len(b.readsOf(creds)) != 1 {
			t.Errorf("got %s after %d reads, want what was read", c.SecretID, len(b.readsOf(creds)))
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		b.Store.mu.Lock()
		if len(b.kept) != 0 {
			t.Error("credentials are in memory although nobody asks")
		}
		b.Store.mu.Unlock()
		if c, _, _ := b.Get(t.Context(), creds); c.SecretID != "new" {
			t.Errorf("got %s after a second", c.SecretID)
		}
	})
}

func TestAReadThatFailsIsKeptForASecondAndWakesNobody(t *testing.T) {
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
			t.Error("a read that failed counts as content")
		}
		b.fail(nil)
		time.Sleep(keep)
		synctest.Wait()
		if got, _, err := b.Get(t.Context(), creds); err != nil || got != c {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

// Ten thousand names that do not exist: a steady trickle of reads, and no other namespace waits for them.
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
			t.Errorf("not woken %s after its Secret came", time.Since(at))
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
