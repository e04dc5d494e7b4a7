// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// The delays between calls.
const (
	// CredentialsRetry is the time after which refused credentials are tried again, because the operator does not see a CAM policy change.
	CredentialsRetry = 10 * time.Minute
	maxBackoff       = 5 * time.Minute
	minPoll, maxPoll = 2 * time.Second, 30 * time.Second
)

// RequeueAfter is the time until the next retry, deadline, expiry or stall; zero means none.
func RequeueAfter(object *cdbv1.ImportJobStop, now time.Time) time.Duration {
	times := []time.Time{expiry(object)}
	if !isSettled(object) {
		times = append(times, dueTime(object), deadline(object), stallTime(object))
	}
	var ahead []time.Duration
	for _, at := range times {
		if after := at.Sub(now); after > 0 {
			ahead = append(ahead, after)
		}
	}
	if len(ahead) == 0 {
		return 0
	}
	return slices.Min(ahead)
}

// dueTime is when the next call is due; zero means at once, as soon as the quota allows.
func dueTime(object *cdbv1.ImportJobStop) time.Time {
	ready := readyOf(&object.Status)
	delayed := false
	switch ready.Reason {
	case cdbv1.ReasonRetryScheduled, cdbv1.ReasonSuspended:
		delayed = ready.Status == metav1.ConditionUnknown
	case cdbv1.ReasonWaitingForStop:
		isEnding := accepted(object) || object.Status.ImportStatus == string(importjob.StatusPaused)
		delayed = ready.Status == metav1.ConditionUnknown && isEnding
	case cdbv1.ReasonCredentialsRejected:
		delayed = ready.Status == metav1.ConditionFalse
	}
	if !delayed || object.Status.NextAttemptTime == nil {
		return time.Time{}
	}
	return object.Status.NextAttemptTime.Time
}

// deadline is when an unfinished object is given up; zero means never.
func deadline(object *cdbv1.ImportJobStop) time.Time {
	seconds, start := object.Spec.ActiveDeadlineSeconds, object.Status.StartTime
	if seconds == nil || start == nil || object.Spec.Suspend {
		return time.Time{}
	}
	return start.Add(time.Duration(*seconds) * time.Second)
}

// stallTime is when an object that waits for a missing Secret is stalled; zero means never.
func stallTime(object *cdbv1.ImportJobStop) time.Time {
	ready, since := readyOf(&object.Status), object.Status.WaitingSince
	if ready.Reason != cdbv1.ReasonCredentialsNotFound || ready.Status != metav1.ConditionUnknown || since == nil {
		return time.Time{}
	}
	return since.Add(stallAfter)
}

// expiry is when a finished object is deleted; zero means never.
func expiry(object *cdbv1.ImportJobStop) time.Time {
	seconds, end := object.Spec.TTLSecondsAfterFinished, object.Status.CompletionTime
	if seconds == nil || end == nil || !isSettled(object) || managedBy(object) != "" {
		return time.Time{}
	}
	return end.Add(time.Duration(*seconds) * time.Second)
}

func isPast(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// backoff doubles from one second to five minutes, with full jitter; jitter is in [0, 1).
func backoff(attempt int32, jitter float64) time.Duration {
	bound := min(time.Second<<min(max(attempt-1, 0), 20), maxBackoff)
	return time.Duration(jitter * float64(bound))
}

// poll is how long the operator waits before it asks again how the import is. It grows with the time that the object has taken so far.
func poll(object *cdbv1.ImportJobStop, now time.Time) time.Duration {
	if object.Status.StartTime == nil {
		return minPoll
	}
	return min(max(now.Sub(object.Status.StartTime.Time)/2, minPoll), maxPoll)
}

// maxRetryMark is how much of the value of the retry annotation is kept in status, in bytes.
const maxRetryMark = 64

// RetryMark is the value of the retry annotation now; empty without one. A long value is cut, and its sum tells it from others that begin alike.
func RetryMark(object *cdbv1.ImportJobStop) string {
	value := object.Annotations[cdbv1.RetryRequestedAtAnnotation]
	if len(value) <= maxRetryMark {
		return value
	}
	return fmt.Sprintf("%s… (%.8x)", truncate(value, maxRetryMark), sha256.Sum256([]byte(value)))
}

// isRetryRequested: a person has asked for a retry since the last one was handled.
func isRetryRequested(object *cdbv1.ImportJobStop) bool {
	mark := RetryMark(object)
	return mark != "" && mark != object.Status.LastHandledRetryAt
}
