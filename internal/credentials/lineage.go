// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// forgetLineage is how long the store remembers the credentials of a Secret that nobody reads.
const forgetLineage = 10 * time.Minute

// lineage has the latest credentials of a Secret.
type lineage struct {
	current Fingerprint
	readAt  time.Time
}

// follow calls replaced when the credentials that were read replace others. Those before count even if the cloud refused
// them: it may have counted a call with them.
func (s *Store) follow(secret types.NamespacedName, c content) {
	if c.unusable != nil || c.unread != nil {
		return
	}
	previous := s.setCurrent(secret, c.fingerprint, time.Now())
	if previous != (Fingerprint{}) && previous != c.fingerprint && s.replaced != nil {
		s.replaced(previous, c.fingerprint)
	}
}

// setCurrent makes these credentials the current ones of the Secret. It returns those before, or zero if none are known.
func (s *Store) setCurrent(secret types.NamespacedName, f Fingerprint, now time.Time) (previous Fingerprint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	previous = s.lineages[secret].current
	s.lineages[secret] = lineage{current: f, readAt: now}
	s.forgetLineages(now)
	return previous
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
