// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// Scope is what a refusal of credentials is about: the same Secret can be right for another region, site or action.
type Scope struct {
	Secret types.NamespacedName
	Region string
	Site   importjob.Site
	Action importjob.Action
}

// refusal is of credentials that the cloud refused.
type refusal struct {
	fingerprint Fingerprint
	at          time.Time            // when the cloud refused them last
	next        time.Time            // when one object may try them again
	trier       types.NamespacedName // who may try until then, however often it has to ask
}

const (
	// forgetRefusal is how long a refusal is remembered after it was due, in case no object comes to try again.
	forgetRefusal = time.Minute
	// settleRefusal is how old a refusal must be for another object's success to end it: the two can be about different imports.
	settleRefusal = time.Minute
)

// Refused says whether the cloud refused these credentials, and when they are tried again. When that is due, the first object
// to ask may try, and all others go on waiting for its result.
func (s *Store) Refused(scope Scope, f Fingerprint, object types.NamespacedName, now time.Time, retry time.Duration) (next time.Time, refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.refusals[scope]
	if r == nil || r.fingerprint != f {
		return time.Time{}, false
	}
	wait := r.next.Sub(now)
	if wait <= 0 || wait > retry { // a clock that was ahead delays nobody
		r.next, r.trier = now.Add(retry), object
	}
	if r.trier == object {
		return time.Time{}, false
	}
	return r.next, true
}

// Report says how a call with these credentials ended: whether the cloud refused them. A refusal that has ended wakes all who wait for the Secret.
func (s *Store) Report(scope Scope, f Fingerprint, rejected bool, now time.Time, retry time.Duration) {
	s.mu.Lock()
	var wake []types.NamespacedName
	r := s.refusals[scope]
	switch {
	case rejected:
		s.refusals[scope] = &refusal{fingerprint: f, at: now, next: now.Add(retry)}
		s.forgetRefusals(now)
	case r != nil && now.Sub(r.at) >= settleRefusal:
		delete(s.refusals, scope)
		wake = s.polls.waiting(scope.Secret)
		s.markWoken(wake)
	}
	s.mu.Unlock()
	s.notify(wake)
}

// forgetRefusals is not at each report: whoever makes many refusals would make each report slower for all.
func (s *Store) forgetRefusals(now time.Time) {
	if since := now.Sub(s.sweptAt); since >= 0 && since < settleRefusal {
		return
	}
	s.sweptAt = now
	for scope, r := range s.refusals {
		if now.Sub(r.next) > forgetRefusal {
			delete(s.refusals, scope)
		}
	}
}
