// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// An answer to what the spec said before must not pass for an answer to what it says now.
func TestAnAnswerSpeaksOfTheGenerationThatWasCalled(t *testing.T) {
	t.Parallel()
	object := after(attempt)
	a := &Result{Action: importjob.ActionStop, Generation: object.Generation, Attempt: 1, At: noon, RequestID: "r-1"}
	otherSecret(object)
	ApplyResult(object, a)
	if object.Generation != 2 || object.Status.ObservedGeneration != 1 {
		t.Errorf("generation %d, observed %d", object.Generation, object.Status.ObservedGeneration)
	}
}

func TestAnAttemptOfUnknownOutcomeIsRemembered(t *testing.T) {
	t.Parallel()
	object := after(attempt)
	if object.Status.LastAttempt.EndTime != nil {
		t.Error("an attempt that is out has an end")
	}
	for range 2 {
		attempt(object)
		stopAnswered(importjob.Transient)(object)
		if !object.Status.LastAttempt.FollowsUnknown {
			t.Error("the attempt does not say that it follows an unknown one")
		}
	}
	attempt(object)
	stopAnswered(importjob.Transient, func(f *importjob.Error) { f.OutcomeUnknown = true })(object)
	if object.Status.LastAttempt.EndTime != nil {
		t.Error("a call whose answer was lost has an end")
	}
}

func TestARefusalByTheQuotaIsNoAttempt(t *testing.T) {
	t.Parallel()
	if got := after(attempt, stopAnswered(importjob.Throttled)).Status.Attempts; got != 0 {
		t.Errorf("%d attempts", got)
	}
}

// It has no time of its own: the queue tells when its turn comes.
func TestARetryWithoutADelayHasNoTime(t *testing.T) {
	t.Parallel()
	for _, class := range []importjob.Class{importjob.Throttled, importjob.Ambiguous} {
		if got := after(attempt, stopAnswered(class)).Status.NextAttemptTime; got != nil {
			t.Errorf("%s: next at %s", class, got)
		}
	}
}

// The reason of a refusal stays; what says that the stop was accepted does not, where no requestId does.
func TestWhenTheImportIsOverAcceptedSaysWhatTheCloudSaid(t *testing.T) {
	t.Parallel()
	byHandTrue := func(o *cdbv1.ImportJobStop) {
		setCondition(o, cdbv1.ConditionAccepted, "True", cdbv1.ReasonStopAccepted, "", noon)
	}
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   string
	}{
		"throttled":        {after(attempt, stopAnswered(importjob.Throttled), described(importjob.StatusKilled)), "False Throttled"},
		"nothing":          {after(attempt, described(importjob.StatusKilled)), "False ImportError"},
		"accepted by hand": {after(attempt, byHandTrue, described(importjob.StatusKilled)), "False ImportError"},
		"accepted":         {after(untilEnded, attempt, accept, described(importjob.StatusSuccess)), "True StopAccepted"},
	} {
		c := conditionOf(&test.object.Status, cdbv1.ConditionAccepted)
		if got := string(c.Status) + " " + c.Reason; got != test.want {
			t.Errorf("%s: Accepted is %s, want %s", name, got, test.want)
		}
	}
}

// A leader whose write was stored, and its answer lost, writes again what another leader has settled meanwhile.
func TestNoAnswerTakesBackHowTheImportEnded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		again  Change
	}{
		"a refusal, already stopped": {after(attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusKilled)), stopAnswered(importjob.Ambiguous)},
		"running, already stopped":   {after(attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusKilled)), described(importjob.StatusRunning)},
		"accepted, stopped":          {after(untilEnded, attempt, accept, described(importjob.StatusKilled)), accept},
		"running, stopped":           {after(untilEnded, attempt, accept, described(importjob.StatusKilled)), described(importjob.StatusRunning)},
		"a refusal, ran to its end":  {after(attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusSuccess)), stopAnswered(importjob.Ambiguous)},
	} {
		want := test.object.DeepCopy()
		test.again(test.object)
		if !equality.Semantic.DeepEqual(want.Status, test.object.Status) {
			t.Errorf("%s: %+v, want %+v", name, test.object.Status, want.Status)
		}
	}
	stopped := after(attempt, described(importjob.StatusKilled))
	if accept(stopped); stopped.Status.RequestID == "" || ReadyReason(stopped) != cdbv1.ReasonStopAccepted {
		t.Errorf("an acceptance that comes late: RequestId %q, Ready has the reason %s", stopped.Status.RequestID, ReadyReason(stopped))
	}
}

// A result is written only into the status that still has its attempt.
func TestAResultBelongsToItsAttempt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		object  *cdbv1.ImportJobStop
		attempt *metav1.MicroTime
		want    bool
	}{
		"of the attempt":         {after(attempt), microTime(noon), true},
		"of another attempt":     {after(anHourAgo), microTime(noon), false},
		"of a lost attempt":      {after(), microTime(noon), false},
		"without an attempt":     {after(), nil, true},
		"before the attempt was": {after(attempt), nil, false},
	} {
		if got := (&Result{AttemptStart: test.attempt}).Belongs(test.object); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}

// A record that a restore took back is made again. One that another operator has made since is not touched.
func TestARecordThatWasTakenBackIsRewound(t *testing.T) {
	t.Parallel()
	numbered := func(number int32, start time.Duration) *cdbv1.ImportJobStop {
		return byHand(func(s *cdbv1.ImportJobStopStatus) { s.Attempts = number }, RecordAttempt(noon.Add(start)))
	}
	called := numbered(2, 0)
	edited := func(edit Change) *cdbv1.ImportJobStop { return after(edit) }
	stop := Result{Action: importjob.ActionStop, Attempt: 2, AttemptStart: microTime(noon)}
	describe, noAttempt := stop, stop
	describe.Action, noAttempt.AttemptStart = importjob.ActionDescribe, nil
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		result Result
		want   bool
	}{
		"no attempt":                {after(), stop, true},
		"the attempt before":        {numbered(1, -time.Hour), stop, true},
		"the attempt itself":        {called, stop, false},
		"another one, slow clock":   {numbered(2, -time.Hour), stop, false},
		"another one, later":        {numbered(1, time.Hour), stop, false},
		"another object":            {edited(func(o *cdbv1.ImportJobStop) { o.UID = "2" }), stop, false},
		"another import":            {after(elsewhere), stop, false},
		"accepted meanwhile":        {edited(func(o *cdbv1.ImportJobStop) { o.Status.RequestID = "r-2" }), stop, false},
		"of a question":             {after(), describe, false},
		"of a call without attempt": {after(), noAttempt, false},
	} {
		if got := test.result.IsRewound(test.object, called); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}

// Whatever the operator fails to see in a result, an accepted stop is recorded.
func TestAResultThatCannotBeAppliedIsKept(t *testing.T) {
	t.Parallel()
	stopped := after(attempt)
	KeepResult(stopped, &Result{Action: importjob.ActionStop, Generation: 1, At: noon, RequestID: "r-1"})
	if got := stopped.Status; got.RequestID != "r-1" || got.LastAttempt.EndTime == nil || ReadyReason(stopped) != cdbv1.ReasonInternalError {
		t.Errorf("of an accepted stop: RequestId %q, end %s, Ready has the reason %s", got.RequestID, got.LastAttempt.EndTime, ReadyReason(stopped))
	}
	asked := after(attempt)
	KeepResult(asked, &Result{Action: importjob.ActionDescribe, Generation: 1, At: noon, Status: importjob.StatusKilled})
	if got := asked.Status; got.RequestID != "" || got.LastAttempt.EndTime != nil || ReadyReason(asked) != cdbv1.ReasonInternalError {
		t.Errorf("of a question: RequestId %q, end %s, Ready has the reason %s", got.RequestID, got.LastAttempt.EndTime, ReadyReason(asked))
	}
}

// A question is the retry that was requested before it. Else an accepted object whose credentials are refused asks again at once, for ever.
func TestAQuestionIsTheRetryThatWasRequested(t *testing.T) {
	t.Parallel()
	asked := after(untilEnded, attempt, accept, tryAgain, noAnswer(importjob.Rejected))
	if got := SecretWaitOf(asked); got != (SecretWait{Rejected: true}) {
		t.Errorf("requested before the question: %+v", got)
	}
	refused := answered(importjob.ActionDescribe, func(r *Result) {
		r.RetryMark, r.Err = "", &importjob.Error{Class: importjob.Rejected, Code: "Some.Code"}
	})
	meanwhile := after(untilEnded, attempt, accept, tryAgain, refused)
	if got := SecretWaitOf(meanwhile); got != (SecretWait{Rejected: true, RetryRequested: true}) {
		t.Errorf("requested while the question was under way: %+v", got)
	}
}
