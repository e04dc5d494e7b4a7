// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"math"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// A TTL counts from the end, and a wait from its beginning, however often the object is looked at.
func TestTheTimesOfAnEndAndOfAWait(t *testing.T) {
	t.Parallel()
	later := noon.Add(time.Hour)
	terminal, onceMore := stopAnswered(importjob.Terminal), WaitForCredentials(later, "")
	for name, test := range map[string]struct {
		object         *cdbv1.ImportJobStop
		ended, waiting time.Time
	}{
		"calling":                   {object: after(attempt)},
		"ended":                     {object: after(attempt, accept), ended: noon},
		"ended, looked at later":    {object: after(attempt, accept, otherSecret, observe(later)), ended: noon},
		"failed, looked at later":   {object: after(attempt, terminal, observe(later)), ended: noon},
		"failed, otherwise later":   {object: after(attempt, terminal, InternalError(later)), ended: later},
		"ended, time lost":          {object: after(byHand(func(s *cdbv1.ImportJobStopStatus) { s.CompletionTime = nil }, attempt, accept).DeepCopyInto, confirmAccepted(later)), ended: later},
		"waiting":                   {object: after(missing), waiting: noon},
		"waiting still":             {object: after(missing, onceMore), waiting: noon},
		"in the queue, no Secret":   {object: after(inQueue, WaitForCredentials(later, "no Secret")), waiting: later},
		"rejected, is not finished": {object: after(attempt, rejected)},
	} {
		for what, times := range map[string]struct {
			got  *metav1.Time
			want time.Time
		}{
			"completionTime": {test.object.Status.CompletionTime, test.ended},
			"waitingSince":   {test.object.Status.WaitingSince, test.waiting},
		} {
			if times.got == nil != times.want.IsZero() || times.got != nil && !times.got.Time.Equal(times.want) {
				t.Errorf("%s: %s is %s, want %s", name, what, times.got, times.want)
			}
		}
	}
}

func TestTheCountOfAttemptsDoesNotOverflow(t *testing.T) {
	t.Parallel()
	object := byHand(func(s *cdbv1.ImportJobStopStatus) { s.Attempts = math.MaxInt32 }, attempt)
	if attempt(object); object.Status.Attempts != math.MaxInt32 {
		t.Errorf("%d attempts", object.Status.Attempts)
	}
}

// A panic is no reason to forget what was done, nor to describe a target that nobody has looked at.
func TestAnInternalErrorKeepsTheRecord(t *testing.T) {
	t.Parallel()
	object := after(InternalError(noon))
	if object.Status.Target == nil || *object.Status.Target != object.Spec.Target() {
		t.Errorf("a new object is about %v", object.Status.Target)
	}
	object = after(attempt, accept, elsewhere, InternalError(noon))
	if object.Status.RequestID != "r-1" || object.Status.Target.AsyncRequestID != "a-b" {
		t.Errorf("an accepted object has RequestId %q, and is about %v", object.Status.RequestID, object.Status.Target)
	}
}

func TestAResumedObjectStartsFresh(t *testing.T) {
	t.Parallel()
	status := after(anHourAgo, stopAnswered(importjob.Transient), hold, suspend(noon)).Status
	if status.StartTime != nil || !status.NextAttemptTime.Equal(microTime(noon)) {
		t.Errorf("it has startTime %s and nextAttemptTime %s: it is looked at once, now", status.StartTime, status.NextAttemptTime)
	}
}
