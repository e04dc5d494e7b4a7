// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// totals are of all schedules that were played.
type totals struct {
	planned int
	begin   time.Time
	cpu     time.Duration // of the process, at the beginning

	mu                                  sync.Mutex
	schedules, objects, stops, repeated int
	deeds                               map[string]int
}

func newTotals(planned int) totals {
	return totals{planned: planned, begin: time.Now(), cpu: cpuTime(), deeds: map[string]int{}}
}

// cpuTime is what the process has used of the processors.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
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

func (t *totals) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	took := time.Since(t.begin)
	return fmt.Sprintf("%d schedules in %s (%.0f a minute, %d ms of CPU each): %d objects, %d stops, %d of them after one that was done",
		t.schedules, took.Round(time.Second), float64(t.schedules)/took.Minutes(), (cpuTime()-t.cpu).Milliseconds()/int64(max(t.schedules, 1)),
		t.objects, t.stops, t.repeated)
}

// table has a row for each kind of deed, and how often it was done.
func (t *totals) table() (rows []string) {
	for _, name := range slices.Sorted(maps.Keys(t.deeds)) {
		rows = append(rows, fmt.Sprintf("%8d  %s", t.deeds[name], name))
	}
	return rows
}

// showProgress keeps a line on the terminal, if there is one, until the function that it returns is called.
func (t *totals) showProgress() (done func()) {
	terminal, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0)
	if err != nil {
		return func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				t.mu.Lock()
				fmt.Fprintf(terminal, "\r%d of %d schedules, %.0f a minute ", t.schedules, t.planned, float64(t.schedules)/time.Since(t.begin).Minutes())
				t.mu.Unlock()
			case <-stop:
				fmt.Fprint(terminal, "\r\033[K")
				_ = terminal.Close()
				return
			}
		}
	}()
	return func() { close(stop); <-stopped }
}
