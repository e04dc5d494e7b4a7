// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// One event for an outcome, none for a retry of the same kind, and none for what only we are interested in.
func TestEvents(t *testing.T) {
	t.Parallel()
	transient := stopAnswered(importjob.Transient)
	lost := stopAnswered(importjob.Transient, func(e *importjob.Error) { e.OutcomeUnknown = true })
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
		"deadline in the queue":     {after(aMinute, inQueue), after(aMinute, inQueue, exceedDeadline(noon)), "Warning DeadlineExceeded"},
		"outcome unknown":           {after(attempt), after(attempt, lost), "Warning RetryScheduled"},
		"calling after an unknown":  {after(attempt, lost), after(attempt, lost, attempt), ""},
		"calling after a crash":     {after(attempt), after(attempt, attempt), ""},
		"ending, may not ask":       {after(untilEnded, attempt, accept), after(untilEnded, attempt, accept, noAnswer(importjob.Rejected)), "Warning CredentialsRejected"},
		"accepted, no difference":   {after(untilEnded, attempt, accept), after(untilEnded, attempt, accept), ""},
		"ending, in the queue":      {after(untilEnded, attempt, accept, missing), after(untilEnded, attempt, accept, missing, inQueue), ""},
		"suspended":                 {after(hold), after(hold, suspend(noon)), ""},
		"failed, otherwise again":   {after(attempt, transient), after(attempt, transient, stopAnswered(importjob.Throttled)), "Warning RetryScheduled"},
		"label":                     {after(attempt, accept), after(attempt, accept, otherSecret, observe(noon)), ""},
		"finished, TTL":             {after(shortLived, attempt), after(shortLived, attempt, accept), "Normal StopAccepted"},
		"finished, TTL, Flux":       {after(shortLived, byFlux, attempt), after(shortLived, byFlux, attempt, accept), "Normal StopAccepted, Warning TTLIgnored"},
		"TTL set later, Flux":       {after(byFlux, attempt, accept), after(byFlux, attempt, accept, shortLived, observe(noon)), "Warning TTLIgnored"},
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

// The note of an event has at most 1 KiB, so a longer message is cut, visibly.
func TestTheMessageOfAnEventIsCut(t *testing.T) {
	t.Parallel()
	link := seeRemedy("credentialsnotfound")
	for name, test := range map[string]struct {
		text, want string
	}{
		"as long as it may be": {strings.Repeat("x", 1000-len(link)), strings.Repeat("x", 1000-len(link)) + link},
		"longer":               {strings.Repeat("x", 2000), strings.Repeat("x", 997) + "…"},
		"in the middle of a é": {strings.Repeat("x", 996) + strings.Repeat("é", 100), strings.Repeat("x", 996) + "…"},
	} {
		object := after(WaitForCredentials(noon, test.text))
		if got := Events(object, &request().Status)[0].Message; got != test.want {
			t.Errorf("%s: %d bytes: %q", name, len(got), got)
		}
	}
}
