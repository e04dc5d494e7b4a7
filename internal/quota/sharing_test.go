// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// server counts by arrival, in a strict sliding window, whoever calls.
type server struct {
	limit int
	mu    sync.Mutex
	taken []time.Time
}

func (s *server) admit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for len(s.taken) > 0 && now.Sub(s.taken[0]) >= period {
		s.taken = s.taken[1:]
	}
	if len(s.taken) >= s.limit {
		return false
	}
	s.taken = append(s.taken, now)
	return true
}

// crowd is one program with so many callers that its queue is never empty.
type crowd struct {
	limiter *Limiter[int]
	server  *server
	newest  int // id

	mu                sync.Mutex
	random            *rand.Rand
	accepted, refused []time.Time
}

const latency = 20 * time.Millisecond

// run calls the server until a time, and lets a caller join the queue for each that leaves it.
func (c *crowd) run(s *server, random *rand.Rand, until time.Time) {
	awake := make(chan int, 100)
	c.limiter, c.server, c.random = New[int](func(string) int { return s.limit }, 0), s, random
	c.limiter.Start(func(id int) { awake <- id })
	for range 50 {
		c.join()
	}
	for time.Now().Before(until) {
		select {
		case id := <-awake:
			if credit, _ := c.limiter.Acquire(key, id, Rank{}); credit != nil {
				go c.call(credit)
			}
			c.join()
		case <-time.After(100 * time.Millisecond):
		}
	}
	for id := range c.newest + 1 {
		c.limiter.Leave(id)
	}
	time.Sleep(2 * time.Minute)
}

// join lets callers call until one has to wait.
func (c *crowd) join() {
	for range 10 * c.server.limit { // no window is wider, whatever is wrong
		c.newest++
		credit, _ := c.limiter.Acquire(key, c.newest, Rank{})
		if credit == nil {
			return
		}
		go c.call(credit)
	}
}

func (c *crowd) call(credit *Credit) {
	credit.Wait()
	time.Sleep(latency/2 + c.jitter())
	ok := c.server.admit()
	time.Sleep(latency / 2)
	credit.Done(!ok)
	c.mu.Lock()
	defer c.mu.Unlock()
	if ok {
		c.accepted = append(c.accepted, time.Now())
	} else {
		c.refused = append(c.refused, time.Now())
	}
}

func (c *crowd) jitter() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(c.random.Int64N(int64(5 * time.Millisecond)))
}

func within(times []time.Time, from, to time.Time) (n int) {
	for _, at := range times {
		if !at.Before(from) && at.Before(to) {
			n++
		}
	}
	return n
}

// The other program takes half of the limit for a minute, and then none of it.
func TestAllButLittleOfWhatAnotherProgramLeavesIsUsed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			s, c := &server{limit: 20}, &crowd{}
			begin := time.Now()
			from, to := begin.Add(10*time.Second), begin.Add(70*time.Second)
			go c.run(s, rand.New(rand.NewPCG(seed, 1)), begin.Add(100*time.Second))
			others := 0
			time.Sleep(10 * time.Second)
			for time.Now().Before(to) {
				if s.admit() {
					others++
				}
				time.Sleep(100 * time.Millisecond)
			}
			pass(5 * time.Minute)
			useful, refused, left := within(c.accepted, from, to), within(c.refused, from, to), 60*20-others
			if useful < left*85/100 || refused*100 > 5*(useful+refused) {
				t.Errorf("%d of the %d that were left, %d refused", useful, left, refused)
			}
			if full := within(c.accepted, to.Add(10*time.Second), to.Add(12*time.Second)); full < 36 {
				t.Errorf("%d calls in two seconds, ten seconds after the end", full)
			}
		})
	}
}

// Two programs share a limit, from the start or because the second comes when the first uses all of it.
func TestTwoThatShareALimitSettle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			s := &server{limit: 20}
			crowds := []*crowd{{}, {}}
			begin := time.Now()
			for i, c := range crowds {
				go func() {
					time.Sleep(time.Duration(i) * time.Duration(seed) * 1037 * time.Millisecond)
					c.run(s, rand.New(rand.NewPCG(seed, uint64(i))), begin.Add(190*time.Second))
				}()
			}
			pass(8 * time.Minute)
			from, to := begin.Add(60*time.Second), begin.Add(180*time.Second)
			a, b := within(crowds[0].accepted, from, to), within(crowds[1].accepted, from, to)
			refused := within(crowds[0].refused, from, to) + within(crowds[1].refused, from, to)
			if a+b < 120*20*85/100 || refused*100 > 5*(a+b) || min(a, b) < (a+b)/10 {
				t.Errorf("seed %d: %d and %d calls in two minutes, %d refused", seed, a, b, refused)
			}
		})
	}
}

func TestALoneUserIsNeverRefusedAndThePriceIsARateOfTheLimitOverOneSecondPlusLatency(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			s, c := &server{limit: 20}, &crowd{}
			begin := time.Now()
			c.run(s, rand.New(rand.NewPCG(seed, 1)), begin.Add(63*time.Second))
			synctest.Wait()
			rate := float64(within(c.accepted, begin.Add(2*time.Second), begin.Add(62*time.Second))) / 60
			slowest := latency + 5*time.Millisecond // of the jitter
			if len(c.refused) > 0 || rate > 20 || rate < 20/(period+slowest).Seconds()-0.1 {
				t.Errorf("%.2f calls a second, %d refused", rate, len(c.refused))
			}
		})
	}
}

// Three programs share a limit, and then two of them leave.
func TestThreeThatShareALimitUseItAndWhoIsLeftHasAllOfItSoon(t *testing.T) {
	t.Parallel()
	const seeds = 12
	var used, refused, total, squares float64
	var mu sync.Mutex
	t.Run("seeds", func(t *testing.T) {
		for seed := range uint64(seeds) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := &server{limit: 20}
					crowds := []*crowd{{}, {}, {}}
					begin := time.Now()
					from, to := begin.Add(60*time.Second), begin.Add(180*time.Second)
					for i, c := range crowds {
						until := to
						if i == 0 {
							until = to.Add(20 * time.Second)
						}
						go func() {
							time.Sleep(time.Duration(i) * time.Duration(seed) * 1037 * time.Millisecond)
							c.run(s, rand.New(rand.NewPCG(seed, uint64(i))), until)
						}()
					}
					pass(8 * time.Minute)
					full := time.Duration(0)
					for at := to; within(crowds[0].accepted, at, at.Add(period)) < 19 && full < 20*time.Second; at = at.Add(100 * time.Millisecond) {
						full += 100 * time.Millisecond
					}
					if full > 13*time.Second {
						t.Errorf("seed %d: all of it %s after the others left", seed, full)
					}
					mu.Lock()
					defer mu.Unlock()
					sum := 0.0
					for _, c := range crowds {
						a := float64(within(c.accepted, from, to))
						sum, squares = sum+a, squares+a*a
						refused += float64(within(c.refused, from, to))
					}
					used += sum
					total += sum * sum / 3
				})
			})
		}
	})
	part, share, jain := used/(seeds*120*20), refused/(used+refused), total/squares
	t.Logf("%.1f %% used, %.1f %% refused, Jain's index %.3f", 100*part, 100*share, jain)
	if part < 0.92 || share > 0.035 || jain < 0.8 { // each of the three varies with the jitter
		t.Errorf("%.1f %% used, %.1f %% refused, Jain's index %.3f", 100*part, 100*share, jain)
	}
}

// All that is known of an arrival is that it was between the sending and the answer. With a credit that came back any earlier, the limit
// would be exceeded: one call arrives just before its answer, and the next one with the same credit just as it is sent.
func TestACreditCannotComeBackSooner(t *testing.T) {
	t.Parallel()
	for earlier, refused := range map[time.Duration]int{0: 0, time.Nanosecond: 20, 180 * time.Millisecond: 20} {
		synctest.Test(t, func(t *testing.T) {
			s, r, got := &server{limit: 20}, start(20), 0
			const latency = 200 * time.Millisecond
			credits := make([]*Credit, 20)
			for id := range credits {
				credits[id] = r.mustGet(t, id)
				credits[id].Wait()
			}
			time.Sleep(latency)
			for _, credit := range credits { // they arrive just before their answers
				s.admit()
				credit.Done(false)
			}
			time.Sleep(period - earlier)
			for range credits { // these arrive as they are sent
				if !s.admit() {
					got++
				}
			}
			if got != refused {
				t.Errorf("%s earlier: %d are refused, want %d", earlier, got, refused)
			}
			time.Sleep(period)
			for id := range credits {
				r.mustGet(t, id).Cancel()
			}
		})
	}
}
