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

// noon is when these tests take place.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// request is an object that nobody has looked at.
func request() *cdbv1.ImportJobStop {
	return &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "stop", UID: "1", Generation: 1},
		Spec: cdbv1.ImportJobStopSpec{
			Region: "ap-guangzhou", AsyncRequestID: "a-b",
			CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"},
		},
		Status: cdbv1.ImportJobStopStatus{ObservedGeneration: -1},
	}
}

// after is a request to which these changes were made, one after the other.
func after(changes ...Change) *cdbv1.ImportJobStop {
	object := request()
	for _, c := range changes {
		c(object)
	}
	return object
}

// answered is what came of the attempt that is in status.
func answered(action importjob.Action, edit func(*Result)) Change {
	return func(object *cdbv1.ImportJobStop) {
		a := &Result{Action: action, Generation: object.Generation, Attempt: object.Status.Attempts, At: noon, Jitter: 0.5}
		edit(a)
		ApplyResult(object, a)
	}
}

func stopAnswered(class importjob.Class, edit ...func(*importjob.Error)) Change {
	return answered(importjob.ActionStop, func(a *Result) {
		fault := &importjob.Error{Class: class, Code: "Some.Code", Message: "something", RequestID: "r-1"}
		for _, e := range edit {
			e(fault)
		}
		a.Err = fault
	})
}

func accept(object *cdbv1.ImportJobStop) {
	answered(importjob.ActionStop, func(a *Result) { a.RequestID = "r-1" })(object)
}

func described(s importjob.Status) Change {
	return answered(importjob.ActionDescribe, func(a *Result) { a.Status = s })
}

func spec(edit func(*cdbv1.ImportJobStopSpec)) Change {
	return func(o *cdbv1.ImportJobStop) { edit(&o.Spec); o.Generation++ }
}

var (
	attempt       = RecordAttempt(noon)
	elsewhere     = spec(func(s *cdbv1.ImportJobStopSpec) { s.AsyncRequestID = "c-d" })
	otherSecret   = spec(func(s *cdbv1.ImportJobStopSpec) { s.CredentialsSecretRef.Name = "other" })
	hold          = spec(func(s *cdbv1.ImportJobStopSpec) { s.Suspend = true })
	untilEnded    = spec(func(s *cdbv1.ImportJobStopSpec) { s.WaitFor = cdbv1.WaitForStopped })
	chinaByName   = spec(func(s *cdbv1.ImportJobStopSpec) { s.Site = cdbv1.SiteChina })
	anHourAgo     = RecordAttempt(noon.Add(-time.Hour))
	aMinute       = spec(func(s *cdbv1.ImportJobStopSpec) { s.ActiveDeadlineSeconds = new(int32(60)) })
	twoHours      = spec(func(s *cdbv1.ImportJobStopSpec) { s.ActiveDeadlineSeconds = new(int32(7200)) })
	shortLived    = spec(func(s *cdbv1.ImportJobStopSpec) { s.TTLSecondsAfterFinished = new(int32(0)) })
	longLived     = spec(func(s *cdbv1.ImportJobStopSpec) { s.TTLSecondsAfterFinished = new(int32(60)) })
	international = spec(func(s *cdbv1.ImportJobStopSpec) { s.Site = cdbv1.SiteInternational })
)

func TestNext(t *testing.T) {
	t.Parallel()
	const wait, remove = importjob.Action("wait"), importjob.Action("remove")
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   importjob.Action // wait: nothing until it is due; empty: a change of status, or nothing at all
	}{
		"new":                              {after(), importjob.ActionStop},
		"new and suspended":                {after(hold), ""},
		"in the queue":                     {after(WaitForQuota(noon, noon, time.Hour)), importjob.ActionStop},
		"killed before the answer":         {after(attempt), importjob.ActionStop},
		"killed, then suspended":           {after(attempt, hold), ""},
		"accepted":                         {after(attempt, accept), ""},
		"accepted, other Secret":           {after(attempt, accept, otherSecret), ""},
		"accepted, empty site named":       {after(attempt, accept, chinaByName), ""},
		"accepted, other site":             {after(attempt, accept, international), importjob.ActionStop},
		"accepted, other import":           {after(attempt, accept, elsewhere), importjob.ActionStop},
		"accepted, other import, held":     {after(attempt, accept, elsewhere, hold), ""},
		"accepted, then to wait for end":   {after(attempt, accept, untilEnded), importjob.ActionDescribe},
		"accepted, still ending":           {after(untilEnded, attempt, accept), wait},
		"ended":                            {after(untilEnded, attempt, accept, described(importjob.StatusKilled)), ""},
		"ended, other Secret":              {after(untilEnded, attempt, accept, described(importjob.StatusKilled), otherSecret), ""},
		"transient":                        {after(attempt, stopAnswered(importjob.Transient)), wait},
		"throttled goes back into line":    {after(attempt, stopAnswered(importjob.Throttled)), importjob.ActionStop},
		"terminal":                         {after(attempt, stopAnswered(importjob.Terminal)), ""},
		"terminal, corrected":              {after(attempt, stopAnswered(importjob.Terminal), otherSecret), importjob.ActionStop},
		"rejected":                         {after(attempt, stopAnswered(importjob.Rejected)), wait},
		"rejected, other Secret":           {after(attempt, stopAnswered(importjob.Rejected), otherSecret), importjob.ActionStop},
		"unknown id":                       {after(attempt, stopAnswered(importjob.NotFound)), ""},
		"unknown id after a kill":          {after(attempt, attempt, stopAnswered(importjob.NotFound)), importjob.ActionDescribe},
		"ambiguous":                        {after(attempt, stopAnswered(importjob.Ambiguous)), importjob.ActionDescribe},
		"ambiguous, told that it is over":  {after(attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusRemoved)), ""},
		"ambiguous, told that it runs":     {after(attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusRunning)), wait},
		"ended by itself, corrected":       {after(attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusSuccess), otherSecret), ""},
		"ended by itself, another import":  {after(attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusSuccess), elsewhere), importjob.ActionStop},
		"deadline passed":                  {after(aMinute, anHourAgo, stopAnswered(importjob.Transient)), ""},
		"deadline passed after a kill":     {after(aMinute, anHourAgo), ""},
		"deadline not passed":              {after(twoHours, anHourAgo, stopAnswered(importjob.Transient)), wait},
		"given up, deadline put off":       {after(aMinute, anHourAgo, exceedDeadline(noon), twoHours), importjob.ActionStop},
		"accepted, deadline passed":        {after(aMinute, anHourAgo, accept), ""},
		"still ending, deadline passed":    {after(aMinute, untilEnded, anHourAgo, accept), ""},
		"finished, to be deleted":          {after(shortLived, attempt, accept), remove},
		"failed, to be deleted":            {after(shortLived, attempt, stopAnswered(importjob.Terminal)), remove},
		"finished, to be deleted later":    {after(longLived, attempt, accept), ""},
		"unfinished, to be deleted":        {after(shortLived, attempt, stopAnswered(importjob.Transient)), wait},
		"finished, of Flux":                {after(shortLived, byFlux, attempt, accept), ""},
		"finished, another import":         {after(shortLived, attempt, accept, elsewhere), importjob.ActionStop},
		"new try of a refused one":         {after(attempt, stopAnswered(importjob.Terminal), tryAgain), ""},
		"new try, noted":                   {after(attempt, stopAnswered(importjob.Terminal), tryAgain, startOver(noon)), importjob.ActionStop},
		"new try, refused again":           {after(attempt, stopAnswered(importjob.Terminal), tryAgain, startOver(noon), attempt, stopAnswered(importjob.Terminal)), ""},
		"refused after an unknown outcome": {after(attempt, attempt, stopAnswered(importjob.Terminal)), importjob.ActionDescribe},
		"refused, told that it runs":       {after(attempt, attempt, stopAnswered(importjob.Terminal), described(importjob.StatusRunning)), ""},
		"new try instead of a delay":       {after(attempt, stopAnswered(importjob.Transient), tryAgain, startOver(noon)), importjob.ActionStop},
		"new try of an accepted one":       {after(attempt, accept, tryAgain), ""},
		"without credentials, looks again": {after(WaitForCredentials(noon, "no Secret")), importjob.ActionStop},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Next(test.object, noon, false)
			action := got.Action
			switch {
			case got.Remove:
				action = remove
			case action == "" && !isSettled(test.object):
				before := test.object.DeepCopy()
				if got.Change(test.object); equality.Semantic.DeepEqual(before, test.object) {
					action = wait
				}
			}
			if action != test.want {
				t.Errorf("next is %q, want %q", action, test.want)
			}
		})
	}
}

func byFlux(o *cdbv1.ImportJobStop) {
	o.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "shop"}
}

func tryAgain(o *cdbv1.ImportJobStop) {
	o.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: "2026-01-02T12:00:00Z"}
}

func TestARequestedRetryIsHandledOnce(t *testing.T) {
	t.Parallel()
	for name, object := range map[string]*cdbv1.ImportJobStop{
		"there from the beginning": after(tryAgain, attempt, stopAnswered(importjob.Terminal)),
		"handled":                  after(attempt, stopAnswered(importjob.Terminal), tryAgain, startOver(noon), attempt, stopAnswered(importjob.Terminal)),
		"of one that was Ready":    after(attempt, accept, tryAgain, Observe(noon), elsewhere, attempt, stopAnswered(importjob.Terminal)),
	} {
		if isRetryRequested(object) {
			t.Errorf("%s: asks for yet another try", name)
		}
	}
}

func TestRequeueAfter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   time.Duration
	}{
		"new":                    {after(), 0},
		"in the queue":           {after(WaitForQuota(noon, noon, time.Hour)), 0},
		"in the queue, deadline": {after(aMinute, WaitForQuota(noon, noon, time.Hour)), time.Minute},
		"delayed":                {after(attempt, stopAnswered(importjob.Transient)), time.Second / 2},
		"rejected, deadline":     {after(aMinute, attempt, stopAnswered(importjob.Rejected)), time.Minute},
		"suspended, no deadline": {after(aMinute, attempt, hold, suspend(noon)), 0},
		"accepted":               {after(aMinute, attempt, accept), 0},
		"accepted, expires":      {after(longLived, attempt, accept), time.Minute},
		"refused, no deadline":   {after(aMinute, attempt, stopAnswered(importjob.Terminal)), 0},
		"rejected":               {after(attempt, stopAnswered(importjob.Rejected)), CredentialsRetry},
		"no Secret":              {after(WaitForCredentials(noon, "none")), stallAfter},
	} {
		if got := RequeueAfter(test.object, noon); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// Whatever is asked after success, only another target is called.
func TestSuccessIsFinal(t *testing.T) {
	t.Parallel()
	changes := []Change{otherSecret, hold, untilEnded, chinaByName, Observe(noon), accept, described(importjob.StatusPaused), described(importjob.StatusKilled), described("")}
	for i := range len(changes) * len(changes) {
		object := after(attempt, accept, changes[i%len(changes)], changes[i/len(changes)])
		if got := Next(object, noon.Add(time.Hour), false); got.Action == importjob.ActionStop {
			t.Errorf("stopped again after changes %d and %d", i%len(changes), i/len(changes))
		}
	}
}
