// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

func TestRequeueAfter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   time.Duration
	}{
		"new":                    {after(), 0},
		"in the queue":           {after(WaitForQuota(noon, noon, time.Hour)), 0},
		"in the queue, deadline": {after(aMinute, WaitForQuota(noon, noon, time.Hour)), time.Minute},
		"due now, deadline":      {after(aMinute, WaitForQuota(noon, noon, 0)), time.Minute},
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

// What is due at this very moment hides nothing that comes later.
func TestRequeueAfterWhatIsDueNow(t *testing.T) {
	t.Parallel()
	object := after(aMinute, attempt, stopAnswered(importjob.Transient))
	if got, want := RequeueAfter(object, noon.Add(time.Second/2)), time.Minute-time.Second/2; got != want {
		t.Errorf("the deadline is looked at after %s, want %s", got, want)
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

// Two long values that begin alike are two requests. What is kept of them is short.
func TestEachNewValueOfTheRetryAnnotationActs(t *testing.T) {
	t.Parallel()
	asked := func(value string) func(*cdbv1.ImportJobStop) {
		return func(o *cdbv1.ImportJobStop) {
			o.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: value}
		}
	}
	long := strings.Repeat("the network was down, ", 1000)
	object := after(attempt, stopAnswered(importjob.Terminal), asked(long+"first"), startOver(noon))
	if isRetryRequested(object) || len(object.Status.LastHandledRetryAt) > 100 {
		t.Errorf("the first is not handled: %q", object.Status.LastHandledRetryAt)
	}
	asked(long + "second")(object)
	if !isRetryRequested(object) {
		t.Error("the second is not handled")
	}
}

// A value as long as what is kept stays as it is; a longer one is truncated.
func TestTheMarkOfARetry(t *testing.T) {
	t.Parallel()
	for length, truncated := range map[int]bool{0: false, 1: false, maxRetryMark: false, maxRetryMark + 1: true} {
		object, value := request(), strings.Repeat("x", length)
		object.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: value}
		if got := RetryMark(object); (got != value) != truncated || truncated != strings.Contains(got, "…") {
			t.Errorf("%d bytes become %q", length, got)
		}
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
