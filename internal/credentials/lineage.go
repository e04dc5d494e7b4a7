// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// forgetLineage is how long the store remembers the credentials of a Secret that nobody reads.
const forgetLineage = 10 * time.Minute

// lineage has the credentials of a Secret that follow each other.
type lineage struct {
	current  Fingerprint // the latest
	before   Fingerprint // the latest before them that were not refused; zero: none
	accepted bool        // the cloud has accepted a call with the current ones
	refused  bool        // the cloud has refused one, and accepted none
	readAt   time.Time
}

// follow tells when the credentials that were read replace others.
func (s *Store) follow(secret types.NamespacedName, c content) {
	if c.unusable != nil || c.unread != nil {
		return
	}
	previous := s.succeed(secret, c.fingerprint, time.Now())
	if previous != (Fingerprint{}) && s.replaced != nil {
		s.replaced(previous, c.fingerprint)
	}
}

// succeed makes these credentials the current ones of the Secret. It returns those that they replace, or zero.
func (s *Store) succeed(secret types.NamespacedName, f Fingerprint, now time.Time) (previous Fingerprint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.lineages[secret]
	if known == nil {
		known = &lineage{current: f}
		s.lineages[secret] = known
	}
	if known.current != f {
		previous = known.current
		if known.refused {
			previous = known.before
		}
		*known = lineage{current: f, before: previous}
	}
	known.readAt = now
	s.forgetLineages(now)
	return previous
}

// remember keeps whether the cloud accepted a call with the current credentials of the Secret.
func (s *Store) remember(secret types.NamespacedName, f Fingerprint, rejected bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.lineages[secret]
	if known == nil || known.current != f {
		return
	}
	known.accepted = known.accepted || !rejected
	known.refused = !known.accepted
}

// forgetLineages drops what nobody reads, once in a while.
func (s *Store) forgetLineages(now time.Time) {
	if now.Sub(s.trimmedAt).Abs() < sweepInterval {
		return
	}
	s.trimmedAt = now
	for secret, known := range s.lineages {
		if now.Sub(known.readAt) > forgetLineage {
			delete(s.lineages, secret)
		}
	}
}
