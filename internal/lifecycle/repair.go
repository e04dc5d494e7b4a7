// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// clockSkew is how much earlier than the creation of its object a time may be before it counts as wrong: two clocks are never equal.
const clockSkew = time.Minute

// needsRepair: the status has something that the operator would not write.
func needsRepair(object *cdbv1.ImportJobStop, now time.Time) bool {
	repaired := object.DeepCopy()
	repair(now)(repaired)
	return !equality.Semantic.DeepEqual(&object.Status, &repaired.Status)
}

// repair corrects a status that comes from a restore, a person or a wrong clock.
func repair(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		status := &object.Status
		status.Attempts = max(status.Attempts, 0)
		status.Conditions = firstOfEachType(status.Conditions)
		if status.Target == nil && (status.RequestID != "" || status.LastAttempt != nil) {
			target := object.Spec.Target() // a record without a target counts for this one: a second stop cannot be undone
			status.Target = &target
		}
		repairAccepted(object, now)
		repairTimes(object, now)
		repairUnwritable(status, now)
	}
}

// repairTimes sets a time that lies in the future, or before the object existed, to now, so that a deadline and a TTL run in full.
func repairTimes(object *cdbv1.ImportJobStop, now time.Time) {
	status := &object.Status
	earliest := object.CreationTimestamp.Add(-clockSkew)
	if earliest.After(now) {
		earliest = time.Time{} // our clock is the one that is behind
	}
	for _, t := range []**metav1.Time{&status.StartTime, &status.CompletionTime, &status.WaitingSince} {
		if *t != nil && ((*t).After(now) || (*t).Time.Before(earliest) || isUnwritable((*t).Time)) {
			*t = secondTime(now)
		}
		if *t != nil {
			*t = secondTime((*t).Time) // as JSON keeps it: what is due must not depend on whether it was written before
		}
	}
	if dueTime(object).After(now.Add(CredentialsRetry)) {
		status.NextAttemptTime = nil // farther off than any delay of ours
	}
}

// repairUnwritable replaces the other times that the schema allows but nobody can write.
func repairUnwritable(status *cdbv1.ImportJobStopStatus, now time.Time) {
	if next := status.NextAttemptTime; next != nil && isUnwritable(next.Time) {
		status.NextAttemptTime = nil
	}
	if last := status.LastAttempt; last != nil {
		if isUnwritable(last.StartTime.Time) {
			last.StartTime = *microTime(now)
		}
		if last.EndTime != nil && isUnwritable(last.EndTime.Time) {
			last.EndTime = microTime(now)
		}
	}
	for i := range status.Candidates {
		repairRecord(&status.Candidates[i], now)
	}
	repairRecord(status.Import, now)
	for i := range status.Conditions {
		if c := &status.Conditions[i]; isUnwritable(c.LastTransitionTime.Time) {
			c.LastTransitionTime = *secondTime(now)
		}
	}
}

func repairRecord(record *cdbv1.ImportRecord, now time.Time) {
	if record != nil && record.ObservedTime != nil && isUnwritable(record.ObservedTime.Time) {
		record.ObservedTime = secondTime(now)
	}
}

// isUnwritable: the schema allows this time, but JSON would have it as null or with a year that the API server refuses, and with it the
// whole status.
func isUnwritable(t time.Time) bool {
	return t.IsZero() || t.UTC().Year() < 0 || t.UTC().Year() > 9999
}

// repairAccepted makes Accepted agree with status.requestId.
func repairAccepted(object *cdbv1.ImportJobStop, now time.Time) {
	isTrue := conditionOf(&object.Status, cdbv1.ConditionAccepted).Status == metav1.ConditionTrue
	switch {
	case accepted(object) && !isTrue && !targetChanged(object):
		setCondition(object, cdbv1.ConditionAccepted, metav1.ConditionTrue, cdbv1.ReasonStopAccepted, acceptedMessage(object), now)
	case !accepted(object) && isTrue:
		meta.RemoveStatusCondition(&object.Status.Conditions, cdbv1.ConditionAccepted)
	}
}

// firstOfEachType drops repeated conditions.
func firstOfEachType(conditions []metav1.Condition) []metav1.Condition {
	seen := map[string]bool{}
	var first []metav1.Condition
	for _, c := range conditions {
		if !seen[c.Type] {
			seen[c.Type] = true
			first = append(first, c)
		}
	}
	return first
}
