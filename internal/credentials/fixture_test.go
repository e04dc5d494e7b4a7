// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// server holds Secrets and records when each is read.
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

// bench is a store that polls until the test ends.
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
	b.Store = New(b.server.read, poll, nil)
	go b.Run(t.Context(), func(object types.NamespacedName) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.woken[object] = time.Since(b.begun)
	})
	synctest.Wait()
	return b
}

// wokenBy returns whether the object was woken and has not acted on it.
func (b *bench) wokenBy(object types.NamespacedName) bool {
	synctest.Wait()
	changed, _ := b.News(object)
	return changed
}

func name(namespace, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

var creds = name("shop", "creds")
