// SPDX-License-Identifier: Apache-2.0

package arena

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// backlog is how many jobs a client has at any time. A job that is done makes room for a new one.
const backlog = 200

// job is one call that must be accepted once.
type job struct {
	refusals int // so far
}

// pacer decides when one client calls. Each client has its own.
type pacer interface {
	// wait blocks until the next attempt of a job may be sent. It returns nil when ctx ends first.
	// The client calls answered once, when it knows what came of the call.
	wait(ctx context.Context, j *job) (answered func(refused bool) (retryAfter time.Duration))
}

// trip is how long a call takes until it arrives, and from then on until its answer is back.
type trip struct{ there, back time.Duration }

// client calls the server through a pacer, as long as it has jobs: always.
type client struct {
	number int
	server *server
	pacer  pacer
	travel func(*rand.Rand) trip
	random *rand.Rand
}

// run calls until ctx ends, and returns when the last answer is back. One goroutine asks the pacer and draws the random numbers, so
// that the same seed gives the same calls.
func (c *client) run(ctx context.Context) {
	ready := make(chan *job, backlog)
	for range backlog {
		ready <- &job{}
	}
	var inFlight sync.WaitGroup
	defer inFlight.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-ready:
			answered := c.pacer.wait(ctx, j)
			if answered == nil {
				return
			}
			t := c.travel(c.random)
			inFlight.Go(func() {
				c.call(t, j, answered)
				ready <- j
			})
		}
	}
}

func (c *client) call(t trip, j *job, answered func(refused bool) time.Duration) {
	time.Sleep(t.there)
	refused := !c.server.admit(c.number)
	time.Sleep(t.back)
	retryAfter := answered(refused)
	if !refused {
		j.refusals = 0
		return
	}
	j.refusals++
	time.Sleep(retryAfter)
}
