// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// byHand is an object with the status that the edit leaves.
func byHand(edit func(*cdbv1.ImportJobStopStatus), changes ...Change) *cdbv1.ImportJobStop {
	object := after(changes...)
	edit(&object.Status)
	return object
}

// The schema takes them, and every write of a status that has one would be refused for ever.
func TestATimeThatCannotBeWrittenIsRepaired(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{{}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)} {
		object := byHand(func(s *cdbv1.ImportJobStopStatus) {
			coarse, fine := &metav1.Time{Time: at}, &metav1.MicroTime{Time: at}
			s.StartTime, s.CompletionTime, s.WaitingSince, s.NextAttemptTime = coarse, coarse, coarse, fine
			s.LastAttempt = &cdbv1.Attempt{StartTime: *fine, EndTime: fine}
			s.Conditions = append(s.Conditions, metav1.Condition{Type: "Foreign", Status: "True", Reason: "Foreign", LastTransitionTime: *coarse})
		}, attempt)
		object.UID, object.CreationTimestamp = "1", metav1.Time{}
		if err := store(object.Status.DeepCopy(), true); err == nil {
			t.Errorf("%s: the API server takes it, so it needs no repair", at)
		}
		repair(noon)(object)
		if err := store(&object.Status, true); err != nil {
			t.Errorf("%s: %v", at, err)
		}
		if object.Status.LastAttempt.EndTime == nil {
			t.Errorf("%s: the attempt had an end", at)
		}
	}
}

// The schema takes these as well, and so does the API server.
func TestAFarYearThatCanBeWrittenStays(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)} {
		object := byHand(func(s *cdbv1.ImportJobStopStatus) { s.LastAttempt.EndTime = &metav1.MicroTime{Time: at} }, attempt)
		if err := store(object.Status.DeepCopy(), true); err != nil {
			t.Errorf("%s: %v", at, err)
		}
		if repair(noon)(object); !object.Status.LastAttempt.EndTime.Time.Equal(at) {
			t.Errorf("%s becomes %s", at, object.Status.LastAttempt.EndTime)
		}
	}
}

// A time in the future or from before the object existed would shorten or stretch a deadline. Clocks may differ by a minute.
func TestAStartThatCannotBeIsNow(t *testing.T) {
	t.Parallel()
	anHour := noon.Add(-time.Hour)
	for name, test := range map[string]struct {
		created, start, want time.Time
	}{
		"since it was created":               {anHour, anHour, anHour},
		"a minute before":                    {anHour, anHour.Add(-time.Minute), anHour.Add(-time.Minute)},
		"more than a minute before":          {anHour, anHour.Add(-61 * time.Second), noon},
		"now":                                {anHour, noon, noon},
		"in the future":                      {anHour, noon.Add(time.Second), noon},
		"our clock is behind the API server": {noon.Add(time.Hour), anHour, anHour},
	} {
		object := byHand(func(s *cdbv1.ImportJobStopStatus) { s.StartTime = &metav1.Time{Time: test.start} }, attempt)
		object.CreationTimestamp = metav1.Time{Time: test.created}
		if repair(noon)(object); !object.Status.StartTime.Time.Equal(test.want) {
			t.Errorf("%s: %s, want %s", name, object.Status.StartTime, test.want)
		}
	}
}

// No delay of ours is longer than ten minutes, so a due time that is farther off comes from a wrong clock.
func TestADueTimeThatIsTooFarOffIsDue(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]importjob.Action{CredentialsRetry: "", CredentialsRetry + time.Second: importjob.ActionStop} {
		object := byHand(func(s *cdbv1.ImportJobStopStatus) { s.NextAttemptTime = microTime(noon.Add(wait)) }, attempt, rejected)
		repair(noon)(object)
		if got := Next(object, noon, false).Action; got != want {
			t.Errorf("due in %s, next is %q, want %q", wait, got, want)
		}
	}
}

// Written, it would be a second that has passed, and nobody would look again.
func TestAPartOfASecondDoesNotPutOffADeadline(t *testing.T) {
	t.Parallel()
	object := byHand(func(s *cdbv1.ImportJobStopStatus) {
		s.Attempts, s.StartTime = -1, &metav1.Time{Time: noon.Add(-time.Millisecond)}
	}, attempt, aMinute)
	now := noon.Add(time.Minute - time.Millisecond)
	Next(object, now, false).Change(object)
	if got := ReadyReason(object); got != cdbv1.ReasonDeadlineExceeded {
		t.Errorf("Ready has the reason %s", got)
	}
}

// Nobody looks again after the write of an object that rests, so a repair and what follows it are one.
func TestARepairAndWhatFollowsAreOneWrite(t *testing.T) {
	t.Parallel()
	object := byHand(func(s *cdbv1.ImportJobStopStatus) { s.RequestID, s.Attempts = "r-1", -1 }, attempt)
	Next(object, noon, false).Change(object)
	if got := row(object); got != "True True False False StopAccepted" || object.Status.Attempts != 0 {
		t.Errorf("%s after %d attempts", got, object.Status.Attempts)
	}
}

func TestWhatContradictsTheRequestIDIsJudgedAnew(t *testing.T) {
	t.Parallel()
	ready := func(value metav1.ConditionStatus, reason string) Change {
		return func(o *cdbv1.ImportJobStop) { setCondition(o, cdbv1.ConditionReady, value, reason, "", noon) }
	}
	over := byHand(func(s *cdbv1.ImportJobStopStatus) { s.RequestID = "r-1" }, attempt, ready("True", cdbv1.ReasonAlreadyStopped))
	if isSettled(over) {
		t.Error("AlreadyStopped with a requestId counts as settled")
	}
	ending := byHand(func(s *cdbv1.ImportJobStopStatus) { s.NextAttemptTime = microTime(noon.Add(time.Minute)) },
		attempt, ready("Unknown", cdbv1.ReasonWaitingForStop))
	if got := Next(ending, noon, false).Action; got != importjob.ActionStop {
		t.Errorf("WaitingForStop without a requestId waits, next is %q", got)
	}
}

// The TTL counts from when the object finished, not from what the status said while it had not.
func TestACompletionTimeThatIsNoneDoesNotCount(t *testing.T) {
	t.Parallel()
	object := byHand(func(s *cdbv1.ImportJobStopStatus) {
		s.RequestID, s.CompletionTime = "r-1", secondTime(noon.Add(-time.Hour))
	}, attempt, func(o *cdbv1.ImportJobStop) {
		setCondition(o, cdbv1.ConditionReady, metav1.ConditionUnknown, cdbv1.ReasonStopAccepted, "", noon)
	})
	confirmAccepted(noon)(object)
	if got := object.Status.CompletionTime; !got.Time.Equal(noon) {
		t.Errorf("completed at %s, want %s", got, noon)
	}
}
