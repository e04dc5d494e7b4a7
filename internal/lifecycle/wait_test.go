// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

var (
	missing  = WaitForCredentials(noon, "no Secret")
	rejected = stopAnswered(importjob.Rejected)
	inQueue  = WaitForQuota(noon, noon, time.Hour)
)

// seen makes the status describe the newest generation, whatever it says.
func seen(o *cdbv1.ImportJobStop) { o.Status.ObservedGeneration = o.Generation }

func TestSecretWaitOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   SecretWait
		waits  bool // for the Secret, or for its turn
	}{
		"new":                         {after(), SecretWait{}, false},
		"no Secret":                   {after(missing), SecretWait{Missing: true}, true},
		"no Secret, retry requested":  {after(missing, tryAgain), SecretWait{Missing: true, RetryRequested: true}, true},
		"rejected":                    {after(attempt, rejected), SecretWait{Rejected: true}, true},
		"rejected, retry requested":   {after(attempt, rejected, tryAgain), SecretWait{Rejected: true, RetryRequested: true}, true},
		"no Secret, suspended":        {after(missing, hold, seen), SecretWait{}, false},
		"preview, no Secret":          {after(hold, suspendNoon, missing), SecretWait{Missing: true}, true},
		"preview, rejected":           {after(byInstance, hold, suspendNoon, notListed(importjob.Rejected)), SecretWait{Rejected: true}, true},
		"preview, its turn":           {after(hold, suspendNoon, missing, inQueue), SecretWait{}, false},
		"preview, resumed":            {after(hold, suspendNoon, missing, resumed), SecretWait{}, false},
		"preview, accepted":           {after(untilEnded, attempt, accept, hold, suspendNoon, func(o *cdbv1.ImportJobStop) { o.Status.WaitingSince = secondTime(noon) }), SecretWait{}, false},
		"no Secret, another import":   {after(missing, elsewhere, seen), SecretWait{}, false},
		"no Secret, another named":    {after(missing, otherSecret), SecretWait{}, false},
		"no Secret, spec changed":     {after(missing, otherSecret, seen), SecretWait{Missing: true}, true},
		"in the queue":                {after(inQueue), SecretWait{}, true},
		"calling":                     {after(attempt), SecretWait{}, false},
		"retry of a refused one":      {after(attempt, stopAnswered(importjob.Terminal), tryAgain), SecretWait{}, false},
		"ending, no Secret":           {after(untilEnded, attempt, accept, missing), SecretWait{Missing: true}, true},
		"ending, may not be asked of": {after(untilEnded, attempt, accept, noAnswer(importjob.Rejected)), SecretWait{Rejected: true}, true},
	} {
		if got := SecretWaitOf(test.object); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
		if got := Waits(test.object); got != test.waits {
			t.Errorf("%s: waits %t, want %t", name, got, test.waits)
		}
	}
}

// A short wait is not worth a write, unless status would mislead without it.
func TestWaitForQuotaWritesALongWait(t *testing.T) {
	t.Parallel()
	transient := stopAnswered(importjob.Transient)
	for name, test := range map[string]struct {
		object       *cdbv1.ImportJobStop
		waited, turn time.Duration
		want         bool // it is written
	}{
		"expected to last 5 s":              {after(), 0, 5 * time.Second, false},
		"expected to last longer":           {after(), 0, 5*time.Second + 1, true},
		"expected to last longer in all":    {after(), 4 * time.Second, time.Second + 1, true},
		"has not lasted 5 s":                {after(), 5*time.Second - 1, 0, false},
		"has lasted 5 s":                    {after(), 5 * time.Second, 0, true},
		"short, after a failure":            {after(attempt, transient), 0, time.Second, false},
		"short, of another import":          {after(attempt, transient, elsewhere, seen), 0, time.Second, true},
		"short, of an edited spec":          {after(attempt, transient, otherSecret), 0, time.Second, true},
		"short, with a deadline":            {after(aMinute), 0, time.Second, true},
		"short, now with a Secret":          {after(missing), 0, time.Second, true},
		"short, now with other credentials": {after(attempt, rejected), 0, time.Second, true},
		"long, and written":                 {after(inQueue), time.Minute, time.Hour, false},
		"long, written of an older spec":    {after(inQueue, otherSecret), time.Minute, time.Hour, true},
		"long, written of another import":   {after(inQueue, elsewhere, seen), time.Minute, time.Hour, true},
		"ending":                            {after(untilEnded, attempt, accept), time.Minute, time.Hour, false},
		"accepted, now another import":      {after(attempt, accept, elsewhere), time.Minute, time.Hour, true},
	} {
		before := test.object.DeepCopy()
		WaitForQuota(noon, noon.Add(-test.waited), test.turn)(test.object)
		if got := !equality.Semantic.DeepEqual(before.Status, test.object.Status); got != test.want {
			t.Errorf("%s: written %t, want %t", name, got, test.want)
		}
		if test.want && ReadyReason(test.object) != cdbv1.ReasonWaitingForQuota {
			t.Errorf("%s: Ready has the reason %s", name, ReadyReason(test.object))
		}
	}
}

func TestWaitForQuotaSaysSinceWhenAndUntilWhen(t *testing.T) {
	t.Parallel()
	status := after(WaitForQuota(noon, noon.Add(-time.Minute), time.Hour)).Status
	if got := status.WaitingSince; got == nil || !got.Time.Equal(noon.Add(-time.Minute)) {
		t.Errorf("in the queue since %s", got)
	}
	if got := status.NextAttemptTime; got == nil || !got.Time.Equal(noon.Add(time.Hour)) {
		t.Errorf("the turn is expected at %s", got)
	}
}

func TestFollowRefusalPostponesTheNextTry(t *testing.T) {
	t.Parallel()
	object := after(attempt, rejected, FollowRefusal(noon, noon.Add(time.Minute)))
	if got := RequeueAfter(object, noon); got != time.Minute {
		t.Errorf("it is tried again after %s", got)
	}
}

// Two minutes count from the first time that the Secret was missing.
func TestAMissingSecretStallsAfterTwoMinutes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		waited time.Duration
		want   string
	}{
		"less":                           {after(missing), stallAfter - 1, "Unknown - True False CredentialsNotFound"},
		"two minutes":                    {after(missing), stallAfter, "False - False True CredentialsNotFound"},
		"two minutes in the queue":       {after(inQueue), stallAfter, "Unknown - True False CredentialsNotFound"},
		"without a time, as in a backup": {byHand(func(s *cdbv1.ImportJobStopStatus) { s.WaitingSince = nil }, missing), stallAfter, "Unknown - True False CredentialsNotFound"},
	} {
		WaitForCredentials(noon.Add(test.waited), "no Secret")(test.object)
		if got := row(test.object); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// A write that only tells that the object waits can come later; one that observes another spec cannot.
func TestTellAt(t *testing.T) {
	t.Parallel()
	atOnce, edited := time.Time{}, after(inQueue, otherSecret)
	for name, test := range map[string]struct {
		object       *cdbv1.ImportJobStop
		waited, turn time.Duration
		want         time.Time
	}{
		"new, a short wait":                {after(), time.Second, time.Second, noon.Add(4 * time.Second)},
		"new, a long wait is expected":     {after(), time.Second, time.Minute, noon},
		"new, has waited long":             {after(), time.Minute, 0, noon},
		"with a deadline, before others":   {after(aMinute), time.Second, time.Second, noon.Add(-6 * time.Second)},
		"after a failure":                  {after(attempt, stopAnswered(importjob.Transient)), time.Second, time.Second, noon.Add(4 * time.Second)},
		"has its Secret now":               {after(missing), 0, time.Second, noon},
		"of another spec":                  {edited, time.Second, time.Second, atOnce},
		"of another import":                {after(inQueue, elsewhere, seen), time.Second, time.Second, atOnce},
		"accepted, to ask for the end":     {after(untilEnded, attempt, accept), time.Minute, time.Hour, atOnce},
		"told, and the turn is overdue":    {after(WaitForQuota(noon, noon, 8*time.Second)), 0, 0, noon.Add(13 * time.Second)},
		"told, and a long turn is late":    {after(inQueue), 0, 0, noon.Add(time.Hour + time.Hour/8)},
		"told, without an estimate":        {byHand(func(s *cdbv1.ImportJobStopStatus) { s.NextAttemptTime = nil }, inQueue), 0, 0, atOnce},
		"told, edited when it was overdue": {after(WaitForQuota(noon.Add(-time.Hour), noon.Add(-time.Hour), time.Minute), otherSecret), time.Hour, 0, atOnce},
	} {
		if got := TellAt(test.object, noon, noon.Add(-test.waited), test.turn); !got.Equal(test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestTellOfSecretAt(t *testing.T) {
	t.Parallel()
	atOnce := time.Time{}
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   time.Time
	}{
		"new":                          {after(), noon},
		"with a deadline":              {after(aMinute), noon.Add(-worthTelling)},
		"after a failure":              {after(attempt, stopAnswered(importjob.Transient)), noon},
		"its Secret was missing":       {after(missing), atOnce},
		"it was in a queue":            {after(inQueue), atOnce},
		"of another spec":              {after(inQueue, otherSecret), atOnce},
		"of another import":            {after(attempt, stopAnswered(importjob.Transient), elsewhere), atOnce},
		"accepted, to ask for the end": {after(untilEnded, attempt, accept), noon},
	} {
		if got := TellOfSecretAt(test.object, noon); !got.Equal(test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// A turn that is overdue gets another estimate, so that the status is never about the past for long.
func TestAnOverdueTurnGetsAnotherEstimate(t *testing.T) {
	t.Parallel()
	object := after(WaitForQuota(noon, noon, 8*time.Second))
	for _, test := range []struct{ waited, want time.Duration }{
		{13*time.Second - 1, 8 * time.Second}, {13 * time.Second, 73 * time.Second}, {14 * time.Second, 73 * time.Second},
	} {
		WaitForQuota(noon.Add(test.waited), noon, time.Minute)(object)
		if got := object.Status.NextAttemptTime.Sub(noon); got != test.want {
			t.Errorf("after %s the turn is expected after %s, want %s", test.waited, got, test.want)
		}
		if got := object.Status.WaitingSince; !got.Time.Equal(noon) {
			t.Errorf("it waits since %s", got)
		}
	}
}
