// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// Scope is what a refusal is limited to: credentials that the cloud refuses can be valid for another region, site or action.
type Scope struct {
	Secret types.NamespacedName
	Region string
	Site   importjob.Site
	Action importjob.Action
}

// refusal records that the cloud refused credentials.
type refusal struct {
	fingerprint Fingerprint
	at          time.Time            // when the cloud last refused them
	next        time.Time            // when one object may try them again
	trier       types.NamespacedName // the object that may try until then, as often as it needs
}

const (
	// forgetRefusal is how long a refusal stays in memory when no object tries again after it became due.
	forgetRefusal = time.Minute
	// settleRefusal is the minimum age of a refusal that another object's success ends. The two can be about different imports: where
	// the cloud accepts some and refuses others, each success would wake all objects for nothing.
	settleRefusal = time.Minute
	// sweepInterval is the minimum time between two searches for refusals to forget. A search at each refusal would let one user
	// with many refusals slow down everyone's.
	sweepInterval = time.Minute
)

// Refused returns true if the cloud refused the credentials and the object must not use them, with the time to call Refused again, at
// most retry from now. When that time has come, the first object that calls Refused may use the credentials: it gets false, with a
// zero time. All others wait for its result.
func (s *Store) Refused(scope Scope, f Fingerprint, object types.NamespacedName, now time.Time, retry time.Duration) (next time.Time, refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.refusals[scope]
	if r == nil || r.fingerprint != f {
		return time.Time{}, false
	}
	wait := r.next.Sub(now)
	if wait <= 0 || wait > retry { // longer than retry: the clock was ahead
		r.next, r.trier = now.Add(retry), object
	}
	if r.trier == object {
		return time.Time{}, false
	}
	return r.next, true
}

// Report records the result of a call with these credentials: whether the cloud refused them. One object may try them again after retry.
// A call that was not refused ends a refusal that is a minute old, and wakes the objects that wait for the Secret.
func (s *Store) Report(scope Scope, f Fingerprint, rejected bool, now time.Time, retry time.Duration) {
	if rejected {
		s.refuse(scope, &refusal{fingerprint: f, at: now, next: now.Add(retry)}, now)
		return
	}
	s.notify(s.endRefusal(scope, now))
}

func (s *Store) refuse(scope Scope, r *refusal, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals[scope] = r
	s.forgetRefusals(now)
}

// endRefusal ends the refusal in the scope, if it is old enough, and returns the objects to wake.
func (s *Store) endRefusal(scope Scope, now time.Time) []types.NamespacedName {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.refusals[scope]
	if r == nil || now.Sub(r.at) < settleRefusal {
		return nil
	}
	delete(s.refusals, scope)
	objects := s.polls.waiting(scope.Secret)
	s.markWoken(objects)
	return objects
}

// forgetRefusals drops the refusals that no object has tried again.
func (s *Store) forgetRefusals(now time.Time) {
	if now.Sub(s.sweptAt).Abs() < sweepInterval {
		return
	}
	s.sweptAt = now
	for scope, r := range s.refusals {
		if now.Sub(r.next) > forgetRefusal {
			delete(s.refusals, scope)
		}
	}
}
