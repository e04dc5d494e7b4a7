// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	schedules = flag.Int("schedules", 500, "how many schedules to play")
	firstSeed = flag.Uint64("seed", 1, "first seed")
	replicas  = flag.Int("replicas", 0, "replicas of the operator; 0 alternates between one and two")
	trace     = flag.Bool("trace", false, "print each seed as its schedule begins")
	budget    = flag.Duration("for", time.Hour, "TestSchedules begins no schedule after so much time")

	processStart = time.Now()
)

// scheduleTimeout is how long one schedule may play, by the clock of the machine. Most take less than a second.
const scheduleTimeout = 2 * time.Minute

func TestMain(m *testing.M) {
	flag.Parse()
	Prepare()
	os.Exit(m.Run())
}

// campaign plays schedules until one fails.
type campaign struct {
	totals
	next   atomic.Uint64
	failed atomic.Bool
}

// TestSchedules plays random schedules. A failure prints its seed; -schedules=1 -seed=N plays it again.
func TestSchedules(t *testing.T) {
	c := &campaign{totals: newTotals(*schedules)}
	done := c.showProgress()
	t.Run("play", func(t *testing.T) {
		for worker := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint("worker ", worker), func(t *testing.T) {
				t.Parallel()
				c.work(t)
			})
		}
	})
	done()
	t.Logf("%s; seeds from %d", c.String(), *firstSeed)
	for _, row := range c.table() {
		t.Log(row)
	}
}

// work plays one schedule after the other.
func (c *campaign) work(t *testing.T) {
	for i := c.next.Add(1) - 1; i < uint64(*schedules) && time.Since(c.begin) < *budget && !c.failed.Load(); i = c.next.Add(1) - 1 {
		s := plan(*firstSeed+i, countOf(*firstSeed+i))
		if *trace {
			fmt.Fprintln(os.Stderr, "seed", s.seed)
		}
		p := playIn(t, s)
		c.add(p)
		if len(p.Wrong) > 0 && !c.failed.Swap(true) {
			report(t, s, p, foundBy(s.seed))
		}
	}
}

// countOf is how many replicas the schedule of a seed has.
func countOf(seed uint64) int {
	if *replicas > 0 {
		return *replicas
	}
	return 1 + int(seed%2)
}

// playIn plays a schedule.
func playIn(t *testing.T, s schedule) (p playback) {
	inBubble(t, s.seed, func() { p = s.play(nil) })
	return p
}

// inBubble plays in a bubble of its own. When the operator loops without a pause, virtual time stops, and so does every timer in the bubble.
// A timer outside it ends the test then.
func inBubble(t *testing.T, seed uint64, play func()) {
	timer := time.AfterFunc(scheduleTimeout, func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("%s: the schedule has not ended after %s, so virtual time probably stands still", foundBy(seed), scheduleTimeout))
	})
	defer timer.Stop()
	synctest.Test(t, func(*testing.T) { play() })
}

// foundBy names the seed that failed, its number among those that were played, and the time since the process began. test/mutants reads it.
func foundBy(seed uint64) string {
	return fmt.Sprintf("found by seed %d, the %d. schedule, after %s", seed, seed-*firstSeed+1, time.Since(processStart).Round(100*time.Millisecond))
}

// replays plays a failure four times, and returns how often it fails again.
func replays(fails func() bool) (again int) {
	for range 4 {
		if fails() {
			again++
		}
	}
	return again
}

// report prints what is wrong, the steps without which it is not, and the story.
func report(t *testing.T, s schedule, p playback, found string) {
	again := replays(func() bool {
		replay := playIn(t, s)
		if len(replay.Wrong) == 0 {
			return false
		}
		p = replay
		return true
	})
	if again > 0 {
		s, p = shrink(t, s, p)
	}
	t.Errorf("%s, and again in %d of 4 replays:\n  %s\nit needs %s\n%s", found, again, strings.Join(p.Wrong, "\n  "), s, p.story)
}

// shrink leaves out steps that are not needed for the failure.
func shrink(t *testing.T, s schedule, p playback) (schedule, playback) {
	for size := len(s.steps) / 2; size > 0; size /= 2 {
		for from := 0; from+size <= len(s.steps); {
			shorter := s
			shorter.steps = slices.Delete(slices.Clone(s.steps), from, from+size)
			if replay := playIn(t, shorter); len(replay.Wrong) > 0 {
				s, p = shorter, replay
			} else {
				from += size
			}
		}
	}
	return s, p
}
