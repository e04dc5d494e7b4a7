// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// fixture is one object, its API server, its Secret, its cloud and an operator that does with the decisions what controllers/ does.
type fixture struct {
	generator
	say    func(format string, args ...any) // the history, in words
	object *cdbv1.ImportJobStop             // what the API server has
	clock  time.Time                        // the true time
	skew   time.Duration                    // the operator's clock is ahead by this
	behind bool                             // its clock was behind at some time

	secret  int                // the content of the Secret; zero: it is missing
	bad     bool               // the cloud refuses it
	crowded bool               // no credit comes
	well    bool               // the cloud answers well, and nothing else happens
	asked   int                // questions since it answers well
	listed  []importjob.Record // on the instance

	recalled recalled
	removed  bool
	died     bool                  // in the latest call, before its answer was in status
	stops    map[cdbv1.Target]bool // a stop was accepted, as far as status can know
	writes   int                   // since something happened
	started  time.Time             // the true time at which a deadline began to run
	finished time.Time             // the true time at which the object finished
}

// violation is a property that does not hold.
type violation string

func (w *fixture) must(holds bool, format string, args ...any) {
	if !holds {
		panic(violation(fmt.Sprintf(format, args...)))
	}
}

func (w *fixture) now() time.Time { return w.clock.Add(w.skew) }

// newFixture has any object that the schema allows.
func newFixture(seed uint64, say func(string, ...any)) *fixture {
	w := &fixture{
		generator: generator{Rand: rand.New(rand.NewPCG(seed, 0)), near: noon}, say: say,
		clock: noon, stops: map[cdbv1.Target]bool{}, secret: 1,
	}
	w.object = &cdbv1.ImportJobStop{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "stop", UID: "1", Generation: pick(w.Rand, int64(1), 1, 1, 2, 5, math.MaxInt64-100),
		CreationTimestamp: *secondTime(noon.Add(-pick(w.Rand, 0, 0, time.Second, time.Minute, time.Hour, 30*24*time.Hour, -time.Minute))),
	}}
	spec := crdSchema().Properties["spec"]
	w.read(w.value("spec", &spec), &w.object.Spec)
	if w.chance(0.7) {
		w.object.Spec.Suspend = false
	}
	if w.object.Spec.AsyncRequestID == "" && w.object.Spec.Import == nil { // the CRD's rule
		w.object.Spec.AsyncRequestID = "a-b"
	}
	switch {
	case w.chance(0.1):
		byFlux(w.object)
	case w.chance(0.2):
		w.annotate()
	}
	w.statusByHand()
	return w
}

func (w *fixture) read(value, into any) {
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		panic(err)
	}
}

// statusByHand is a status by hand, or by a restore.
func (w *fixture) statusByHand() {
	object, s := w.object, crdSchema().Properties["status"]
	object.Status = cdbv1.ImportJobStopStatus{ObservedGeneration: -1}
	if w.chance(0.05) {
		w.say("no status")
	} else {
		w.read(w.value("status", &s), &object.Status)
		w.bias()
		w.say("status by hand: %s", short{&object.Status})
	}
	w.stops = map[cdbv1.Target]bool{}
	if status := &object.Status; status.RequestID != "" && (status.Target == nil || *status.Target == targetOf(object)) {
		w.stops[targetOf(object)] = true
	}
	w.started, w.finished = w.clock, w.clock
	earliest := object.CreationTimestamp.Add(-clockSkew)
	if t := object.Status.StartTime; t != nil && t.Time.Before(w.clock) && !t.Time.Before(earliest) {
		w.started = t.Time
	}
	if t := object.Status.CompletionTime; t != nil && isFinished(readyOf(&object.Status)) && t.Time.Before(w.clock) && !t.Time.Before(earliest) {
		w.finished = t.Time
	}
}

// bias makes combinations that hang together more frequent than chance does.
func (w *fixture) bias() {
	status := &w.object.Status
	if w.chance(0.6) {
		target := w.object.Spec.Target()
		status.Target = &target
	}
	if w.chance(0.5) {
		status.ObservedGeneration = w.object.Generation - int64(w.IntN(2))
	}
	if len(status.Conditions) > 0 && w.chance(0.4) { // a triad that agrees with its reason, as far as one condition says
		reason := pick(w.Rand, cdbv1.ReadyReasons()...)
		probe := &cdbv1.ImportJobStop{ObjectMeta: w.object.ObjectMeta}
		setPhase(probe, phaseOf(reason), reason, "as we say it", noon)
		for _, c := range probe.Status.Conditions {
			setCondition(w.object, c.Type, c.Status, c.Reason, c.Message, noon)
		}
	}
}

// inWords is a value as JSON, cut where it is long; made when it is printed.
type inWords struct{ any }

func (v inWords) String() string {
	text, _ := json.Marshal(v.any)
	return truncate(string(text), 1000)
}

// short is a status in short; made when it is printed.
type short struct{ *cdbv1.ImportJobStopStatus }

func (s short) String() string {
	status := s.DeepCopy()
	var conditions []string
	for _, c := range status.Conditions {
		text := fmt.Sprintf("%s=%s %s", c.Type, c.Status, c.Reason)
		if c.Type == cdbv1.ConditionReady {
			text += fmt.Sprintf(" %q", truncate(c.Message, 80))
		}
		conditions = append(conditions, text)
	}
	if last := status.LastAttempt; last != nil {
		last.Message = truncate(last.Message, 20)
	}
	status.ImportStatus, status.RequestID = truncate(status.ImportStatus, 40), truncate(status.RequestID, 40)
	status.Conditions = nil
	return inWords{status}.String() + "\n      " + strings.Join(conditions, ", ")
}

// write changes the status and stores it, as the API server would, and checks what was written.
func (w *fixture) write(kind string, change Change, generation int64) (written bool) {
	before, object := w.object.DeepCopy(), w.object.DeepCopy()
	change(object)
	if kind != "record the attempt" {
		twice := object.DeepCopy()
		change(twice)
		w.must(equality.Semantic.DeepEqual(object.Status, twice.Status), "%s: applied twice, it changes something more: %s", kind, inWords{twice.Status})
	}
	for _, e := range Events(object, &before.Status) {
		w.must(e.Reason != "" && len(e.Message) <= 1024, "an event without a reason, or of %d bytes", len(e.Message))
	}
	if equality.Semantic.DeepEqual(before.Status, object.Status) {
		return false
	}
	w.writes++
	err := store(&object.Status, w.chance(0.1))
	w.say("%s (generation %d): %s", kind, generation, short{&object.Status})
	w.must(err == nil, "%s: %v", kind, err)
	w.object = object
	w.checkWritten(kind, &before.Status, generation)
	return true
}

func (w *fixture) remove() {
	w.must(isSettled(w.object) && w.object.Spec.TTLSecondsAfterFinished != nil && managedBy(w.object) == "", "deleted without a reason")
	if w.skew == 0 && !w.behind {
		ttl := time.Duration(*w.object.Spec.TTLSecondsAfterFinished) * time.Second
		w.must(!w.clock.Before(w.finished.Add(ttl-time.Second)), "deleted %s after it finished, its TTL is %s", w.clock.Sub(w.finished), ttl)
	}
	w.say("deleted")
	w.removed = true
}

// pass lets time pass, by the true clock.
func (w *fixture) pass(d time.Duration) {
	w.clock = w.clock.Add(d)
	w.writes = 0
}
