// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

const (
	refusal    = "Some.Code: something (RequestId r-1)"
	acceptance = "the cloud accepted the stop, RequestId r-1"
)

func seeRemedy(anchor string) string { return "; see " + cdbv1.RemediesPage + "#" + anchor }

// The messages are an interface: people search for them, and the docs quote them.
func TestTheMessageOfReady(t *testing.T) {
	t.Parallel()
	transient, terminal, ambiguous := stopAnswered(importjob.Transient), stopAnswered(importjob.Terminal), stopAnswered(importjob.Ambiguous)
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   string
	}{
		"suspended":                  {after(hold, suspend(noon)), "held back; set spec.suspend to false to go on"},
		"suspended while ending":     {after(untilEnded, attempt, accept, hold, suspend(noon)), acceptance + "; held back; set spec.suspend to false to go on"},
		"no Secret":                  {after(WaitForCredentials(noon, "no Secret")), "no Secret" + seeRemedy("credentialsnotfound")},
		"still no Secret":            {after(WaitForCredentials(noon, "no Secret"), WaitForCredentials(noon, "")), "no Secret" + seeRemedy("credentialsnotfound")},
		"calling":                    {after(attempt), "calling StopDBImportJob, attempt 1"},
		"calling after an unknown":   {after(attempt, attempt), "calling StopDBImportJob, attempt 2; the outcome of an earlier attempt is unknown"},
		"failed, will retry":         {after(attempt, transient), refusal},
		"throttled":                  {after(attempt, stopAnswered(importjob.Throttled)), refusal + "; waiting in the queue again"},
		"rejected":                   {after(attempt, stopAnswered(importjob.Rejected)), refusal + "; correct the Secret or its CAM policy" + seeRemedy("credentialsrejected")},
		"rejected, observed":         {after(attempt, stopAnswered(importjob.Rejected), observe(noon)), refusal + "; correct the Secret or its CAM policy" + seeRemedy("credentialsrejected")},
		"refused for good":           {after(attempt, terminal), refusal + "; correct the spec" + seeRemedy("invalidrequest")},
		"refused after an unknown":   {after(attempt, attempt, terminal), refusal + "; an earlier attempt may have stopped the import: asking the cloud"},
		"unknown id":                 {after(attempt, stopAnswered(importjob.NotFound)), refusal + "; check asyncRequestId, region, site and account" + seeRemedy("importnotfound")},
		"ambiguous":                  {after(attempt, ambiguous), refusal + "; the import may be over: asking the cloud"},
		"it runs":                    {after(attempt, ambiguous, described(importjob.StatusRunning)), "Some.Code: something, but the import is not over (RUNNING)"},
		"it runs, no answer yet":     {after(attempt, described(importjob.StatusRunning)), "the last attempt has no answer, but the import is not over (RUNNING)"},
		"it runs, no attempt":        {after(described(importjob.StatusRunning)), "the last attempt has no answer, but the import is not over (RUNNING)"},
		"stopped by others":          {after(attempt, ambiguous, described(importjob.StatusKilled)), "the import was already over (KILLED), stopped by someone else or failed by itself"},
		"stopped without an attempt": {after(described(importjob.StatusKilled)), "the import was already over (KILLED), stopped by someone else or failed by itself"},
		"stopped by an unknown":      {after(attempt, attempt, ambiguous, described(importjob.StatusKilled)), "the import was already over (KILLED); an earlier attempt of unknown outcome may have stopped it"},
		"no answer how it is":        {after(attempt, ambiguous, noAnswer(importjob.Transient)), "Some.Code: something; asking the cloud failed: Some.Code: no policy"},
		"accepted":                   {after(attempt, accept), acceptance},
		"ended":                      {after(untilEnded, attempt, accept, described(importjob.StatusKilled)), acceptance + ", and the import ended before it was complete (KILLED)"},
		"ending, in the queue":       {after(untilEnded, attempt, accept, WaitForCredentials(noon, "no Secret"), WaitForQuota(noon, noon, 0)), acceptance + "; the import is still ending"},
		"ending, no answer":          {after(untilEnded, attempt, accept, noAnswer(importjob.Transient)), acceptance + "; the operator cannot read whether it has ended: Some.Code: no policy"},
		"deadline, no call":          {after(aMinute, exceedDeadline(noon)), "gave up after the 60 s of spec.activeDeadlineSeconds; no call was made" + seeRemedy("deadlineexceeded")},
		"deadline, refused":          {after(aMinute, attempt, transient, exceedDeadline(noon)), "gave up after the 60 s of spec.activeDeadlineSeconds; the last answer was Some.Code" + seeRemedy("deadlineexceeded")},
		"deadline, no answer":        {after(aMinute, attempt, exceedDeadline(noon)), "gave up after the 60 s of spec.activeDeadlineSeconds; " + outcomeUnknown + seeRemedy("deadlineexceeded")},
		"deadline, lost answer":      {after(aMinute, attempt, attempt, transient, exceedDeadline(noon)), "gave up after the 60 s of spec.activeDeadlineSeconds; " + outcomeUnknown + seeRemedy("deadlineexceeded")},
		"deadline, ending":           {after(aMinute, untilEnded, attempt, accept, exceedDeadline(noon)), "gave up after the 60 s of spec.activeDeadlineSeconds; " + acceptance + ", but the operator did not see the import end" + seeRemedy("deadlineexceeded")},
	} {
		if diff := cmp.Diff(test.want, readyOf(&test.object.Status).Message); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Reconciling and Stalled say what Ready says, or that there is nothing to say.
func TestReconcilingAndStalledSayWhy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		object               *cdbv1.ImportJobStop
		reconciling, stalled string
	}{
		"progressing": {after(attempt), "True Stopping", "False Progressing"},
		"succeeded":   {after(attempt, accept), "False Finished", "False Finished"},
		"failed":      {after(attempt, stopAnswered(importjob.Terminal)), "False Finished", "True InvalidRequest"},
		"stalled":     {after(attempt, stopAnswered(importjob.Rejected)), "False CredentialsRejected", "True CredentialsRejected"},
	} {
		status := &test.object.Status
		for kind, want := range map[string]string{cdbv1.ConditionReconciling: test.reconciling, cdbv1.ConditionStalled: test.stalled} {
			c, message := conditionOf(status, kind), readyOf(status).Message
			switch c.Reason {
			case cdbv1.ReasonFinished:
				message = "nothing is left to do"
			case cdbv1.ReasonProgressing:
				message = "the operator goes on without help"
			}
			if got := string(c.Status) + " " + c.Reason; got != want || c.Message != message {
				t.Errorf("%s: %s is %s (%s), want %s (%s)", name, kind, got, c.Message, want, message)
			}
		}
	}
}

func TestAMessageIsCutButNotItsRemedy(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	got := readyOf(&after(WaitForCredentials(noon, long)).Status).Message
	if want := long[:4096] + seeRemedy("credentialsnotfound"); got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

// A status by hand can have an answer of any length.
func TestALongAnswerIsQuotedInPart(t *testing.T) {
	t.Parallel()
	object := byHand(func(s *cdbv1.ImportJobStopStatus) { s.LastAttempt.Message = strings.Repeat("x", 5000) }, attempt, stopAnswered(importjob.Ambiguous))
	described(importjob.StatusRunning)(object)
	if got := strings.Count(readyOf(&object.Status).Message, "x"); got != 1024 {
		t.Errorf("%d bytes of it are quoted, want 1024", got)
	}
}
