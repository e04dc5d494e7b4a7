// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// row is a row of the status contract: the statuses of the conditions in this order, "-" for none.
func row(o *cdbv1.ImportJobStop) string {
	var words []string
	for _, kind := range []string{cdbv1.ConditionReady, cdbv1.ConditionAccepted, cdbv1.ConditionReconciling, cdbv1.ConditionStalled} {
		word := "-"
		if c := meta.FindStatusCondition(o.Status.Conditions, kind); c != nil {
			word = string(c.Status)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ") + " " + readyReason(o)
}

func TestTheStatusContract(t *testing.T) {
	t.Parallel()
	noAnswer := func(class importjob.Class) Change {
		return answered(importjob.ActionDescribe, func(a *Result) {
			a.Err = &importjob.Error{Class: class, Code: "Some.Code", Message: "no policy"}
		})
	}
	denied, lost := noAnswer(importjob.Rejected), func(e *importjob.Error) { e.OutcomeUnknown = true }
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   string // Ready, Accepted, Reconciling, Stalled, reason
	}{
		"waiting for quota":         {after(WaitForQuota(noon, noon, time.Minute)), "Unknown - True False WaitingForQuota"},
		"calling":                   {after(claim), "Unknown - True False Stopping"},
		"failed, will retry":        {after(claim, stopAnswered(importjob.Transient)), "Unknown False True False RetryScheduled"},
		"throttled":                 {after(claim, stopAnswered(importjob.Throttled)), "Unknown False True False RetryScheduled"},
		"Secret missing":            {after(WaitForCredentials(noon, "no Secret")), "Unknown - True False CredentialsNotFound"},
		"credentials refused":       {after(claim, stopAnswered(importjob.Rejected)), "False False False True CredentialsRejected"},
		"refused for good":          {after(claim, stopAnswered(importjob.Terminal)), "False False False True InvalidRequest"},
		"unknown id":                {after(claim, stopAnswered(importjob.NotFound)), "False False False True ImportNotFound"},
		"accepted":                  {after(claim, accept), "True True False False StopAccepted"},
		"accepted, still ending":    {after(untilEnded, claim, accept), "Unknown True True False WaitingForStop"},
		"ended":                     {after(untilEnded, claim, accept, told(importjob.StatusKilled)), "True True False False ImportStopped"},
		"already stopped":           {after(claim, stopAnswered(importjob.Ambiguous), told(importjob.StatusKilled)), "True False False False AlreadyStopped"},
		"failed by itself":          {after(claim, stopAnswered(importjob.Ambiguous), told(importjob.StatusFailed)), "True False False False AlreadyStopped"},
		"finished by itself":        {after(claim, stopAnswered(importjob.Ambiguous), told(importjob.StatusSuccess)), "False False False True ImportAlreadyFinished"},
		"failed after acceptance":   {after(untilEnded, claim, accept, told(importjob.StatusFailed)), "True True False False ImportStopped"},
		"stop came too late":        {after(untilEnded, claim, accept, told(importjob.StatusSuccess)), "False True False True ImportAlreadyFinished"},
		"not started":               {after(untilEnded, claim, accept, told(importjob.StatusUndefined)), "Unknown True True False WaitingForStop"},
		"no status":                 {after(untilEnded, claim, accept, told(importjob.StatusUnknown)), "Unknown True True False WaitingForStop"},
		"outcome unknown":           {after(claim, stopAnswered(importjob.Transient, lost)), "Unknown Unknown True False RetryScheduled"},
		"failed after an unknown":   {after(claim, claim, stopAnswered(importjob.Transient)), "Unknown Unknown True False RetryScheduled"},
		"ambiguous after unknown":   {after(claim, claim, stopAnswered(importjob.Ambiguous)), "Unknown Unknown True False RetryScheduled"},
		"calling after an unknown":  {after(claim, claim), "Unknown Unknown True False Stopping"},
		"stopped by an unknown":     {after(claim, claim, stopAnswered(importjob.Ambiguous), told(importjob.StatusKilled)), "True False False False AlreadyStopped"},
		"deadline after an unknown": {after(aMinute, claim, stopAnswered(importjob.Transient, lost), exceedDeadline(noon)), "False Unknown False True DeadlineExceeded"},
		"Secret missing for long":   {after(WaitForCredentials(noon.Add(-stallAfter), "no Secret"), WaitForCredentials(noon, "")), "False - False True CredentialsNotFound"},
		"ending, Secret missing":    {after(untilEnded, claim, accept, WaitForCredentials(noon, "no Secret")), "Unknown True True False CredentialsNotFound"},
		"follows a refusal":         {after(claim, stopAnswered(importjob.Rejected), FollowRefusal(noon, noon.Add(time.Minute))), "False False False True CredentialsRejected"},
		"ending, in the queue":      {after(untilEnded, claim, accept, WaitForQuota(noon, noon, time.Hour)), "Unknown True True False WaitingForStop"},
		"ending, no question":       {after(untilEnded, claim, accept, noAnswer(importjob.Terminal)), "False True False True InvalidRequest"},
		"ending, not found":         {after(untilEnded, claim, accept, noAnswer(importjob.NotFound)), "False True False True ImportNotFound"},
		"panic":                     {after(claim, InternalError(noon)), "False - False True InternalError"},
		"suspended":                 {after(hold, suspend(noon)), "Unknown - True False Suspended"},
		"suspended after a crash":   {after(claim, hold, suspend(noon)), "Unknown Unknown True False Suspended"},
		"no Secret after a crash":   {after(claim, WaitForCredentials(noon, "no Secret")), "Unknown Unknown True False CredentialsNotFound"},
		"suspended after a refusal": {after(claim, stopAnswered(importjob.Transient), hold, suspend(noon)), "Unknown False True False Suspended"},
		"deadline passed":           {after(aMinute, claim, stopAnswered(importjob.Transient), exceedDeadline(noon)), "False False False True DeadlineExceeded"},
		"deadline in line":          {after(aMinute, WaitForQuota(noon, noon, time.Hour), exceedDeadline(noon)), "False False False True DeadlineExceeded"},
		"deadline while ending":     {after(aMinute, untilEnded, claim, accept, exceedDeadline(noon)), "False True False True DeadlineExceeded"},
		"a new try":                 {after(claim, stopAnswered(importjob.Terminal), tryAgain, startOver(noon)), "Unknown False True False RetryScheduled"},
		"ending, may not ask":       {after(untilEnded, claim, accept, denied), "False True False True CredentialsRejected"},
		"may not ask":               {after(claim, stopAnswered(importjob.Ambiguous), denied), "Unknown False True False RetryScheduled"},
		"may not ask, again":        {after(claim, claim, claim, claim, claim, stopAnswered(importjob.Ambiguous), denied), "False Unknown False True ImportError"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, row(test.object)); diff != "" {
				t.Error(diff)
			}
			reason := readyReason(test.object)
			finished := !strings.HasPrefix(test.want, "Unknown") && reason != cdbv1.ReasonCredentialsRejected && reason != cdbv1.ReasonCredentialsNotFound
			if (test.object.Status.CompletionTime != nil) != finished {
				t.Errorf("completionTime is %v", test.object.Status.CompletionTime)
			}
			for _, c := range test.object.Status.Conditions {
				if c.ObservedGeneration != test.object.Generation {
					t.Errorf("%s speaks of generation %d, want %d", c.Type, c.ObservedGeneration, test.object.Generation)
				}
			}
		})
	}
}

// An answer to what the spec said before must not pass for an answer to what it says now.
func TestAnAnswerSpeaksOfTheGenerationThatWasCalled(t *testing.T) {
	t.Parallel()
	object := after(claim)
	a := &Result{Action: importjob.ActionStop, Generation: object.Generation, Attempt: 1, At: noon, RequestID: "r-1"}
	otherSecret(object)
	ApplyResult(object, a)
	if object.Generation != 2 || object.Status.ObservedGeneration != 1 {
		t.Errorf("generation %d, observed %d", object.Generation, object.Status.ObservedGeneration)
	}
}

// One event for an outcome, none for a retry of the same kind, and none for what only we are interested in.
func TestEvents(t *testing.T) {
	t.Parallel()
	transient, rejected := stopAnswered(importjob.Transient), stopAnswered(importjob.Rejected)
	for name, test := range map[string]struct {
		before, after *cdbv1.ImportJobStop
		want          string
	}{
		"calling":              {after(), after(claim), ""},
		"accepted":             {after(claim), after(claim, accept), "Normal StopAccepted"},
		"accepted and ending":  {after(untilEnded, claim), after(untilEnded, claim, accept), "Normal StopAccepted"},
		"ended":                {after(untilEnded, claim, accept), after(untilEnded, claim, accept, told(importjob.StatusKilled)), "Normal ImportStopped"},
		"failed":               {after(claim), after(claim, transient), "Warning RetryScheduled"},
		"failed again":         {after(claim, transient, claim), after(claim, transient, claim, transient), ""},
		"failed otherwise":     {after(claim, transient, claim), after(claim, transient, claim, stopAnswered(importjob.Throttled)), "Warning RetryScheduled"},
		"refused for good":     {after(claim), after(claim, stopAnswered(importjob.Terminal)), "Warning InvalidRequest"},
		"refused once more":    {after(claim, stopAnswered(importjob.Terminal), otherSecret, claim), after(claim, stopAnswered(importjob.Terminal), otherSecret, claim, stopAnswered(importjob.Terminal)), "Warning InvalidRequest"},
		"rejected":             {after(claim), after(claim, rejected), "Warning CredentialsRejected"},
		"rejected as ever":     {after(claim, rejected, claim), after(claim, rejected, claim, rejected), ""},
		"deadline":             {after(aMinute, claim, transient), after(aMinute, claim, transient, exceedDeadline(noon)), "Warning DeadlineExceeded"},
		"label":                {after(claim, accept), after(claim, accept, otherSecret, Observe(noon)), ""},
		"finished, TTL":        {after(shortLived, claim), after(shortLived, claim, accept), "Normal StopAccepted"},
		"finished, TTL, Flux":  {after(shortLived, byFlux, claim), after(shortLived, byFlux, claim, accept), "Normal StopAccepted, Warning TTLIgnored"},
		"TTL set later, Flux":  {after(byFlux, claim, accept), after(byFlux, claim, accept, shortLived, Observe(noon)), "Warning TTLIgnored"},
		"label after TTL":      {after(shortLived, byFlux, claim, accept), after(shortLived, byFlux, claim, accept), ""},
		"a new try":            {after(claim, stopAnswered(importjob.Terminal)), after(claim, stopAnswered(importjob.Terminal), tryAgain, startOver(noon)), ""},
		"credentials missing":  {after(), after(WaitForCredentials(noon, "no Secret")), "Warning CredentialsNotFound"},
		"credentials stalled":  {after(WaitForCredentials(noon.Add(-stallAfter), "no Secret")), after(WaitForCredentials(noon.Add(-stallAfter), "no Secret"), WaitForCredentials(noon, "")), "Warning CredentialsNotFound"},
		"suspended, crashed":   {after(claim, hold), after(claim, hold, suspend(noon)), ""},
		"in line for the call": {after(), after(WaitForQuota(noon, noon, time.Hour)), ""},
	} {
		var got []string
		for _, n := range Events(test.after, &test.before.Status) {
			got = append(got, n.Type+" "+n.Reason)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAnAttemptOfUnknownOutcomeIsRemembered(t *testing.T) {
	t.Parallel()
	object := after(claim)
	if object.Status.LastAttempt.EndTime != nil {
		t.Error("an attempt that is out has an end")
	}
	for range 2 {
		claim(object)
		stopAnswered(importjob.Transient)(object)
		if !object.Status.LastAttempt.FollowsUnknown {
			t.Error("the attempt does not say that it follows an unknown one")
		}
	}
	claim(object)
	stopAnswered(importjob.Transient, func(f *importjob.Error) { f.OutcomeUnknown = true })(object)
	if object.Status.LastAttempt.EndTime != nil {
		t.Error("a call whose answer was lost has an end")
	}
}

func TestARefusalByTheQuotaIsNoAttempt(t *testing.T) {
	t.Parallel()
	if got := after(claim, stopAnswered(importjob.Throttled)).Status.Attempts; got != 0 {
		t.Errorf("%d attempts", got)
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for attempt, want := range map[int32]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 9: 256 * time.Second, 10: 5 * time.Minute, 1 << 30: 5 * time.Minute} {
		if got := backoff(attempt, 1); got != want {
			t.Errorf("attempt %d waits up to %s, want %s", attempt, got, want)
		}
	}
	if got := backoff(5, 0); got != 0 {
		t.Errorf("without jitter's luck it waits %s", got)
	}
}

func TestPollGrowsFromTwoToThirtySeconds(t *testing.T) {
	t.Parallel()
	object := request()
	for age, want := range map[time.Duration]time.Duration{0: 2 * time.Second, 20 * time.Second: 10 * time.Second, time.Hour: 30 * time.Second} {
		object.Status.StartTime = &metav1.Time{Time: noon.Add(-age)}
		if got := poll(object, noon); got != want {
			t.Errorf("polls after %s at the age of %s, want %s", got, age, want)
		}
	}
}

// Conditions take any message that a cloud can send: the API server refuses a status with one that is too long.
func FuzzMessagesFitIntoConditions(f *testing.F) {
	f.Add("Some.Code", "something", "r-1")
	f.Add(strings.Repeat("x", 128), strings.Repeat("y", 512), strings.Repeat("z", 128))
	f.Fuzz(func(t *testing.T, code, message, requestID string) {
		if len(code) > 128 || len(message) > 512 || len(requestID) > 128 {
			t.Skip("the port promises less")
		}
		for _, class := range []importjob.Class{importjob.Throttled, importjob.Transient, importjob.Rejected, importjob.Terminal, importjob.NotFound, importjob.Ambiguous, "new"} {
			object := after(claim, stopAnswered(class, func(f *importjob.Error) { f.Code, f.Message, f.RequestID = code, message, requestID }))
			for _, c := range object.Status.Conditions {
				if len(c.Message) > 32768 || c.Reason == "" {
					t.Errorf("%s: %d bytes of message, reason %q", c.Type, len(c.Message), c.Reason)
				}
			}
		}
	})
}

// What status remembers of the annotation is read back from JSON. If it then differed, the wish would be handled for ever.
func FuzzARequestedRetryIsHandledOnce(f *testing.F) {
	f.Add("2026-01-02T12:00:00Z")
	f.Add("a" + strings.Repeat("é", 40))
	f.Add("\x1b[2J\n\x00")
	f.Fuzz(func(t *testing.T, mark string) {
		object := after(claim, stopAnswered(importjob.Terminal))
		object.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: mark}
		readBack(t, object)
		if object.Annotations[cdbv1.RetryRequestedAtAnnotation] != "" && !isRetryRequested(object) {
			t.Error("the wish is not seen")
		}
		startOver(noon)(object)
		readBack(t, object)
		if isRetryRequested(object) {
			t.Errorf("handled as %q, it asks for yet another try", object.Status.LastHandledRetryAt)
		}
	})
}

// readBack makes the object what the API server makes of it.
func readBack(t *testing.T, object *cdbv1.ImportJobStop) {
	t.Helper()
	text, err := json.Marshal(object)
	if err == nil {
		*object = cdbv1.ImportJobStop{}
		err = json.Unmarshal(text, object)
	}
	if err != nil {
		t.Fatal(err)
	}
}
