// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

var (
	reasonPattern = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$`)
	ourTypes      = []string{cdbv1.ConditionReady, cdbv1.ConditionAccepted, cdbv1.ConditionReconciling, cdbv1.ConditionStalled}
)

// checkWritten holds a status that the operator wrote against the contract.
func (w *fixture) checkWritten(kind string, before *cdbv1.ImportJobStopStatus, generation int64) {
	status := &w.object.Status
	restarted := before.Target != nil && status.Target != nil && *before.Target != *status.Target
	w.must(before.RequestID == "" || before.RequestID == status.RequestID || restarted, "%s: requestId is lost", kind)
	w.must(status.Attempts >= 0, "%s: %d attempts", kind, status.Attempts)
	w.checkConditions(kind, before, restarted)
	w.track(kind, before)
	if kind != "repair" {
		w.checkContract(kind, generation)
	}
}

// checkConditions holds each condition against the schema and against what it was before.
func (w *fixture) checkConditions(kind string, before *cdbv1.ImportJobStopStatus, restarted bool) {
	counts, anew := map[string]int{}, restarted || before.Target == nil
	for _, c := range w.object.Status.Conditions {
		counts[c.Type]++
		w.must(reasonPattern.MatchString(c.Reason), "%s: the reason %q of %s", kind, c.Reason, c.Type)
		w.must(utf8.RuneCountInString(c.Message) <= 32768 && utf8.ValidString(c.Message) || !slices.Contains(ourTypes, c.Type), "%s: a message of %d bytes", kind, len(c.Message))
		was := conditionOf(before, c.Type)
		w.must(was.Status != c.Status || c.LastTransitionTime.Unix() == was.LastTransitionTime.Unix() || anew || isUnwritable(was.LastTransitionTime.Time),
			"%s: lastTransitionTime of %s moved, its status did not", kind, c.Type)
	}
	for _, c := range before.Conditions {
		foreign := !slices.Contains(ourTypes, c.Type)
		w.must(!foreign || anew || counts[c.Type] == 1, "%s: the condition %s of someone else is lost", kind, c.Type)
	}
	for name, n := range counts {
		w.must(n == 1, "%s: %d conditions %s", kind, n, name)
	}
}

// isFinished: Ready says that it is over.
func isFinished(ready metav1.Condition) bool {
	p := phaseOf(ready.Reason)
	return ready.Status == metav1.ConditionTrue && p == succeeded || ready.Status == metav1.ConditionFalse && p == failed
}

// track follows by the true clock what deadlines and TTLs count from.
func (w *fixture) track(kind string, before *cdbv1.ImportJobStopStatus) {
	status := &w.object.Status
	ready, was := readyOf(status), readyOf(before)
	if status.StartTime == nil || before.StartTime == nil || kind != "repair" && status.StartTime.Unix() != before.StartTime.Unix() {
		w.started = w.clock
	}
	isFinished := func(c metav1.Condition) bool {
		return c.Status != metav1.ConditionUnknown && phaseOf(c.Reason) != stalled
	}
	if isFinished(ready) && (!isFinished(was) || was.Reason != ready.Reason || was.Status != ready.Status) {
		w.finished = w.clock
	}
	if ready.Reason == cdbv1.ReasonDeadlineExceeded && was.Reason != ready.Reason && w.skew == 0 && !w.behind {
		deadline := time.Duration(*w.object.Spec.ActiveDeadlineSeconds) * time.Second
		w.must(!w.clock.Before(w.started.Add(deadline-time.Second)), "given up %s after its start, the deadline is %s", w.clock.Sub(w.started), deadline)
	}
}

// checkContract: the conditions fit together.
func (w *fixture) checkContract(kind string, generation int64) {
	status := &w.object.Status
	ready := readyOf(status)
	triad := ready.Status + " " + conditionOf(status, cdbv1.ConditionReconciling).Status + " " + conditionOf(status, cdbv1.ConditionStalled).Status
	allowed := map[phase]metav1.ConditionStatus{
		progressing: "Unknown True False", succeeded: "True False False", failed: "False False True", stalled: "False False True",
	}
	late := ready.Reason == cdbv1.ReasonCredentialsNotFound && triad == allowed[stalled]
	w.must(triad == allowed[phaseOf(ready.Reason)] || late, "%s: Ready, Reconciling, Stalled are %s with the reason %s", kind, triad, ready.Reason)
	w.must(slices.Contains(cdbv1.ReadyReasons(), ready.Reason), "%s: the reason %s of Ready is not ours", kind, ready.Reason)
	w.must(status.ObservedGeneration == generation, "%s: status is about generation %d, want %d", kind, status.ObservedGeneration, generation)
	for _, c := range status.Conditions {
		w.must(c.ObservedGeneration == generation || !slices.Contains(ourTypes, c.Type), "%s: %s is about generation %d, want %d", kind, c.Type, c.ObservedGeneration, generation)
	}
	w.checkTimes(kind, ready, ready.Status != metav1.ConditionUnknown && ready.Reason != cdbv1.ReasonCredentialsRejected && !late)
	w.checkAccepted(kind, ready.Reason)
}

// checkTimes: each time is there exactly when it means something.
func (w *fixture) checkTimes(kind string, ready metav1.Condition, finished bool) {
	status := &w.object.Status
	w.must((status.CompletionTime != nil) == finished, "%s: completionTime is %v with Ready %s %s", kind, status.CompletionTime, ready.Status, ready.Reason)
	waits := ready.Reason == cdbv1.ReasonWaitingForQuota || ready.Reason == cdbv1.ReasonCredentialsNotFound
	w.must((status.WaitingSince != nil) == waits || ready.Reason == cdbv1.ReasonSuspended, "%s: waitingSince is %v with the reason %s", kind, status.WaitingSince, ready.Reason)
	w.must(ready.Reason != cdbv1.ReasonSuspended || status.StartTime == nil, "%s: suspended, it keeps a start", kind)
	w.must(!finished || status.NextAttemptTime == nil, "%s: finished, it has a next attempt", kind)
}

// checkAccepted: Accepted agrees with requestId, with the reason of Ready, and with what is known of the last attempt.
func (w *fixture) checkAccepted(kind, reason string) {
	object, status := w.object, &w.object.Status
	accept := conditionOf(status, cdbv1.ConditionAccepted)
	w.must((accept.Status == metav1.ConditionTrue) == accepted(object), "%s: Accepted is %q, requestId %q", kind, accept.Status, status.RequestID)
	switch reason {
	case cdbv1.ReasonStopAccepted, cdbv1.ReasonWaitingForStop, cdbv1.ReasonImportStopped:
		byOthers := reason == cdbv1.ReasonWaitingForStop && status.ImportStatus == string(importjob.StatusPaused)
		w.must(accepted(object) || byOthers, "%s: %s without a requestId", kind, reason)
	case cdbv1.ReasonAlreadyStopped:
		w.must(accept.Status != metav1.ConditionTrue, "%s: AlreadyStopped with Accepted %q", kind, accept.Status)
	case cdbv1.ReasonStopping, cdbv1.ReasonImportAlreadyFinished, cdbv1.ReasonInternalError:
	default:
		last := status.LastAttempt
		lost := last != nil && last.EndTime == nil && !accepted(object)
		w.must(!lost || accept.Status == metav1.ConditionUnknown, "%s: Accepted is %q with the reason %s while an outcome is unknown", kind, accept.Status, reason)
	}
}

// checkRest: nothing is left to do now, so the object has ended, or waits for something, and says so.
func (w *fixture) checkRest() {
	if w.removed {
		return
	}
	object := w.object
	inQueue := !w.recalled.since.IsZero()
	if waited := w.now().Sub(w.recalled.since); inQueue && waited >= worthTelling {
		final := accepted(object) || object.Spec.Suspend || ReadyReason(object) == cdbv1.ReasonWaitingForQuota
		w.must(final && !targetChanged(object), "in the queue for %s, Ready has the reason %q", waited, ReadyReason(object))
	}
	if !inQueue {
		w.must(object.Status.Target != nil && *object.Status.Target == targetOf(object), "at rest, status is about another target")
		w.checkContract("at rest", object.Generation)
	}
	w.must(isSettled(object) || w.recalled.timer > 0 || w.recalled.waits || inQueue || object.Spec.Suspend,
		"at rest without an end or a wait: %s", short{&object.Status})
}
