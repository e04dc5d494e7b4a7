// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// pace is the time between two polls, whichever Secrets they are of: fewer than 20 a second, however many are waited for.
	pace = 60 * time.Millisecond
	// maxInterval is the longest interval between two polls of one Secret, unless too many Secrets are waited for.
	maxInterval = 30 * time.Second
	// readTimeout bounds one poll.
	readTimeout = 5 * time.Second
)

// Subscription says what an object waits for.
type Subscription struct {
	// Seen is the content that failed. Zero: it is not known, as after a restart.
	Seen Fingerprint
	// Missing: the Secret was missing or unusable, so that an object which does not know what failed is woken by the first poll.
	// Otherwise the first content that is read counts as the one that failed.
	Missing bool
	// Urgent asks for a poll at once, and wakes the object whatever the poll finds.
	Urgent bool
}

type waiter struct {
	Subscription
	secret types.NamespacedName
	woken  bool
}

// Subscribe registers an object as waiting for a Secret, and for no other. It is woken once when the content differs from what failed.
// An object that waits already keeps what it has seen; one that was woken, or that failed with other content, begins to wait anew.
func (s *Store) Subscribe(secret, object types.NamespacedName, w Subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.waiters[object]
	if known != nil && known.secret == secret && !known.woken && (w.Seen == (Fingerprint{}) || w.Seen == known.Seen) {
		known.Urgent = known.Urgent || w.Urgent
	} else {
		s.forget(object)
		known = &waiter{Subscription: w, secret: secret}
		s.waiters[object] = known
	}
	now := time.Now()
	due := now
	if known.Seen != (Fingerprint{}) && !known.Urgent {
		due = now.Add(s.poll)
	}
	s.polls.add(secret, object, now, due)
	select {
	case s.added <- struct{}{}:
	default:
	}
}

// News says whether the object was woken, and whether it had asked for an urgent poll. It stays so until Forget or Await:
// what the object does about it may fail.
func (s *Store) News(object types.NamespacedName) (changed, urgent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.waiters[object]
	if w == nil || !w.woken {
		return false, false
	}
	return true, w.Urgent
}

// Forget ends the wait of an object.
func (s *Store) Forget(object types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(object)
}

func (s *Store) forget(object types.NamespacedName) {
	if w := s.waiters[object]; w != nil {
		delete(s.waiters, object)
		s.polls.remove(w.secret, object)
	}
}

// Run polls the Secrets that objects wait for until ctx ends, and calls wake for each object that may go on.
func (s *Store) Run(ctx context.Context, wake func(object types.NamespacedName)) {
	s.mu.Lock()
	s.wake = wake
	s.mu.Unlock()
	for ctx.Err() == nil {
		secret, wait := s.nextPoll()
		if wait > 0 {
			select {
			case <-ctx.Done():
			case <-s.added:
			case <-time.After(wait):
			}
			continue
		}
		s.pollOnce(ctx, secret)
		select {
		case <-ctx.Done():
		case <-time.After(pace):
		}
	}
}

func (s *Store) nextPoll() (types.NamespacedName, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.polls.next(time.Now())
}

// pollOnce reads one Secret, and wakes those whom its content concerns. A read that fails tells nothing.
func (s *Store) pollOnce(ctx context.Context, secret types.NamespacedName) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	c, err := s.get(ctx, secret)
	s.notify(s.polled(secret, c, err == nil && c.unread == nil))
}

// polled notes a poll, and returns whom its content concerns.
func (s *Store) polled(secret types.NamespacedName, c content, ok bool) (woken []types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, object := range s.polls.waiting(secret) {
		if ok && s.concerns(s.waiters[object], c) {
			woken = append(woken, object)
		}
	}
	s.markWoken(woken)
	s.polls.polled(secret, time.Now(), s.poll)
	return woken
}

func (s *Store) concerns(w *waiter, c content) bool {
	if w.Seen == (Fingerprint{}) && !w.Missing && !w.Urgent {
		w.Seen = c.fingerprint
	}
	return w.Urgent || w.Seen != c.fingerprint
}

func (s *Store) markWoken(objects []types.NamespacedName) {
	for _, object := range objects {
		w := s.waiters[object]
		w.woken = true
		s.polls.remove(w.secret, object)
	}
}

func (s *Store) notify(objects []types.NamespacedName) {
	s.mu.Lock()
	wake := s.wake
	s.mu.Unlock()
	for _, object := range objects {
		wake(object)
	}
}
