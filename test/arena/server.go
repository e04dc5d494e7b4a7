// SPDX-License-Identifier: Apache-2.0

package arena

import (
	"sync"
	"time"
)

// vendorLimit is how many calls the server lets in within any second, unless a scenario changes it.
const vendorLimit = 20

// outside is the client number of the other program of a scenario, which does not queue, retry or adapt.
const outside = -1

// arrival is one call as the server saw it.
type arrival struct {
	client  int
	at      time.Duration // since the scenario began
	refused bool
}

// server keeps a strict quota: it lets in no more than limit calls within any sliding second, and counts a call when it arrives.
// A refused call does not count.
type server struct {
	begin time.Time

	mu       sync.Mutex
	limit    int
	admitted []time.Duration // within the last second
	arrivals []arrival
}

func newServer() *server { return &server{begin: time.Now(), limit: vendorLimit} }

// admit counts a call of a client that arrives now, and says whether the server lets it in.
func (s *server) admit(client int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Since(s.begin)
	for len(s.admitted) > 0 && now-s.admitted[0] >= time.Second {
		s.admitted = s.admitted[1:]
	}
	refused := len(s.admitted) >= s.limit
	if !refused {
		s.admitted = append(s.admitted, now)
	}
	s.arrivals = append(s.arrivals, arrival{client, now, refused})
	return !refused
}

// setLimit changes the quota from now on.
func (s *server) setLimit(n int) {
	s.mu.Lock()
	s.limit = n
	s.mu.Unlock()
}
