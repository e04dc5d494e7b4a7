// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"fmt"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// recalled is what an operator knows until it ends.
type recalled struct {
	waits   bool // for its Secret
	missing bool
	urgent  bool
	woken   bool
	seen    int       // the content that failed; zero: not known
	since   time.Time // in the queue of its budget; zero: not in it
	lookup  *Lookup   // of the import, page by page
	timer   time.Duration
}

// look reconciles until nothing is left to do at this moment.
func (w *fixture) look() {
	w.writes = 0
	for rounds := 0; w.reconcile(); rounds++ {
		w.must(w.writes < 12, "endless writes: %d while nothing happens", w.writes)
		w.must(rounds < 200, "it does not rest")
	}
	w.checkRest()
}

// reconcile mirrors the Reconciler. It says whether to look again at once.
func (w *fixture) reconcile() (again bool) {
	if w.removed {
		return false
	}
	changed, urgent := w.recalled.news()
	step := Next(w.object.DeepCopy(), w.now(), changed)
	w.must(w.object.Status.Conditions == nil || step.Action != "" || step.Remove || step.Change != nil, "nothing comes next")
	switch {
	case step.Action != "":
		return w.proceed(step.Action, changed, urgent)
	case step.Remove:
		w.remove()
		return false
	}
	w.recalled.since = time.Time{}
	kind := "change"
	if needsRepair(w.object, w.now()) {
		kind = "repair"
	}
	written := w.write(kind, step.Change, w.object.Generation)
	w.awaitSecret(0)
	w.recalled.timer = RequeueAfter(w.object, w.now())
	return Next(w.object.DeepCopy(), w.now(), false).Action != "" || written && HasMore(w.object)
}

func (w *fixture) proceed(action importjob.Action, changed, urgent bool) (again bool) {
	now := w.now()
	if action == importjob.ActionStop {
		w.must(!accepted(w.object) || targetChanged(w.object), "a stop is wanted although status has requestId %q", w.object.Status.RequestID)
	}
	wait := func(kind string, change Change, seen int) bool {
		w.recalled.since = time.Time{}
		written := w.write(kind, change, w.object.Generation)
		w.awaitSecret(seen)
		w.recalled.timer = RequeueAfter(w.object, now)
		return written && HasMore(w.object)
	}
	secret := SecretWaitOf(w.object)
	switch {
	case secret.Missing && !changed:
		return wait("go on waiting for the Secret", WaitForCredentials(now, ""), 0)
	case w.secret == 0:
		return wait("wait for the Secret", WaitForCredentials(now, "Secret does not exist"), -1)
	case w.bad && !urgent && secret.Rejected && w.chance(0.3):
		return wait("follow a refusal", FollowRefusal(now, now.Add(time.Duration(w.IntN(600))*time.Second)), w.secret)
	}
	if w.recalled.since.IsZero() {
		w.recalled.since = now
	}
	if since := w.recalled.since; w.crowded {
		turn := time.Duration(w.IntN(20)) * time.Second
		written := w.write("wait for the quota", WaitForQuota(now, since, turn), w.object.Generation)
		w.awaitSecret(0)
		w.recalled.timer = RequeueAfter(w.object, now)
		if after := TellAt(w.object, now, since, turn).Sub(now); after > 0 && (w.recalled.timer == 0 || after < w.recalled.timer) {
			w.recalled.timer = after
		}
		return written && HasMore(w.object)
	}
	w.recalled.since = time.Time{}
	return w.call(action)
}

// call is one call of the cloud, with what can happen meanwhile.
func (w *fixture) call(action importjob.Action) (again bool) {
	if action == importjob.ActionStop {
		w.must(Target(w.object).AsyncRequestID != "", "a stop of no import")
		w.must(!w.stops[targetOf(w.object)], "a second stop of a target whose stop was accepted")
		w.write("record the attempt", RecordAttempt(w.now()), w.object.Generation)
	}
	w.recalled.waits = false
	result := NewResult(w.object, action, w.Float64())
	called := targetOf(w.object)
	w.writes = 0 // something happens
	w.pass(time.Duration(50+w.IntN(5000)) * time.Millisecond)
	w.receive(result)
	if action == importjob.ActionList && result.Err == nil {
		if result.Found == nil {
			return true // the listing is read once more
		}
	}
	if !w.well && w.chance(0.1) {
		w.edit()
	}
	if !w.well && w.chance(0.1) {
		w.say("the operator dies before the answer is in status")
		w.recalled, w.died = recalled{}, true
		return true
	}
	if result.Err != nil && result.Err.Class == importjob.Rejected {
		w.recalled.await(w.secret, false, false)
	}
	if isLook := result.Preview || action == importjob.ActionList; isLook && !result.Belongs(w.object) {
		return true
	}
	w.must(result.Belongs(w.object), "the answer belongs to nothing")
	if result.RequestID != "" {
		w.stops[called] = true
	}
	w.write("result "+resultWords(result), func(o *cdbv1.ImportJobStop) { ApplyResult(o, result) }, result.Generation)
	w.must(result.RequestID == "" || w.object.Status.RequestID == result.RequestID, "the RequestId of an accepted stop is lost")
	return HasMore(w.object) || action == importjob.ActionList
}

func resultWords(r *Result) string {
	if r.Err != nil {
		return fmt.Sprintf("of %s: %s, outcome unknown %t", r.Action, r.Err.Class, r.Err.OutcomeUnknown)
	}
	return fmt.Sprintf("of %s: RequestId %q, status %q", r.Action, r.RequestID, r.Status)
}

// receive puts into the result what the cloud answers: anything, or, when all is well, what leads to an end.
func (w *fixture) receive(r *Result) {
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
	case r.Action == importjob.ActionList:
		w.list(r)
	default:
		r.Status = pick(w.Rand, statuses...)
	}
}

// list is a listing of one page. When all is well, each import has an id, and nothing changes any more.
func (w *fixture) list(r *Result) {
	lookup := w.recalled.lookup
	if lookup == nil || !lookup.IsFor(w.object) {
		lookup = NewLookup(w.object)
	}
	w.recalled.lookup = lookup
	if !w.well && w.chance(0.5) {
		w.listed = nil
		for n := range w.IntN(4) {
			w.listed = append(w.listed, importjob.Record{
				AsyncRequestID: pick(w.Rand, "a-b", "c-d", fmt.Sprint("e-", n), ""), DatabaseName: pick(w.Rand, "shop", ""), FileName: pick(w.Rand, "shop.sql", ""),
				State: pick(w.Rand, importjob.RecordInitializing, importjob.RecordRunning, importjob.RecordRunning, importjob.RecordSuccessful, importjob.RecordFailed, importjob.RecordUnknown),
			})
		}
	}
	page := importjob.Page{Total: len(w.listed), Records: w.listed}
	switch {
	case w.well:
		for i := range page.Records {
			page.Records[i].AsyncRequestID = fmt.Sprint("a-", i)
		}
	case w.chance(0.1):
		page.Total = pick(w.Rand, maxRecords+1, len(w.listed)+1)
	}
	r.Found = lookup.Add(page)
}

func (m *recalled) news() (changed, urgent bool) {
	return m.waits && m.woken, m.waits && m.woken && m.urgent
}

func (w *fixture) awaitSecret(seen int) {
	wait := SecretWaitOf(w.object)
	if wait == (SecretWait{}) {
		w.recalled.waits = false
		return
	}
	w.recalled.await(seen, wait.Missing, wait.RetryRequested)
}

func (m *recalled) await(seen int, missing, urgent bool) {
	if m.waits && !m.woken && (seen == 0 || seen == m.seen) {
		m.urgent = m.urgent || urgent
		return
	}
	m.waits, m.woken, m.seen, m.missing, m.urgent = true, false, seen, missing, urgent
}

// poll reads the Secret for an object that waits for it.
func (w *fixture) poll() {
	m, content := &w.recalled, w.secret
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
