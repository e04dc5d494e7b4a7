// SPDX-License-Identifier: Apache-2.0

// Package credentials reads the Secrets that objects name, without a list or a watch of Secrets.
//
// A [Store] limits the reads. Objects that need a Secret at the same time share one read, and its result is used for a second.
// Objects whose Secret is missing, unusable or refused by the cloud subscribe to it. [Store.Run] polls these Secrets, fewer than 20 a
// second in all, and wakes the objects when the content of theirs changes. Of the objects whose credentials the cloud refused, one
// at a time tries again.
package credentials

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

const (
	// keep is how long the result of a read is used, even if the Secret is missing.
	keep = time.Second
	// forgetFailure is how long after a failed read another one belongs to the same series.
	forgetFailure = time.Minute
)

// Reader returns the data of a Secret. If the Secret is missing or may not be read, the error is an *Unusable, not wrapped.
// Any other error counts as a temporary failure of the API server.
type Reader func(ctx context.Context, secret types.NamespacedName) (map[string][]byte, error)

// Store reads Secrets and keeps track of the objects that wait for them. It is safe for concurrent use. Create one with New.
type Store struct {
	read     Reader
	poll     time.Duration
	replaced func(previous, next Fingerprint)
	reads    singleflight.Group
	added    chan struct{} // an object has subscribed

	mu                 sync.Mutex
	kept               map[types.NamespacedName]content
	failures           map[types.NamespacedName]*failure
	waiters            map[types.NamespacedName]*waiter // by object
	polls              polls
	refusals           map[Scope]*refusal
	lineages           map[types.NamespacedName]lineage
	sweptAt, trimmedAt time.Time // of forgetRefusals and of forgetLineages
	wake               func(object types.NamespacedName)
}

// content is the result of a read.
type content struct {
	creds       importjob.Credentials
	fingerprint Fingerprint
	unusable    *Unusable   // nil if creds are valid
	unread      *Unreadable // nil if the API server answered
}

// Unreadable is the error for a Secret that the API server failed to return. The failure may be temporary.
type Unreadable struct {
	// Since is the time of the first failed read, unless a read succeeded or a minute passed without one in the meantime.
	Since time.Time
	text  string
}

// Error returns the error of the API server with the name of the Secret.
func (e *Unreadable) Error() string { return e.text }

// failure is a series of failed reads of one Secret.
type failure struct {
	since time.Time
	end   *time.Timer // ends the series, unless another read fails first
}

// New returns a store that reads Secrets with read.
//
// Run polls a Secret at intervals of poll at first, which must be positive. The interval grows as the wait goes on, to 30 seconds after two
// minutes. It is never shorter than poll.
//
// When the credentials in a Secret have changed, the store calls replaced with the fingerprints of the old and the new ones, before it
// returns the new ones. Nil: nobody wants to know.
func New(read Reader, poll time.Duration, replaced func(previous, next Fingerprint)) *Store {
	return &Store{
		read:     read,
		poll:     poll,
		replaced: replaced,
		lineages: map[types.NamespacedName]lineage{},
		added:    make(chan struct{}, 1),
		kept:     map[types.NamespacedName]content{},
		failures: map[types.NamespacedName]*failure{},
		waiters:  map[types.NamespacedName]*waiter{},
		polls:    polls{secrets: map[types.NamespacedName]*polled{}},
		refusals: map[Scope]*refusal{},
		wake:     func(types.NamespacedName) {},
	}
}

// Get returns the credentials in a Secret, as of at most a second ago, and their fingerprint.
// The error is an *Unusable, with the fingerprint to subscribe with; or an *Unreadable or one of ctx, with a zero fingerprint.
func (s *Store) Get(ctx context.Context, secret types.NamespacedName) (importjob.Credentials, Fingerprint, error) {
	c, err := s.get(ctx, secret)
	if err != nil {
		return importjob.Credentials{}, Fingerprint{}, err
	}
	if c.unread != nil {
		return importjob.Credentials{}, Fingerprint{}, c.unread
	}
	if c.unusable != nil {
		return importjob.Credentials{}, c.fingerprint, c.unusable
	}
	return c.creds, c.fingerprint, nil
}

// get returns what is kept of the Secret, or reads it. The error is one of ctx.
func (s *Store) get(ctx context.Context, secret types.NamespacedName) (content, error) {
	got, err, _ := s.reads.Do(secret.String(), func() (any, error) {
		if kept, ok := s.keptOf(secret); ok {
			return kept, nil
		}
		data, err := s.read(ctx, secret)
		if ctx.Err() != nil {
			return content{}, ctx.Err() // the error of the read says nothing about the Secret
		}
		c, err := contentOf(secret.Name, data, err)
		c.unread = s.unreadable(secret, err)
		s.follow(secret, c)
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

// contentOf returns the content of a Secret, or the error if it is not an *Unusable.
func contentOf(name string, data map[string][]byte, err error) (c content, _ error) {
	if err == nil {
		c.creds, err = Parse(name, data)
	}
	if err == nil {
		c.fingerprint = FingerprintOf(c.creds)
		return c, nil
	}
	unusable, ok := err.(*Unusable) //nolint:errorlint // Reader and Parse do not wrap it
	if !ok {
		return content{}, err
	}
	return content{unusable: unusable, fingerprint: fingerprintOfError(unusable)}, nil
}

// unreadable counts a failed read to the Secret's series of failures and describes it. Without an error it ends the series.
func (s *Store) unreadable(secret types.NamespacedName, err error) *Unreadable {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		delete(s.failures, secret)
		return nil
	}
	f := s.failures[secret]
	if f == nil {
		f = &failure{since: time.Now()}
		f.end = time.AfterFunc(forgetFailure, func() { s.endFailure(secret, f) })
		s.failures[secret] = f
	}
	f.end.Reset(forgetFailure)
	return &Unreadable{Since: f.since, text: "reading Secret " + secret.String() + ": " + err.Error()}
}

func (s *Store) endFailure(secret types.NamespacedName, f *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failures[secret] == f {
		delete(s.failures, secret)
	}
}

// keepFor keeps the content for a second. Then it removes it, so that no credentials stay in memory that nobody needs.
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
