// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

var (
	schedules = flag.Int("schedules", 500, "how many schedules to play")
	firstSeed = flag.Uint64("seed", 1, "first seed")
	replicas  = flag.Int("replicas", 0, "replicas of the operator; 0 alternates between one and two")
	trace     = flag.Bool("trace", false, "print each seed as its schedule begins")
	budget    = flag.Duration("for", time.Hour, "begin no schedule after this time")
)

func TestMain(m *testing.M) {
	flag.Parse()
	klog.SetLogger(logr.Discard())
	ctrl.SetLogger(logr.Discard())
	utilruntime.ErrorHandlers = nil // they keep a time from outside the bubbles
	os.Exit(m.Run())
}

// totals of all schedules.
type totals struct {
	mu                                  sync.Mutex
	schedules, objects, stops, repeated int
	deeds                               map[string]int
}

func (t *totals) add(p playback) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.schedules++
	t.objects += p.Objects
	t.stops += p.Stops
	t.repeated += p.Repeated
	for name, n := range p.deeds {
		t.deeds[name] += n
	}
}

// TestSchedules plays random schedules. A failure prints its seed; -schedules=1 -seed=N plays it again.
func TestSchedules(t *testing.T) {
	first := *firstSeed
	all, begin := &totals{deeds: map[string]int{}}, time.Now()
	var next atomic.Uint64
	t.Run("play", func(t *testing.T) {
		for worker := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint("worker ", worker), func(t *testing.T) {
				t.Parallel()
				for i := next.Add(1) - 1; i < uint64(*schedules) && time.Since(begin) < *budget && !t.Failed(); i = next.Add(1) - 1 {
					s := plan(first+i, countOf(first+i))
					if *trace {
						fmt.Fprintln(os.Stderr, "seed", s.seed)
					}
					p := playIn(t, s)
					all.add(p)
					if len(p.Wrong) > 0 {
						report(t, s, p)
					}
				}
			})
		}
	})
	took := time.Since(begin)
	t.Logf("%d schedules in %s (%.0f a minute): %d objects, %d stops, %d of them after one that was done; seeds from %d",
		all.schedules, took.Round(time.Second), float64(all.schedules)/took.Minutes(), all.objects, all.stops, all.repeated, first)
	for _, name := range slices.Sorted(maps.Keys(all.deeds)) {
		t.Logf("%8d  %s", all.deeds[name], name)
	}
}

// countOf is how many replicas the schedule of a seed has.
func countOf(seed uint64) int {
	if *replicas > 0 {
		return *replicas
	}
	return 1 + int(seed%2)
}

// playIn plays a schedule in a bubble of its own.
func playIn(t *testing.T, s schedule) (p playback) {
	synctest.Test(t, func(*testing.T) { p = s.play() })
	return p
}

// report prints what is wrong, the steps without which it is not, and the story.
func report(t *testing.T, s schedule, p playback) {
	again := 0
	for range 4 {
		if replay := playIn(t, s); len(replay.Wrong) > 0 {
			again++
			p = replay
		}
	}
	if again > 0 {
		s, p = shrink(t, s, p)
	}
	t.Errorf("seed %d fails, and again in %d of 4 replays:\n  %s\nit needs %s\n%s", s.seed, again, strings.Join(p.Wrong, "\n  "), s, p.story)
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
