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
		"calling":                   {after(attempt), "Unknown - True False Stopping"},
		"failed, will retry":        {after(attempt, stopAnswered(importjob.Transient)), "Unknown False True False RetryScheduled"},
		"throttled":                 {after(attempt, stopAnswered(importjob.Throttled)), "Unknown False True False RetryScheduled"},
		"Secret missing":            {after(WaitForCredentials(noon, "no Secret")), "Unknown - True False CredentialsNotFound"},
		"credentials refused":       {after(attempt, stopAnswered(importjob.Rejected)), "False False False True CredentialsRejected"},
		"refused for good":          {after(attempt, stopAnswered(importjob.Terminal)), "False False False True InvalidRequest"},
		"unknown id":                {after(attempt, stopAnswered(importjob.NotFound)), "False False False True ImportNotFound"},
		"accepted":                  {after(attempt, accept), "True True False False StopAccepted"},
		"accepted, still ending":    {after(untilEnded, attempt, accept), "Unknown True True False WaitingForStop"},
		"ended":                     {after(untilEnded, attempt, accept, described(importjob.StatusKilled)), "True True False False ImportStopped"},
		"already stopped":           {after(attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusKilled)), "True False False False AlreadyStopped"},
		"failed by itself":          {after(attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusFailed)), "True False False False AlreadyStopped"},
		"finished by itself":        {after(attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusSuccess)), "False False False True ImportAlreadyFinished"},
		"failed after acceptance":   {after(untilEnded, attempt, accept, described(importjob.StatusFailed)), "True True False False ImportStopped"},
		"stop came too late":        {after(untilEnded, attempt, accept, described(importjob.StatusSuccess)), "False True False True ImportAlreadyFinished"},
		"not started":               {after(untilEnded, attempt, accept, described(importjob.StatusUndefined)), "Unknown True True False WaitingForStop"},
		"no status":                 {after(untilEnded, attempt, accept, described(importjob.StatusUnknown)), "Unknown True True False WaitingForStop"},
		"outcome unknown":           {after(attempt, stopAnswered(importjob.Transient, lost)), "Unknown Unknown True False RetryScheduled"},
		"failed after an unknown":   {after(attempt, attempt, stopAnswered(importjob.Transient)), "Unknown Unknown True False RetryScheduled"},
		"ambiguous after unknown":   {after(attempt, attempt, stopAnswered(importjob.Ambiguous)), "Unknown Unknown True False RetryScheduled"},
		"calling after an unknown":  {after(attempt, attempt), "Unknown Unknown True False Stopping"},
		"stopped by an unknown":     {after(attempt, attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusKilled)), "True False False False AlreadyStopped"},
		"deadline after an unknown": {after(aMinute, attempt, stopAnswered(importjob.Transient, lost), exceedDeadline(noon)), "False Unknown False True DeadlineExceeded"},
		"Secret missing for long":   {after(WaitForCredentials(noon.Add(-stallAfter), "no Secret"), WaitForCredentials(noon, "")), "False - False True CredentialsNotFound"},
		"ending, Secret missing":    {after(untilEnded, attempt, accept, WaitForCredentials(noon, "no Secret")), "Unknown True True False CredentialsNotFound"},
		"follows a refusal":         {after(attempt, stopAnswered(importjob.Rejected), FollowRefusal(noon, noon.Add(time.Minute))), "False False False True CredentialsRejected"},
		"ending, in the queue":      {after(untilEnded, attempt, accept, WaitForQuota(noon, noon, time.Hour)), "Unknown True True False WaitingForStop"},
		"ending, no question":       {after(untilEnded, attempt, accept, noAnswer(importjob.Terminal)), "False True False True InvalidRequest"},
		"ending, not found":         {after(untilEnded, attempt, accept, noAnswer(importjob.NotFound)), "False True False True ImportNotFound"},
		"panic":                     {after(attempt, InternalError(noon)), "False - False True InternalError"},
		"suspended":                 {after(hold, suspend(noon)), "Unknown - True False Suspended"},
		"suspended after a crash":   {after(attempt, hold, suspend(noon)), "Unknown Unknown True False Suspended"},
		"no Secret after a crash":   {after(attempt, WaitForCredentials(noon, "no Secret")), "Unknown Unknown True False CredentialsNotFound"},
		"suspended after a refusal": {after(attempt, stopAnswered(importjob.Transient), hold, suspend(noon)), "Unknown False True False Suspended"},
		"deadline passed":           {after(aMinute, attempt, stopAnswered(importjob.Transient), exceedDeadline(noon)), "False False False True DeadlineExceeded"},
		"deadline in the queue":     {after(aMinute, WaitForQuota(noon, noon, time.Hour), exceedDeadline(noon)), "False False False True DeadlineExceeded"},
		"deadline while ending":     {after(aMinute, untilEnded, attempt, accept, exceedDeadline(noon)), "False True False True DeadlineExceeded"},
		"a new try":                 {after(attempt, stopAnswered(importjob.Terminal), tryAgain, startOver(noon)), "Unknown False True False RetryScheduled"},
		"ending, may not ask":       {after(untilEnded, attempt, accept, denied), "False True False True CredentialsRejected"},
		"may not ask":               {after(attempt, stopAnswered(importjob.Ambiguous), denied), "Unknown False True False RetryScheduled"},
		"may not ask, again":        {after(attempt, attempt, attempt, attempt, attempt, stopAnswered(importjob.Ambiguous), denied), "False Unknown False True ImportError"},
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
	object := after(attempt)
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
		"calling":                   {after(), after(attempt), ""},
		"accepted":                  {after(attempt), after(attempt, accept), "Normal StopAccepted"},
		"accepted and ending":       {after(untilEnded, attempt), after(untilEnded, attempt, accept), "Normal StopAccepted"},
		"ended":                     {after(untilEnded, attempt, accept), after(untilEnded, attempt, accept, described(importjob.StatusKilled)), "Normal ImportStopped"},
		"failed":                    {after(attempt), after(attempt, transient), "Warning RetryScheduled"},
		"failed again":              {after(attempt, transient, attempt), after(attempt, transient, attempt, transient), ""},
		"failed otherwise":          {after(attempt, transient, attempt), after(attempt, transient, attempt, stopAnswered(importjob.Throttled)), "Warning RetryScheduled"},
		"refused for good":          {after(attempt), after(attempt, stopAnswered(importjob.Terminal)), "Warning InvalidRequest"},
		"refused once more":         {after(attempt, stopAnswered(importjob.Terminal), otherSecret, attempt), after(attempt, stopAnswered(importjob.Terminal), otherSecret, attempt, stopAnswered(importjob.Terminal)), "Warning InvalidRequest"},
		"rejected":                  {after(attempt), after(attempt, rejected), "Warning CredentialsRejected"},
		"rejected as ever":          {after(attempt, rejected, attempt), after(attempt, rejected, attempt, rejected), ""},
		"deadline":                  {after(aMinute, attempt, transient), after(aMinute, attempt, transient, exceedDeadline(noon)), "Warning DeadlineExceeded"},
		"label":                     {after(attempt, accept), after(attempt, accept, otherSecret, Observe(noon)), ""},
		"finished, TTL":             {after(shortLived, attempt), after(shortLived, attempt, accept), "Normal StopAccepted"},
		"finished, TTL, Flux":       {after(shortLived, byFlux, attempt), after(shortLived, byFlux, attempt, accept), "Normal StopAccepted, Warning TTLIgnored"},
		"TTL set later, Flux":       {after(byFlux, attempt, accept), after(byFlux, attempt, accept, shortLived, Observe(noon)), "Warning TTLIgnored"},
		"label after TTL":           {after(shortLived, byFlux, attempt, accept), after(shortLived, byFlux, attempt, accept), ""},
		"a new try":                 {after(attempt, stopAnswered(importjob.Terminal)), after(attempt, stopAnswered(importjob.Terminal), tryAgain, startOver(noon)), ""},
		"credentials missing":       {after(), after(WaitForCredentials(noon, "no Secret")), "Warning CredentialsNotFound"},
		"credentials stalled":       {after(WaitForCredentials(noon.Add(-stallAfter), "no Secret")), after(WaitForCredentials(noon.Add(-stallAfter), "no Secret"), WaitForCredentials(noon, "")), "Warning CredentialsNotFound"},
		"suspended, crashed":        {after(attempt, hold), after(attempt, hold, suspend(noon)), ""},
		"in the queue for the call": {after(), after(WaitForQuota(noon, noon, time.Hour)), ""},
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
			object := after(attempt, stopAnswered(class, func(f *importjob.Error) { f.Code, f.Message, f.RequestID = code, message, requestID }))
			for _, c := range object.Status.Conditions {
				if len(c.Message) > 32768 || c.Reason == "" {
					t.Errorf("%s: %d bytes of message, reason %q", c.Type, len(c.Message), c.Reason)
				}
			}
		}
	})
}

// What status remembers of the annotation is read back from JSON. If it then differed, the request would be handled for ever.
func FuzzARequestedRetryIsHandledOnce(f *testing.F) {
	f.Add("2026-01-02T12:00:00Z")
	f.Add("a" + strings.Repeat("é", 40))
	f.Add("\x1b[2J\n\x00")
	f.Fuzz(func(t *testing.T, mark string) {
		object := after(attempt, stopAnswered(importjob.Terminal))
		object.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: mark}
		readBack(t, object)
		if object.Annotations[cdbv1.RetryRequestedAtAnnotation] != "" && !isRetryRequested(object) {
			t.Error("the request is not seen")
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
