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

// world is one object, its API server, its Secret, its cloud and an operator that does with the decisions what controllers/ does.
type world struct {
	generator
	say    func(format string, args ...any) // the history, in words
	object *cdbv1.ImportJobStop             // what the API server has
	clock  time.Time                        // the true time
	skew   time.Duration                    // the operator's clock is ahead by this
	behind bool                             // its clock was behind at some time

	secret  int  // the content of the Secret; zero: it is missing
	bad     bool // the cloud refuses it
	crowded bool // no credit comes
	well    bool // the cloud answers well, and nothing else happens
	asked   int  // questions since it answers well

	memory   memory
	removed  bool
	died     bool                  // in the latest call, before its answer was in status
	stops    map[cdbv1.Target]bool // a stop was accepted, as far as status can know
	writes   int                   // since something happened
	started  time.Time             // the true time at which a deadline began to run
	finished time.Time             // the true time at which the object finished
}

// memory is what an operator knows until it ends.
type memory struct {
	waits   bool // for its Secret
	missing bool
	urgent  bool
	woken   bool
	seen    int       // the content that failed; zero: not known
	since   time.Time // in the queue of its budget; zero: not in it
	timer   time.Duration
}

// violation is a property that does not hold.
type violation string

func (w *world) must(holds bool, format string, args ...any) {
	if !holds {
		panic(violation(fmt.Sprintf(format, args...)))
	}
}

func (w *world) now() time.Time { return w.clock.Add(w.skew) }

// newWorld has any object that the schema allows.
func newWorld(seed uint64, say func(string, ...any)) *world {
	w := &world{
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
	switch {
	case w.chance(0.1):
		byFlux(w.object)
	case w.chance(0.2):
		w.annotate()
	}
	w.statusByHand()
	return w
}

func (w *world) read(value, into any) {
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		panic(err)
	}
}

// statusByHand is a status by hand, or by a restore.
func (w *world) statusByHand() {
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
	if status := &object.Status; status.RequestID != "" && (status.Target == nil || *status.Target == object.Spec.Target()) {
		w.stops[object.Spec.Target()] = true
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
func (w *world) bias() {
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
	return Truncate(string(text), 1000)
}

// short is a status in short; made when it is printed.
type short struct{ *cdbv1.ImportJobStopStatus }

func (s short) String() string {
	status := s.DeepCopy()
	var conditions []string
	for _, c := range status.Conditions {
		text := fmt.Sprintf("%s=%s %s", c.Type, c.Status, c.Reason)
		if c.Type == cdbv1.ConditionReady {
			text += fmt.Sprintf(" %q", Truncate(c.Message, 80))
		}
		conditions = append(conditions, text)
	}
	if last := status.LastAttempt; last != nil {
		last.Message = Truncate(last.Message, 20)
	}
	status.ImportStatus, status.RequestID = Truncate(status.ImportStatus, 40), Truncate(status.RequestID, 40)
	status.Conditions = nil
	return inWords{status}.String() + "\n      " + strings.Join(conditions, ", ")
}

// look reconciles until nothing is left to do at this moment.
func (w *world) look() {
	w.writes = 0
	for rounds := 0; w.reconcile(); rounds++ {
		w.must(w.writes < 12, "endless writes: %d while nothing happens", w.writes)
		w.must(rounds < 200, "it does not rest")
	}
	w.checkRest()
}

// reconcile mirrors the Reconciler. It says whether to look again at once.
func (w *world) reconcile() (again bool) {
	if w.removed {
		return false
	}
	changed, urgent := w.memory.news()
	step := Next(w.object.DeepCopy(), w.now(), changed)
	w.must(w.object.Status.Conditions == nil || step.Action != "" || step.Remove || step.Change != nil, "nothing comes next")
	switch {
	case step.Action != "":
		return w.proceed(step.Action, changed, urgent)
	case step.Remove:
		w.remove()
		return false
	}
	w.memory.since = time.Time{}
	kind := "change"
	if needsRepair(w.object, w.now()) {
		kind = "repair"
	}
	wrote := w.write(kind, step.Change, w.object.Generation)
	w.awaitSecret(0)
	w.memory.timer = RequeueAfter(w.object, w.now())
	return Next(w.object.DeepCopy(), w.now(), false).Action != "" || wrote && HasMore(w.object)
}

func (w *world) proceed(action importjob.Action, changed, urgent bool) (again bool) {
	now := w.now()
	if action == importjob.ActionStop {
		w.must(!accepted(w.object) || targetChanged(w.object), "a stop is wanted although status has requestId %q", w.object.Status.RequestID)
	}
	rest := func(kind string, change Change, seen int) bool {
		w.memory.since = time.Time{}
		wrote := w.write(kind, change, w.object.Generation)
		w.awaitSecret(seen)
		w.memory.timer = RequeueAfter(w.object, now)
		return wrote && HasMore(w.object)
	}
	switch {
	case WaitsForMissingSecret(w.object) && !changed:
		return rest("go on waiting for the Secret", WaitForCredentials(now, ""), 0)
	case w.secret == 0:
		return rest("wait for the Secret", WaitForCredentials(now, "Secret does not exist"), -1)
	case w.bad && !urgent && FollowsRefusals(w.object) && w.chance(0.3):
		return rest("follow a refusal", FollowRefusal(now, now.Add(time.Duration(w.IntN(600))*time.Second)), w.secret)
	}
	if w.memory.since.IsZero() {
		w.memory.since = now
	}
	if since := w.memory.since; w.crowded {
		wrote := w.write("wait for the quota", WaitForQuota(now, since, time.Duration(w.IntN(20))*time.Second), w.object.Generation)
		w.awaitSecret(0)
		w.memory.timer = RequeueInQueue(w.object, now, since)
		return wrote && HasMore(w.object)
	}
	w.memory.since = time.Time{}
	return w.call(action)
}

// call is one call of the cloud, with what can happen meanwhile.
func (w *world) call(action importjob.Action) (again bool) {
	if action == importjob.ActionStop {
		w.must(!w.stops[w.object.Spec.Target()], "a second stop of a target whose stop was accepted")
		w.write("record the attempt", RecordAttempt(w.now()), w.object.Generation)
	}
	w.memory.waits = false
	result := &Result{Action: action, Generation: w.object.Generation, Attempt: w.object.Status.Attempts, Jitter: w.Float64()}
	if last := w.object.Status.LastAttempt; last != nil {
		result.AttemptStart = last.StartTime.DeepCopy()
	}
	called := w.object.Spec.Target()
	w.writes = 0 // something happens
	w.pass(time.Duration(50+w.IntN(5000)) * time.Millisecond)
	w.answer(result)
	if !w.well && w.chance(0.1) {
		w.edit()
	}
	if !w.well && w.chance(0.1) {
		w.say("the operator dies before the answer is in status")
		w.memory, w.died = memory{}, true
		return true
	}
	if result.Err != nil && result.Err.Class == importjob.Rejected {
		w.memory.await(w.secret, false, false)
	}
	w.must(result.Belongs(w.object), "the answer belongs to nothing")
	if result.RequestID != "" {
		w.stops[called] = true
	}
	w.write("result "+resultWords(result), func(o *cdbv1.ImportJobStop) { ApplyResult(o, result) }, result.Generation)
	w.must(result.RequestID == "" || w.object.Status.RequestID == result.RequestID, "the RequestId of an accepted stop is lost")
	return HasMore(w.object)
}

func resultWords(r *Result) string {
	if r.Err != nil {
		return fmt.Sprintf("of %s: %s, outcome unknown %t", r.Action, r.Err.Class, r.Err.OutcomeUnknown)
	}
	return fmt.Sprintf("of %s: RequestId %q, status %q", r.Action, r.RequestID, r.Status)
}

// answer is what the cloud says: anything, or, when all is well, what leads to an end.
func (w *world) answer(r *Result) {
	r.At = w.now()
	statuses := []importjob.Status{
		importjob.StatusUndefined, importjob.StatusInitial, importjob.StatusRunning, importjob.StatusSuccess, importjob.StatusFailed,
		importjob.StatusKilled, importjob.StatusRemoved, importjob.StatusPaused, importjob.StatusUnknown,
	}
	classes := []importjob.Class{
		importjob.Throttled, importjob.Transient, importjob.Rejected, importjob.Terminal, importjob.NotFound, importjob.Ambiguous,
	}
	if w.well {
		statuses, classes = []importjob.Status{importjob.StatusRunning, importjob.StatusPaused}, nil
		if w.asked++; w.asked > 3 {
			statuses = []importjob.Status{importjob.StatusKilled}
		}
	}
	switch {
	case w.bad && w.chance(0.9):
		r.Err = &importjob.Error{Class: importjob.Rejected, Code: "AuthFailure", Message: "refused"}
	case len(classes) > 0 && w.chance(0.6):
		message := pick(w.Rand, "something", "", "多字节")
		r.Err = &importjob.Error{Class: pick(w.Rand, classes...), Code: "Some.Code", Message: message, RequestID: pick(w.Rand, "", "q"), OutcomeUnknown: w.chance(0.2)}
	case r.Action == importjob.ActionStop:
		r.RequestID = "accepted-1"
	default:
		r.Status = pick(w.Rand, statuses...)
	}
}

// write changes the status and stores it, as the API server would, and checks what was written.
func (w *world) write(kind string, change Change, generation int64) (wrote bool) {
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

func (w *world) remove() {
	w.must(isSettled(w.object) && w.object.Spec.TTLSecondsAfterFinished != nil && ManagedBy(w.object) == "", "deleted without a reason")
	if w.skew == 0 && !w.behind {
		ttl := time.Duration(*w.object.Spec.TTLSecondsAfterFinished) * time.Second
		w.must(!w.clock.Before(w.finished.Add(ttl-time.Second)), "deleted %s after it finished, its TTL is %s", w.clock.Sub(w.finished), ttl)
	}
	w.say("deleted")
	w.removed = true
}

func (m *memory) news() (changed, urgent bool) {
	return m.waits && m.woken, m.waits && m.woken && m.urgent
}

func (w *world) awaitSecret(seen int) {
	if !WaitsForSecret(w.object) {
		w.memory.waits = false
		return
	}
	w.memory.await(seen, WaitsForMissingSecret(w.object), WaitsForRetry(w.object))
}

func (m *memory) await(seen int, missing, urgent bool) {
	if m.waits && !m.woken && (seen == 0 || seen == m.seen) {
		m.urgent = m.urgent || urgent
		return
	}
	m.waits, m.woken, m.seen, m.missing, m.urgent = true, false, seen, missing, urgent
}

// poll reads the Secret for an object that waits for it.
func (w *world) poll() {
	m, content := &w.memory, w.secret
	if content == 0 {
		content = -1
	}
	if m.woken {
		return // it is polled for no longer
	}
	if m.waits && m.seen == 0 && !m.missing && !m.urgent {
		m.seen = content
	}
	m.woken = m.waits && (m.urgent || m.seen != content)
}

// pass lets time pass, by the true clock.
func (w *world) pass(d time.Duration) {
	w.clock = w.clock.Add(d)
	w.writes = 0
}
