// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// A status that says what was so before is corrected at once; the first one of a suspended object has its turn.
func TestASuspendedObjectHasItsTurnOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   bool
	}{
		"new":                   {after(hold), true},
		"held back after a try": {after(attempt, hold), false},
		"of another import":     {after(attempt, stopAnswered(importjob.Transient), elsewhere, hold), false},
	} {
		if got := Next(test.object, noon, false); got.Change == nil || got.InTurn != test.want {
			t.Errorf("%s: in turn: %t, want %t", name, got.InTurn, test.want)
		}
	}
}

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

// An import that runs is stopped again; of one that is ending, the cloud is asked again.
func TestNextAfterADelay(t *testing.T) {
	t.Parallel()
	ambiguous := stopAnswered(importjob.Ambiguous)
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   importjob.Action
	}{
		"transient":                      {after(attempt, stopAnswered(importjob.Transient)), importjob.ActionStop},
		"rejected":                       {after(attempt, rejected), importjob.ActionStop},
		"ambiguous, told that it runs":   {after(attempt, ambiguous, described(importjob.StatusRunning)), importjob.ActionStop},
		"ambiguous, told that it ends":   {after(untilEnded, attempt, ambiguous, described(importjob.StatusPaused)), importjob.ActionDescribe},
		"ambiguous, not told for a time": {after(attempt, ambiguous, noAnswer(importjob.Transient)), importjob.ActionDescribe},
		"ambiguous, not told for good":   {after(attempt, ambiguous, noAnswer(importjob.Terminal)), importjob.ActionStop},
		"accepted, still ending":         {after(untilEnded, attempt, accept), importjob.ActionDescribe},
	} {
		if got := Next(test.object, noon.Add(CredentialsRetry), false).Action; got != test.want {
			t.Errorf("%s: next is %q, want %q", name, got, test.want)
		}
	}
}

func TestARequestedRetryIsHandledOnce(t *testing.T) {
	t.Parallel()
	for name, object := range map[string]*cdbv1.ImportJobStop{
		"there from the beginning": after(tryAgain, attempt, stopAnswered(importjob.Terminal)),
		"handled":                  after(attempt, stopAnswered(importjob.Terminal), tryAgain, startOver(noon), attempt, stopAnswered(importjob.Terminal)),
		"of one that was Ready":    after(attempt, accept, tryAgain, observe(noon), elsewhere, attempt, stopAnswered(importjob.Terminal)),
	} {
		if isRetryRequested(object) {
			t.Errorf("%s: asks for yet another try", name)
		}
	}
}

// After a write, only what nothing else brings back is looked at again.
func TestHasMore(t *testing.T) {
	t.Parallel()
	terminal := stopAnswered(importjob.Terminal)
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   bool
	}{
		"new":                          {after(), true},
		"calling":                      {after(attempt), false},
		"in the queue":                 {after(inQueue), false},
		"no Secret":                    {after(missing), false},
		"no Secret, other one named":   {after(missing, otherSecret), true},
		"delayed":                      {after(attempt, stopAnswered(importjob.Transient)), true},
		"rejected":                     {after(attempt, rejected), true},
		"accepted":                     {after(attempt, accept), false},
		"accepted, edited":             {after(attempt, accept, otherSecret), true},
		"accepted, retry requested":    {after(attempt, tryAgain, accept), true},
		"accepted, expires":            {after(longLived, attempt, accept), true},
		"accepted, expires, of Flux":   {after(longLived, byFlux, attempt, accept), false},
		"accepted, then to wait":       {after(attempt, accept, untilEnded), true},
		"failed":                       {after(attempt, terminal), false},
		"failed, retry requested":      {after(attempt, terminal, tryAgain), true},
		"ran to its end, edited":       {after(attempt, stopAnswered(importjob.Ambiguous), described(importjob.StatusSuccess), otherSecret, seen), false},
		"ending, given up":             {after(aMinute, untilEnded, attempt, accept, exceedDeadline(noon)), false},
		"given up, acceptance will do": {after(aMinute, untilEnded, attempt, accept, exceedDeadline(noon), untilAccepted, seen), true},
	} {
		if got := HasMore(test.object); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}

// Whatever is asked after success, only another target is called.
func TestSuccessIsFinal(t *testing.T) {
	t.Parallel()
	changes := []Change{otherSecret, hold, untilEnded, chinaByName, observe(noon), accept, described(importjob.StatusPaused), described(importjob.StatusKilled), described("")}
	for i := range len(changes) * len(changes) {
		object := after(attempt, accept, changes[i%len(changes)], changes[i/len(changes)])
		if got := Next(object, noon.Add(time.Hour), false); got.Action == importjob.ActionStop {
			t.Errorf("stopped again after changes %d and %d", i%len(changes), i/len(changes))
		}
	}
}

// The id that a lookup found counts for as long as status has the import, an attempt or an accepted stop.
func TestTheImportThatAnObjectMeans(t *testing.T) {
	t.Parallel()
	found := listed(record("c-d", importjob.RecordRunning, "shop"))
	forget := func(o *cdbv1.ImportJobStop) { o.Status.Import = nil }
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   string
	}{
		"by id":                          {after(), "a-b"},
		"not found":                      {after(byInstance), ""},
		"found":                          {after(byInstance, found), "c-d"},
		"found, and all of it forgotten": {after(byInstance, found, forget), ""},
		"an attempt":                     {after(byInstance, found, attempt, forget), "c-d"},
		"accepted, no attempt":           {after(byInstance, found, attempt, accept, forget, func(o *cdbv1.ImportJobStop) { o.Status.LastAttempt = nil }), "c-d"},
		"another filter":                 {after(byInstance, found, attempt, byDatabase), ""},
	} {
		if got := targetOf(test.object).AsyncRequestID; got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
