// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var seeds = flag.Uint64("quota.seeds", 500, "how many random mixes to play")

// mix is a program that is restarted now and then, with ids of three owners whose credentials are renewed.
type mix struct {
	*testing.T
	random   *rand.Rand
	limit    int
	limiter  *Limiter[int]
	renewals int
	ranks    map[int]Rank      // of those that want a call
	waits    map[int]time.Time // since when each is in the queue, as Acquire has said
	process  int

	mu       sync.Mutex
	awake    []int
	woken    map[int]time.Time
	refused  map[int]string         // since the latest success of the owner
	passed   map[int]map[int]string // by id: those that were refused when it was woken, and let it go first
	arrivals []time.Time
}

func (m *mix) key() Key { return keyOf(fmt.Sprint(m.renewals)) }

// start begins another process, which knows nothing.
func (m *mix) start() {
	pass(period / 2) // a process takes a while to start, and what the last one sent arrives meanwhile
	m.process++
	m.limiter, m.waits = New[int](func(string) int { return m.limit }, 0), map[int]time.Time{}
	process := m.process
	m.mu.Lock()
	m.awake, m.woken = nil, map[int]time.Time{}
	clear(m.refused)
	m.mu.Unlock()
	m.limiter.Start(func(id int) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.process == process {
			m.awake = append(m.awake, id)
			m.woken[id], m.passed[id] = time.Now(), maps.Clone(m.refused)
		}
	})
	ids := m.ids()
	m.random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	for _, id := range ids {
		m.acquire(id)
	}
}

func (m *mix) ids() []int { return slices.Sorted(maps.Keys(m.ranks)) }

// acquire asks for a credit, and checks that the turn of the id has come.
func (m *mix) acquire(id int) {
	r, wants := m.ranks[id]
	if !wants {
		m.limiter.Leave(id)
		return
	}
	_, waited := m.waits[id]
	credit, _ := m.limiter.Acquire(m.key(), id, r)
	if credit == nil {
		if !waited {
			m.waits[id] = time.Now()
		}
		return
	}
	m.mu.Lock()
	woken, passed := m.woken[id], m.passed[id]
	m.mu.Unlock()
	for other, x := range m.ranks {
		since, waits := m.waits[other]
		if waited && waits && passed[other] == "" && since.Before(woken) && x.Owner == r.Owner && x.Created.Before(r.Created) {
			m.Errorf("%+v has its turn before %+v", r, x)
		}
	}
	delete(m.ranks, id)
	delete(m.waits, id)
	m.use(credit, id, r)
}

// use makes a call, cancels it, or fails so that the id comes again.
func (m *mix) use(credit *Credit, id int, r Rank) {
	if m.random.IntN(10) == 0 {
		credit.Cancel()
		m.ranks[id] = r
		return
	}
	latency := time.Duration(1+m.random.IntN(400)) * time.Millisecond
	way := time.Duration(m.random.Int64N(int64(latency)))
	refused := m.random.IntN(60) == 0
	if m.random.IntN(10) == 0 {
		m.ranks[id] = r // a retry
	}
	go func() {
		credit.Wait()
		m.mu.Lock()
		m.arrivals = append(m.arrivals, time.Now().Add(way))
		m.mu.Unlock()
		time.Sleep(latency)
		m.finish(credit, id, r.Owner, refused)
	}()
}

// finish ends a call.
func (m *mix) finish(credit *Credit, id int, owner string, refused bool) {
	locked := func(change func()) { m.mu.Lock(); defer m.mu.Unlock(); change() }
	if refused {
		locked(func() { m.refused[id] = owner })
		credit.Done(true)
		return
	}
	credit.Done(false)
	locked(func() { maps.DeleteFunc(m.refused, func(_ int, of string) bool { return of == owner }) })
}

// step does one thing that can happen.
func (m *mix) step(created int) {
	id, ok := 0, len(m.ranks) > 0
	if ok {
		ids := m.ids()
		id = ids[m.random.IntN(len(ids))]
	}
	switch m.random.IntN(12) {
	case 0: // deleted
		if ok {
			delete(m.ranks, id)
			delete(m.waits, id)
			m.limiter.Leave(id)
		}
	case 1: // edited: it leaves, and comes back
		if ok {
			m.limiter.Leave(id)
			delete(m.waits, id)
			m.acquire(id)
		}
	case 2: // asks again, for an annotation
		if ok {
			m.acquire(id)
		}
	case 3:
		m.limiter.Follow(m.key().Account, fmt.Sprint(m.renewals+1))
		m.renewals++
	case 4:
		if m.random.IntN(4) == 0 {
			m.start()
		}
	default:
		m.ranks[created] = Rank{fmt.Sprint(m.random.IntN(3)), time.Now(), fmt.Sprint(created)}
		m.acquire(created)
	}
}

// wake lets those act that were woken, and those come again that have failed.
func (m *mix) wake() {
	for {
		m.mu.Lock()
		awake := m.awake
		m.awake = nil
		m.mu.Unlock()
		if len(awake) == 0 {
			break
		}
		for _, id := range awake {
			m.acquire(id)
		}
	}
	for _, id := range m.ids() {
		if _, waits := m.waits[id]; !waits {
			m.acquire(id)
		}
	}
}

// TestAnyMix: whatever comes, leaves, fails, asks again, is renewed or restarted, the oldest of an owner goes first, no second at the server
// sees more than the limit, and everybody has a turn.
func TestAnyMix(t *testing.T) {
	t.Parallel()
	for seed := range *seeds {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			m := &mix{T: t, random: random, limit: 1 + random.IntN(4), ranks: map[int]Rank{}, refused: map[int]string{}, passed: map[int]map[int]string{}}
			m.start()
			for i := 0; i < 60 || len(m.ranks) > 0; i++ {
				if i < 60 {
					m.step(i)
				}
				if i > 10_000 {
					t.Fatalf("seed %d: %v are forgotten: %+v", seed, m.ids(), m.limiter.States())
				}
				m.wake()
				pass(time.Duration(random.IntN(300)) * time.Millisecond)
				m.wake()
			}
			pass(time.Minute)
			slices.SortFunc(m.arrivals, time.Time.Compare)
			for i := m.limit; i < len(m.arrivals); i++ {
				if apart := m.arrivals[i].Sub(m.arrivals[i-m.limit]); apart < period {
					t.Errorf("%d calls within %s", m.limit+1, apart)
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d, a limit of %d", seed, m.limit)
			}
			time.Sleep(retention)
		})
	}
}
