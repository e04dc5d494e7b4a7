// SPDX-License-Identifier: Apache-2.0

package cdbsim

import "time"

// budget is what is counted apart: one of a sub-account, or one of a main account, which has no host.
type budget struct {
	ofOwner           bool
	who, host, action string
}

// SetOwnerLimit limits each main account to n calls a second of each action, over all its sub-accounts and hosts. Zero: no limit.
func (s *Server) SetOwnerLimit(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ownerLimit = n
}

// admit counts a call, or returns the code of the limit that is reached. A call that is refused does not count.
func (s *Server) admit(call Call, who Identity, now time.Time) string {
	own := budget{who: who.SubAccount, host: call.Host, action: call.Action}
	shared := budget{ofOwner: true, who: who.Owner, action: call.Action}
	switch {
	case s.full(own, s.limits[call.Action], now):
		return "RequestLimitExceeded"
	case s.ownerLimit > 0 && s.full(shared, s.ownerLimit, now):
		return "RequestLimitExceeded.UinLimitExceeded"
	}
	s.arrivals[own] = append(s.arrivals[own], now)
	if s.ownerLimit > 0 {
		s.arrivals[shared] = append(s.arrivals[shared], now)
	}
	return ""
}

// full keeps a strict sliding window of one second over the arrivals that were let in.
func (s *Server) full(b budget, limit int, now time.Time) bool {
	window := s.arrivals[b]
	for len(window) > 0 && now.Sub(window[0]) >= time.Second {
		window = window[1:]
	}
	s.arrivals[b] = window
	return len(window) >= limit
}
