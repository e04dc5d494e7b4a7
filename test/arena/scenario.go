// SPDX-License-Identifier: Apache-2.0

package arena

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// scenario is some trouble that clients of one quota can get into. All clients of a scenario pace alike.
type scenario struct {
	name, title string
	clients     int
	travel      func(*rand.Rand) trip
	trouble     func(ctx context.Context, s *server, random *rand.Rand) // what else happens; nil: nothing
	from, to    time.Duration                                           // what is measured
	recovery    time.Duration                                           // for how long after to; zero: there is nothing to recover from
	perSecond   float64                                                 // that the quota lets in while it is measured
	oursOnly    bool
}

// patience is how long after its end a trouble may have consequences.
const patience = 40 * time.Second

var scenarios = []scenario{
	{name: "alone", title: "Alone, 20 ms", clients: 1, travel: near, perSecond: 20, from: 2 * time.Second, to: 62 * time.Second},
	{name: "jitter", title: "Alone, 0 to 300 ms", clients: 1, travel: anywhere, perSecond: 20, from: 2 * time.Second, to: 62 * time.Second},
	{name: "service", title: "Alone, 200 ms of service behind a network of 20 ms", clients: 1, travel: slowService, perSecond: 20, from: 2 * time.Second, to: 62 * time.Second},
	{name: "program", title: "Another program takes half for a minute", clients: 1, travel: near, trouble: otherProgram, perSecond: 20, from: 10 * time.Second, to: 70 * time.Second, recovery: patience},
	{name: "cut", title: "The quota is cut to a quarter for a minute", clients: 1, travel: near, trouble: cutToAQuarter, perSecond: 5, from: 10 * time.Second, to: 70 * time.Second, recovery: patience},
	{name: "three", title: "Three clients, then one", clients: 3, travel: near, perSecond: 20, from: time.Minute, to: 3 * time.Minute, recovery: patience},
	{name: "two", title: "Two of this operator, then one", clients: 2, travel: near, perSecond: 20, from: time.Minute, to: 3 * time.Minute, recovery: patience, oursOnly: true},
	{name: "five", title: "Five of this operator, then one", clients: 5, travel: near, perSecond: 20, from: time.Minute, to: 3 * time.Minute, recovery: patience, oursOnly: true},
}

// total is 20 ms to 21 ms, of which any part is the way there. The last millisecond keeps two answers from coming at the same instant.
func near(random *rand.Rand) trip {
	return split(random, 20*time.Millisecond, time.Millisecond)
}

func anywhere(random *rand.Rand) trip {
	return split(random, 0, 300*time.Millisecond)
}

// slowService is a network of 20 ms, at whose far end each call takes 200 ms more after it has arrived.
func slowService(random *rand.Rand) trip {
	t := near(random)
	t.back += 200 * time.Millisecond
	return t
}

func split(random *rand.Rand, fixed, varying time.Duration) trip {
	total := fixed + time.Duration(random.Int64N(int64(varying)))
	there := time.Duration(random.Float64() * float64(total))
	return trip{there, total - there}
}

// otherProgram calls ten times a second, from a time to another.
func otherProgram(ctx context.Context, s *server, random *rand.Rand) {
	const from, to, pause = 10 * time.Second, 70 * time.Second, 100 * time.Millisecond
	for at := from; at < to && sleepUntil(ctx, s, at+time.Duration(random.Int64N(int64(pause/2)))); at += pause {
		s.admit(outside)
	}
}

func cutToAQuarter(ctx context.Context, s *server, _ *rand.Rand) {
	if sleepUntil(ctx, s, 10*time.Second) {
		s.setLimit(vendorLimit / 4)
	}
	if sleepUntil(ctx, s, 70*time.Second) {
		s.setLimit(vendorLimit)
	}
}

// sleepUntil waits until so long after the beginning, and says whether ctx still lasts.
func sleepUntil(ctx context.Context, s *server, at time.Duration) bool {
	select {
	case <-time.After(at - time.Since(s.begin)):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// hasOtherProgram says whether somebody outside takes of the quota.
func (s scenario) hasOtherProgram() bool { return s.trouble != nil && s.perSecond == vendorLimit }

// end is how long a scenario lasts.
func (s scenario) end() time.Duration { return s.to + s.recovery }

// play runs a scenario with one way to pace, and returns what the server saw. It must run in a bubble of testing/synctest, where time
// is virtual. The same seed gives the same calls.
func (s scenario) play(r rival, seed uint64) []arrival {
	begun, server := time.Now(), newServer()
	ctx, stop := context.WithDeadline(context.Background(), begun.Add(s.end()))
	defer stop()
	var parties sync.WaitGroup
	for i := range s.clients {
		parties.Go(func() { s.playClient(ctx, r, server, i, seed) })
	}
	if s.trouble != nil {
		parties.Go(func() { s.trouble(ctx, server, rand.New(rand.NewPCG(seed, uint64(s.clients)))) })
	}
	parties.Wait()
	return server.arrivals
}

// playClient lets a client come within the first seconds when there are several, and all but the first leave at the end of what is measured.
func (s scenario) playClient(ctx context.Context, r rival, srv *server, number int, seed uint64) {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	if s.clients > 1 && !sleepUntil(ctx, srv, time.Duration(random.Int64N(int64(5*time.Second)))) {
		return
	}
	if number > 0 {
		leaving, leave := context.WithDeadline(ctx, srv.begin.Add(s.to))
		defer leave()
		ctx = leaving
	}
	c := &client{number, srv, r.pacer(ctx), s.travel, random}
	c.run(ctx)
}
