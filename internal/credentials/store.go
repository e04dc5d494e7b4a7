// SPDX-License-Identifier: Apache-2.0

// Package credentials reads Secrets by name: one read for each Secret however many objects ask, and a paced poll for those that wait.
package credentials

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// keep is how long what was read serves others, also that the Secret is missing.
const keep = time.Second

// Reader returns the data of a Secret. An *Unusable error says that the Secret is missing or may not be read; any other may pass.
type Reader func(ctx context.Context, secret types.NamespacedName) (map[string][]byte, error)

// Store has the credentials that were read within the last second, and knows who waits for which Secret. Use New.
type Store struct {
	read  Reader
	poll  time.Duration
	reads singleflight.Group
	added chan struct{} // somebody waits who did not before

	mu       sync.Mutex
	kept     map[types.NamespacedName]content
	failures map[types.NamespacedName]*failure
	waiters  map[types.NamespacedName]*waiter // by object
	polls    polls
	refusals map[Scope]*refusal
	sweptAt  time.Time // refusals
	wake     func(object types.NamespacedName)
}

// content is what one read of a Secret found.
type content struct {
	creds       importjob.Credentials
	unusable    *Unusable // nil: creds can be used
	fingerprint Fingerprint
	unread      *Unreadable // nil: it was read
}

// Unreadable says that the API server does not answer for a Secret: that may pass. Its text has what the API server said.
type Unreadable struct {
	Since time.Time // of the first of the reads that failed in a row
	text  string
}

func (e *Unreadable) Error() string { return e.text }

// failure is of reads in a row.
type failure struct{ since, last time.Time }

// forgetFailure is how long after a read that failed the next one counts as the first.
const forgetFailure = time.Minute

// New returns a store. The interval at which Run polls a Secret that objects wait for is at first poll, and grows to 30 s.
func New(read Reader, poll time.Duration) *Store {
	return &Store{
		read: read, poll: poll, added: make(chan struct{}, 1), wake: func(types.NamespacedName) {},
		kept: map[types.NamespacedName]content{}, failures: map[types.NamespacedName]*failure{}, waiters: map[types.NamespacedName]*waiter{}, refusals: map[Scope]*refusal{},
		polls: polls{secrets: map[types.NamespacedName]*polled{}, namespaces: map[string]*byDue{}},
	}
}

// Get returns the credentials of a Secret as they were at most a second ago. Those who ask at the same time share a read.
// An *Unusable error waits for the Secret to change; an *Unreadable one may pass, and so does any other.
func (s *Store) Get(ctx context.Context, secret types.NamespacedName) (importjob.Credentials, Fingerprint, error) {
	c, err := s.get(ctx, secret)
	switch {
	case err != nil:
		return importjob.Credentials{}, Fingerprint{}, err
	case c.unread != nil:
		return importjob.Credentials{}, Fingerprint{}, c.unread
	case c.unusable != nil:
		return importjob.Credentials{}, c.fingerprint, c.unusable
	}
	return c.creds, c.fingerprint, nil
}

func (s *Store) get(ctx context.Context, secret types.NamespacedName) (content, error) {
	got, err, _ := s.reads.Do(secret.String(), func() (any, error) {
		if kept, ok := s.keptOf(secret); ok {
			return kept, nil
		}
		data, err := s.read(ctx, secret)
		if ctx.Err() != nil {
			return content{}, ctx.Err() // it says nothing of the Secret
		}
		c, err := contentOf(secret.Name, data, err)
		c.unread = s.unreadable(secret, err)
		s.keepFor(secret, c)
		return c, nil
	})
	c, _ := got.(content)
	return c, err
}

func (s *Store) keptOf(secret types.NamespacedName) (content, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.kept[secret]
	return kept, ok
}

// unreadable notes whether a read failed, and since when reads do.
func (s *Store) unreadable(secret types.NamespacedName, err error) *Unreadable {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if err == nil {
		delete(s.failures, secret)
		return nil
	}
	f := s.failures[secret]
	if f == nil || now.Sub(f.last) > forgetFailure {
		f = &failure{since: now}
		s.failures[secret] = f
		time.AfterFunc(forgetFailure, func() { s.forgetFailure(secret, f) })
	}
	f.last = now
	return &Unreadable{Since: f.since, text: "reading Secret " + secret.String() + ": " + err.Error()}
}

// forgetFailure drops what nobody reads any more.
func (s *Store) forgetFailure(secret types.NamespacedName, f *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.failures[secret] != f:
	case time.Since(f.last) >= forgetFailure:
		delete(s.failures, secret)
	default:
		time.AfterFunc(forgetFailure, func() { s.forgetFailure(secret, f) })
	}
}

func contentOf(name string, data map[string][]byte, err error) (c content, _ error) {
	if err == nil {
		c.creds, err = Parse(name, data)
	}
	if err == nil {
		c.fingerprint = FingerprintOf(c.creds)
		return c, nil
	}
	unusable, ok := err.(*Unusable) //nolint:errorlint // it is ours, unwrapped
	if !ok {
		return content{}, err
	}
	return content{unusable: unusable, fingerprint: fingerprintOfError(unusable)}, nil
}

// keepFor keeps what was read for a second, and no longer, whether or not somebody asks again.
func (s *Store) keepFor(secret types.NamespacedName, c content) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[secret] = c
	time.AfterFunc(keep, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.kept, secret)
	})
}
