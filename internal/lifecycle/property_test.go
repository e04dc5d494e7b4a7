// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"flag"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

var (
	seedFlag  = flag.Uint64("lifecycle.seed", 0, "replay this case of the property test alone, and print its history")
	casesFlag = flag.Int("lifecycle.cases", 2000, "how many cases the property test has")
)

// Whatever the schema allows in status and spec, whatever the cloud answers and the clock does: it comes to an end, or waits visibly.
func TestAnyStatusComesToAnEndOrAVisibleWait(t *testing.T) {
	t.Parallel()
	if *seedFlag != 0 {
		replay(t, *seedFlag)
		return
	}
	const shards = 4
	cases, start := *casesFlag, time.Now()
	var done, failed atomic.Int32
	t.Run("seeds", func(t *testing.T) {
		for shard := range shards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				for seed := shard + 1; seed <= cases && failed.Load() < 3; seed += shards {
					done.Add(1)
					if run(uint64(seed), func(string, ...any) {}) != nil {
						failed.Add(1)
						replay(t, uint64(seed))
					}
				}
			})
		}
	})
	took := time.Since(start)
	t.Logf("%d cases, %.0f a second", done.Load(), float64(done.Load())/took.Seconds())
}

// replay runs a case and tells its history.
func replay(t *testing.T, seed uint64) {
	t.Helper()
	var history []string
	err := run(seed, func(format string, args ...any) { history = append(history, "  "+fmt.Sprintf(format, args...)) })
	text := fmt.Sprintf("seed %d (-lifecycle.seed=%d replays it)\n%s", seed, seed, strings.Join(history, "\n"))
	if err != nil {
		t.Errorf("%v: %s", err, text)
	} else {
		t.Log(text)
	}
}

// run is one case: a wild time, in which anything happens, and then a time in which all is well.
func run(seed uint64, say func(string, ...any)) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case violation:
			err = fmt.Errorf("%s", string(p))
		default:
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	w := newFixture(seed, say)
	w.say("spec %s, generation %d, created %s, now %s", inWords{w.object.Spec}, w.object.Generation, w.object.CreationTimestamp.UTC(), w.clock)
	for range w.IntN(10) {
		w.happen()
		w.observeEdit()
		w.look()
	}
	w.mend()
	w.look()
	w.comeToAnEnd()
	return nil
}

// happen is one thing that can happen to an object.
func (w *fixture) happen() {
	switch w.IntN(13) {
	case 0, 1, 2:
		w.wait()
	case 3:
		d := pick(w.Rand, time.Second, 6*time.Second, time.Minute, 11*time.Minute, time.Hour, 26*time.Hour)
		w.say("%s pass", d)
		w.pass(d)
	case 4, 5:
		w.edit()
	case 6:
		w.skew = pick(w.Rand, 0, time.Second, time.Minute, time.Hour, 24*time.Hour, 100*365*24*time.Hour, -time.Second, -time.Hour, -24*time.Hour)
		w.behind = w.behind || w.skew < 0
		w.say("the operator's clock is off by %s", w.skew)
	case 7:
		w.annotate()
		w.say("a retry is requested")
	case 8:
		w.secret, w.bad = pick(w.Rand, 0, w.secret, w.secret+1), w.chance(0.4)
		w.say("the Secret has content %d, refused %t", w.secret, w.bad)
	case 9:
		w.recalled = recalled{}
		w.say("the operator starts anew")
	case 10, 11:
		w.crowded = !w.crowded
		w.say("the quota is used up: %t", w.crowded)
	case 12:
		if w.chance(0.3) {
			w.statusByHand()
		}
	}
}

// annotate requests a retry.
func (w *fixture) annotate() {
	w.object.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: pick(w.Rand, "now", "then", strings.Repeat("é", 40), "later")}
}

// wait lets the time pass that the operator waits.
func (w *fixture) wait() {
	m, d := &w.recalled, w.recalled.timer
	if next := time.Duration(5+w.IntN(25)) * time.Second; m.waits && (d == 0 || next < d) {
		d = next
	}
	if d > 0 {
		w.say("%s pass", d)
		w.pass(d)
		w.poll()
	}
}

// edit changes the spec, as far as the rules of the CRD allow.
func (w *fixture) edit() {
	spec, status := &w.object.Spec, &w.object.Status
	seconds := pick(w.Rand, nil, new(int32(1)), new(int32(60)), new(int32(3600)), new(int32(1<<31-1)))
	switch w.IntN(7) {
	case 0, 1:
		spec.Suspend = !spec.Suspend
	case 2:
		spec.WaitFor = pick(w.Rand, "", cdbv1.WaitForAccepted, cdbv1.WaitForStopped)
	case 3:
		spec.ActiveDeadlineSeconds = seconds
	case 4:
		spec.TTLSecondsAfterFinished = seconds
	case 5:
		spec.CredentialsSecretRef.Name = pick(w.Rand, "creds", "other")
	case 6:
		if isFinal := status.RequestID != "" || status.LastAttempt != nil && status.LastAttempt.EndTime == nil; !isFinal {
			spec.AsyncRequestID = pick(w.Rand, "a-b", "c-d", "")
			spec.Import = pick(w.Rand, nil, &cdbv1.ImportFilter{InstanceID: "cdb-1"}, &cdbv1.ImportFilter{InstanceID: "cdb-1", DatabaseName: "shop"})
			if spec.AsyncRequestID == "" && spec.Import == nil {
				spec.AsyncRequestID = "a-b"
			}
		}
	}
	w.object.Generation++
	w.say("the spec is now %s", inWords{w.object.Spec})
}

// observeEdit sees that a changed spec is told in the first write that is not a repair, unless nobody has seen the object yet.
func (w *fixture) observeEdit() {
	for range 3 {
		repairs := needsRepair(w.object, w.now())
		if w.removed || w.object.Status.ObservedGeneration == w.object.Generation || ReadyReason(w.object) == "" {
			return
		}
		generation := w.object.Generation
		w.died = false
		w.reconcile()
		if repairs {
			continue
		}
		fresh := w.object.Status.Target == nil && !w.recalled.since.IsZero()
		w.must(w.removed || fresh || w.died || w.object.Generation != generation || w.object.Status.ObservedGeneration == generation,
			"generation %d is not observed: status is about %d", generation, w.object.Status.ObservedGeneration)
		return
	}
}

// mend makes all well from now on.
func (w *fixture) mend() {
	w.well, w.skew, w.bad, w.crowded = true, 0, false, false
	w.secret++
	if w.object.Spec.Suspend && w.chance(0.5) {
		w.object.Spec.Suspend = false
		w.object.Generation++
	}
	w.say("all is well now, at %s; suspended: %t", w.clock, w.object.Spec.Suspend)
}

// comeToAnEnd: with a cloud that answers well, the object ends soon by the true clock, or is held back, and then nothing more is written.
func (w *fixture) comeToAnEnd() {
	begin := w.clock
	isHeld := func() bool { return w.object.Spec.Suspend && w.object.Status.NextAttemptTime == nil }
	for !w.removed && !isSettled(w.object) && !isHeld() {
		w.must(w.clock.Sub(begin) < 30*time.Minute, "no end after %s in which all was well", w.clock.Sub(begin))
		before := w.clock
		w.wait()
		if w.clock.Equal(before) {
			w.pass(time.Second) // a credit comes
		}
		w.look()
	}
	if w.removed {
		return
	}
	w.object.Spec.TTLSecondsAfterFinished = nil
	w.look()
	at := w.object.Status.DeepCopy()
	w.pass(48 * time.Hour)
	w.look()
	w.must(equality.Semantic.DeepEqual(at, &w.object.Status), "written again after it came to rest")
}
