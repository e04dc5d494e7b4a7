// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"strings"
	"testing"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// attempts makes n attempts that are each refused with an ambiguous error.
func attempts(n int) Change {
	return func(object *cdbv1.ImportJobStop) {
		for range n {
			attempt(object)
			stopAnswered(importjob.Ambiguous)(object)
		}
	}
}

// The cloud refused the stop ambiguously, and does not say whether the import is over.
func TestWhatIsDoneWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		ready  string
		says   string
	}{
		"fails for a time":         {after(attempts(1), noAnswer(importjob.Transient)), "Unknown RetryScheduled", "Some.Code: something; asking the cloud failed"},
		"not allowed, early":       {after(attempts(blindTries-1), noAnswer(importjob.Rejected)), "Unknown RetryScheduled", "Some.Code: something; the cloud could not be asked"},
		"not allowed, many times":  {after(attempts(blindTries), noAnswer(importjob.Rejected)), "False CredentialsRejected", "allow cdb:DescribeAsyncRequestInfo"},
		"fails for good":           {after(attempts(blindTries), noAnswer(importjob.Terminal)), "False ImportError", "could not be asked"},
		"no attempt has an answer": {after(attempt, noAnswer(importjob.Transient)), "Unknown RetryScheduled", "the last attempt has no answer; asking the cloud failed"},
		"listed as over":           {after(guarded, listed(record("a-b", importjob.RecordFailed, "shop")), noAnswer(importjob.Transient)), "Unknown RetryScheduled", "the list of imports says that it is over; asking"},
		"listed, then refused":     {after(guarded, listed(record("a-b", importjob.RecordRunning, "shop")), attempts(1), noAnswer(importjob.Transient)), "Unknown RetryScheduled", "Some.Code: something; asking"},
	} {
		ready := readyOf(&test.object.Status)
		if got := string(ready.Status) + " " + ready.Reason; got != test.ready || !strings.Contains(ready.Message, test.says) {
			t.Errorf("%s: Ready is %s: %s; want %s: %s", name, got, ready.Message, test.ready, test.says)
		}
	}
}

// previewed is the answer of the cloud about a suspended object.
func previewed(edit func(*Result)) Change {
	return func(object *cdbv1.ImportJobStop) {
		r := NewResult(object, importjob.ActionDescribe, 0.5)
		r.At = noon
		edit(r)
		ApplyResult(object, r)
	}
}

// A preview is looked at again only where another look can say more.
func TestWhenAPreviewIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	running := record("a-b", importjob.RecordRunning, "shop")
	says := func(s importjob.Status) Change { return previewed(func(r *Result) { r.Status = s }) }
	fails := func(class importjob.Class) Change {
		return previewed(func(r *Result) { r.Err = &importjob.Error{Class: class, Code: "Some.Code"} })
	}
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   time.Duration // zero: never
		waits  bool          // for a Secret
	}{
		"it runs":               {object: after(hold, suspendNoon, says(importjob.StatusRunning))},
		"it is over":            {object: after(hold, suspendNoon, says(importjob.StatusKilled))},
		"found":                 {object: after(byInstance, hold, suspendNoon, listed(running))},
		"no answer, for a time": {object: after(hold, suspendNoon, fails(importjob.Transient)), want: maxPoll},
		"credentials refused":   {object: after(hold, suspendNoon, fails(importjob.Rejected)), want: CredentialsRetry, waits: true},
		"no answer, for good":   {object: after(hold, suspendNoon, fails(importjob.Terminal))},
		"no list, for good":     {object: after(byInstance, hold, suspendNoon, notListed(importjob.Terminal))},
	} {
		status := test.object.Status
		if next := status.NextAttemptTime; (next == nil) != (test.want == 0) || next != nil && next.Sub(noon) != test.want {
			t.Errorf("%s: it is looked at again at %s, want after %s", name, next, test.want)
		}
		if (status.WaitingSince != nil) != test.waits {
			t.Errorf("%s: it waits for a Secret since %s", name, status.WaitingSince)
		}
	}
}

func TestAPreviewThatStillWaitsForItsSecretKeepsSinceWhen(t *testing.T) {
	t.Parallel()
	refusedAt := func(at time.Time) Change {
		return previewed(func(r *Result) { r.At, r.Err = at, &importjob.Error{Class: importjob.Rejected, Code: "Some.Code"} })
	}
	object := after(hold, suspendNoon, refusedAt(noon), refusedAt(noon.Add(CredentialsRetry)))
	if since := object.Status.WaitingSince; since == nil || !since.Time.Equal(noon) {
		t.Errorf("it waits since %s, want %s", since, noon)
	}
}
