// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"

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
	return strings.Join(words, " ") + " " + ReadyReason(o)
}

func TestTheStatusContract(t *testing.T) {
	t.Parallel()
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
		"ending, no answer":         {after(untilEnded, attempt, accept, noAnswer(importjob.Transient)), "Unknown True True False WaitingForStop"},
		"asked for less meanwhile":  {after(untilEnded, attempt, accept, untilAccepted, noAnswer(importjob.Rejected)), "True True False False StopAccepted"},
		"asked for less, running":   {after(untilEnded, attempt, accept, untilAccepted, described(importjob.StatusRunning)), "True True False False StopAccepted"},
		"ending, throttled":         {after(untilEnded, attempt, accept, noAnswer(importjob.Throttled)), "Unknown True True False WaitingForStop"},
		"ending, ambiguous":         {after(untilEnded, attempt, accept, noAnswer(importjob.Ambiguous)), "Unknown True True False WaitingForStop"},
		"being stopped":             {after(attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusPaused)), "True False False False AlreadyStopped"},
		"being stopped, to wait":    {after(untilEnded, attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusPaused)), "Unknown False True False WaitingForStop"},
		"refused, no answer":        {after(attempt, attempt, stopAnswered(importjob.Terminal), noAnswer(importjob.Terminal)), "False Unknown False True InvalidRequest"},
		"unknown id, no answer":     {after(attempt, attempt, stopAnswered(importjob.NotFound), noAnswer(importjob.Terminal)), "False Unknown False True ImportNotFound"},
		"ambiguous, no answer":      {after(attempt, stopAnswered(importjob.Ambiguous), noAnswer(importjob.Transient)), "Unknown False True False RetryScheduled"},
		"may not ask, four times":   {after(attempt, attempt, attempt, attempt, stopAnswered(importjob.Ambiguous), denied), "Unknown Unknown True False RetryScheduled"},
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
		"may not ask, again":        {after(attempt, attempt, attempt, attempt, attempt, stopAnswered(importjob.Ambiguous), denied), "False Unknown False True CredentialsRejected"},
		"no question, again":        {after(attempt, attempt, attempt, attempt, attempt, stopAnswered(importjob.Ambiguous), noAnswer(importjob.Terminal)), "False Unknown False True ImportError"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, row(test.object)); diff != "" {
				t.Error(diff)
			}
			reason := ReadyReason(test.object)
			finished := !strings.HasPrefix(test.want, "Unknown") && reason != cdbv1.ReasonCredentialsRejected && reason != cdbv1.ReasonCredentialsNotFound
			if (test.object.Status.CompletionTime != nil) != finished {
				t.Errorf("completionTime is %v", test.object.Status.CompletionTime)
			}
			for _, c := range test.object.Status.Conditions {
				if c.ObservedGeneration != test.object.Generation {
					t.Errorf("%s is about generation %d, want %d", c.Type, c.ObservedGeneration, test.object.Generation)
				}
			}
		})
	}
}
