// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// pace is the pause after each poll, whichever Secret it read. It keeps polls under 20 a second.
	pace = 60 * time.Millisecond
	// maxInterval limits how much the interval between two polls of a Secret grows. When so many Secrets are polled that pace
	// delays them, the interval is longer.
	maxInterval = 30 * time.Second
	// readTimeout is the timeout of one poll.
	readTimeout = 5 * time.Second
)

// Subscription is what an object knows about the Secret that it waits for.
type Subscription struct {
	// Seen is the fingerprint of the content that failed. It is zero if that is not known, as after a restart of the operator.
	Seen Fingerprint
	// Missing means that the Secret was missing or unusable. It counts only while Seen is zero: the first poll then wakes the object.
	// Without it, the first poll sets Seen, and only a later change wakes the object.
	Missing bool
	// Urgent makes the next poll due immediately, and that poll wakes the object whatever it finds.
	Urgent bool
}

// waiter is an object that waits for a Secret, or that was woken and has not acted yet.
type waiter struct {
	Subscription
	secret types.NamespacedName
	woken  bool
}

// Subscribe makes the object wait for the Secret, and for no other. The object is woken once, when the content is no longer what it was.
// A repeated call changes nothing, except that it can make the wait urgent. After the object was woken, or with another Seen
// that is not zero, the wait starts over.
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

// News returns whether the object was woken, and whether its wait was urgent. The result stays the same until Forget or Subscribe,
// so that an object which fails to act on it can try again.
func (s *Store) News(object types.NamespacedName) (changed, urgent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.waiters[object]
	if w == nil || !w.woken {
		return false, false
	}
	return true, w.Urgent
}

// Forget ends the wait of the object. It does nothing if the object does not wait.
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

// Run polls the Secrets that objects wait for until ctx ends, and calls wake for each object to wake. Call it once.
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

// pollOnce reads the Secret and wakes the objects for which its content is new. A failed read wakes none.
func (s *Store) pollOnce(ctx context.Context, secret types.NamespacedName) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	c, err := s.get(ctx, secret)
	s.notify(s.polled(secret, c, err == nil && c.unread == nil))
}

// polled schedules the next poll of the Secret and returns the objects to wake: none if the read was not ok.
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

// concerns says whether the content wakes the waiter. If Seen is zero, and the wait is neither Missing nor Urgent, it only remembers the content.
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
