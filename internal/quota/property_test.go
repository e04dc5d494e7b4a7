// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// It holds whatever the latency is and whenever within it a call arrives, whoever leaves, and whatever is refused, lost or not sent.
func TestNoSecondAtTheServerSeesMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			const limit, callers = 5, 200
			r := start(limit)
			handled, next, begin := 0, callers, time.Now()
			pending := make([]int, callers)
			for i := range pending {
				pending[i] = i
			}
			for len(r.arrivals) < callers*9/10 {
				if time.Since(begin) > time.Hour {
					t.Fatalf("seed %d: %d calls in an hour", seed, len(r.arrivals))
				}
				for _, id := range pending {
					if random.IntN(50) == 0 {
						r.Leave(id)
						continue
					}
					if credit, _ := r.Acquire(key, id); credit != nil {
						r.call(credit, random)
					}
				}
				pass(100 * time.Millisecond)
				pending = append(r.woken()[handled:], next)
				handled, next = handled+len(pending)-1, next+1
			}
			for _, from := range r.arrivals {
				if n := within(r.arrivals, from, from.Add(period)); n > limit {
					t.Fatalf("seed %d: %d calls in one second", seed, n)
				}
			}
			time.Sleep(20 * time.Second)
		})
	}
}

// However many ask, whatever is refused and whoever leaves, nobody is forgotten in the queue.
func TestWhoeverStaysInTheQueueIsWoken(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			r := start(1 + random.IntN(3))
			handled := 0
			for id := range 130 {
				asked := r.woken()[handled:]
				handled += len(asked)
				if id < 30 {
					asked = append(asked, id)
				}
				for _, id := range asked {
					if credit, _ := r.Acquire(key, id); credit != nil {
						r.finish(credit, random)
					}
				}
				if id < 30 && random.IntN(10) == 0 {
					r.Leave(random.IntN(30))
				}
				pass(time.Duration(random.IntN(2500)) * time.Millisecond)
			}
			for id := range r.waiters {
				t.Fatalf("seed %d: %d is forgotten: %+v", seed, id, r.States())
			}
			time.Sleep(retention)
		})
	}
}

// finish cancels the credit now and then, or uses it for a call, which may be refused.
func (r *fixture) finish(credit *Credit, random *rand.Rand) {
	latency, kind := time.Duration(random.IntN(300))*time.Millisecond, random.IntN(4)
	if kind == 0 {
		credit.Cancel()
		return
	}
	time.AfterFunc(latency, func() { credit.Wait(); credit.Done(kind == 1) })
}

// call cancels the credit now and then, or uses it for a call that arrives at some time before its answer. An answer that is lost is given
// up after ten seconds.
func (r *fixture) call(credit *Credit, random *rand.Rand) {
	if random.IntN(20) == 0 {
		credit.Cancel()
		return
	}
	latency := time.Duration(random.IntN(2000)) * time.Millisecond
	way, refused := time.Duration(random.Int64N(int64(latency)+1)), random.IntN(40) == 0
	if random.IntN(20) == 0 {
		latency = 10 * time.Second
	}
	go func() {
		credit.Wait()
		r.mu.Lock()
		r.arrivals = append(r.arrivals, time.Now().Add(way))
		r.mu.Unlock()
		time.Sleep(latency)
		credit.Done(refused)
	}()
}
