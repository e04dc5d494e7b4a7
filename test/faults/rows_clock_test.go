// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const hour, short = 3600, 5 // seconds

// stamped is an object whose status has times of a clock that was ahead.
type stamped struct {
	name, secret  string
	deadline, ttl int32
	reason        string
	edit          func(*cdbv1.ImportJobStop)
}

// clockAhead starts the operator on statuses of one whose clock was a day ahead: nothing is delayed, given up or deleted early.
func clockAhead(f *fixture) {
	ahead := time.Now().Add(24 * time.Hour)
	for _, c := range stampedAt(ahead) {
		f.StopImport(c.name, c.spec)
		f.writeStatus(c.name, func(o *cdbv1.ImportJobStop) {
			target := o.Spec.Target()
			o.Status = cdbv1.ImportJobStopStatus{ObservedGeneration: 1, Target: &target, StartTime: &metav1.Time{Time: ahead}, Conditions: triad(c.reason, ahead)}
			c.edit(o)
		})
	}
	f.SetImport("still-ends", cdbsim.Import{Status: "KILLED"})
	started := time.Now()
	f.Start()
	for _, name := range []string{"retries", "queues", "was-rejected"} {
		f.UntilReason(name, cdbv1.ReasonStopAccepted)
	}
	f.UntilReason("still-ends", cdbv1.ReasonImportStopped)
	f.Until("waits", "waiting since a time that was", func(o *cdbv1.ImportJobStop) bool {
		return o.Status.WaitingSince != nil && !o.Status.WaitingSince.After(time.Now())
	})
	f.Account("late")
	f.UntilReason("waits", cdbv1.ReasonStopAccepted)
	if tooLong := time.Since(started); tooLong > time.Minute {
		f.Errorf("it took %s", tooLong)
	}
	f.UntilReason("gives-up", cdbv1.ReasonDeadlineExceeded)
	f.settle(0, func(o *cdbv1.ImportJobStop) bool { return o.Spec.TTLSecondsAfterFinished == nil })
	earliest := started.Add((short - 1) * time.Second) // the times in status are whole seconds
	for _, versions := range f.audit.all() {
		last := versions[len(versions)-1]
		given := harness.HasReason(last.ImportJobStop, cdbv1.ReasonDeadlineExceeded)
		if (last.Deleted || given) && last.Seen.Before(earliest) {
			f.Errorf("%s ended after %s", last.Name, last.Seen.Sub(started))
		}
	}
}

func (c stamped) spec(o *cdbv1.ImportJobStop) {
	o.Spec.CredentialsSecretRef.Name = c.secret
	if c.deadline > 0 {
		o.Spec.ActiveDeadlineSeconds = &c.deadline
	}
	if c.ttl > 0 {
		o.Spec.TTLSecondsAfterFinished = &c.ttl
	}
	if c.reason == cdbv1.ReasonWaitingForStop {
		o.Spec.WaitFor = cdbv1.WaitForStopped
	}
}

func stampedAt(ahead time.Time) []stamped {
	later, since := &metav1.MicroTime{Time: ahead.Add(time.Minute)}, &metav1.Time{Time: ahead}
	attempt := &cdbv1.Attempt{StartTime: metav1.NewMicroTime(ahead), EndTime: &metav1.MicroTime{Time: ahead}}
	accepted := func(o *cdbv1.ImportJobStop, completed *metav1.Time) {
		o.Status.RequestID, o.Status.LastAttempt, o.Status.Attempts, o.Status.CompletionTime = handwritten, attempt, 1, completed
		o.Status.Conditions = append(o.Status.Conditions, metav1.Condition{
			Type: cdbv1.ConditionAccepted, Status: metav1.ConditionTrue, Reason: cdbv1.ReasonStopAccepted, LastTransitionTime: *since,
		})
	}
	waits := func(o *cdbv1.ImportJobStop) { o.Status.WaitingSince = since }
	return []stamped{
		{"retries", "creds", hour, 0, cdbv1.ReasonRetryScheduled, func(o *cdbv1.ImportJobStop) {
			o.Status.NextAttemptTime, o.Status.LastAttempt, o.Status.Attempts = later, attempt, 1
		}},
		{"queues", "creds", hour, 0, cdbv1.ReasonWaitingForQuota, func(o *cdbv1.ImportJobStop) {
			o.Status.NextAttemptTime, o.Status.WaitingSince = later, since
		}},
		{"was-rejected", "creds", hour, 0, cdbv1.ReasonCredentialsRejected, func(o *cdbv1.ImportJobStop) {
			o.Status.NextAttemptTime, o.Status.LastAttempt = later, attempt
		}},
		{"waits", "late", hour, 0, cdbv1.ReasonCredentialsNotFound, waits},
		{"gives-up", "never", short, 0, cdbv1.ReasonCredentialsNotFound, waits},
		{"still-ends", "creds", hour, 0, cdbv1.ReasonWaitingForStop, func(o *cdbv1.ImportJobStop) {
			accepted(o, nil)
			o.Status.NextAttemptTime = later
		}},
		{"ended", "creds", 0, short, cdbv1.ReasonStopAccepted, func(o *cdbv1.ImportJobStop) { accepted(o, since) }},
		{"ended-yesterday", "creds", 0, short, cdbv1.ReasonStopAccepted, func(o *cdbv1.ImportJobStop) { // before it existed, as after a restore
			accepted(o, &metav1.Time{Time: time.Now().Add(-24 * time.Hour)})
		}},
	}
}

// triad is what the operator writes together.
func triad(reason string, at time.Time) []metav1.Condition {
	ready, reconciling, stalled := metav1.ConditionUnknown, metav1.ConditionTrue, metav1.ConditionFalse
	switch reason {
	case cdbv1.ReasonStopAccepted:
		ready, reconciling = metav1.ConditionTrue, metav1.ConditionFalse
	case cdbv1.ReasonCredentialsRejected:
		ready, reconciling, stalled = metav1.ConditionFalse, metav1.ConditionFalse, metav1.ConditionTrue
	}
	condition := func(kind string, status metav1.ConditionStatus) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: reason, ObservedGeneration: 1, LastTransitionTime: metav1.NewTime(at)}
	}
	return []metav1.Condition{
		condition(cdbv1.ConditionReady, ready), condition(cdbv1.ConditionReconciling, reconciling), condition(cdbv1.ConditionStalled, stalled),
	}
}
