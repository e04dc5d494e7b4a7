// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"k8s.io/apimachinery/pkg/api/meta"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// order: every version that the operator wrote fits together, and nothing final is taken back from one to the next.
func (h *history) order(v *verdict, versions []version) {
	for i, o := range versions {
		if i > 0 && isRecord(versions[i-1]) && o.Spec.Target() != versions[i-1].Spec.Target() {
			v.fault("%s: the target was changed after the acceptance %s", o.Name, versions[i-1].Status.RequestID)
		}
		if h.isByHand(o) {
			continue
		}
		fits(v, o)
		if i > 0 {
			h.step(v, versions[i-1], o)
		}
	}
}

// isRecord: the object says what was done, so that its target cannot change.
func isRecord(o version) bool { return o.Status.RequestID != "" }

// fits: the parts of a status agree with each other.
func fits(v *verdict, o version) {
	ready, reconciling, stalled := is(o, cdbv1.ConditionReady), is(o, cdbv1.ConditionReconciling), is(o, cdbv1.ConditionStalled)
	condition := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady)
	reason := ""
	if condition != nil {
		reason = condition.Reason
	}
	if o.Status.ObservedGeneration > o.Generation {
		v.fault("%s speaks of generation %d at %d", o.Name, o.Status.ObservedGeneration, o.Generation)
	}
	if len(o.Status.Conditions) > 0 && (condition == nil || reconciling && stalled || reconciling == (ready || stalled)) {
		v.fault("%s: Reconciling %t, Stalled %t, Ready %t %s", o.Name, reconciling, stalled, ready, reason)
	}
	if accepted := is(o, cdbv1.ConditionAccepted); accepted != isRecord(o) {
		v.fault("%s: Accepted is True: %t, with the RequestId %q", o.Name, accepted, o.Status.RequestID)
	}
	waits := reason == cdbv1.ReasonWaitingForQuota || reason == cdbv1.ReasonCredentialsNotFound
	if waits != (o.Status.WaitingSince != nil) {
		v.fault("%s: waitingSince is %v with the reason %s", o.Name, o.Status.WaitingSince, reason)
	}
	goesOn := reason == cdbv1.ReasonCredentialsNotFound || reason == cdbv1.ReasonCredentialsRejected
	if finished := ready || (stalled && !goesOn); finished != (o.Status.CompletionTime != nil) {
		v.fault("%s: completionTime is %v with the reason %s", o.Name, o.Status.CompletionTime, reason)
	}
}

// step: nothing final is taken back.
func (h *history) step(v *verdict, was, o version) {
	if was.Status.Target == nil {
		return
	}
	if o.Status.Target == nil {
		v.fault("%s lost its status", o.Name)
		return
	}
	if *was.Status.Target != *o.Status.Target {
		return
	}
	if was.Status.RequestID != "" && o.Status.RequestID != was.Status.RequestID {
		v.fault("%s: the accepted RequestId went from %s to %q", o.Name, was.Status.RequestID, o.Status.RequestID)
	}
	if is(was, cdbv1.ConditionReady) && !is(o, cdbv1.ConditionReady) && o.Spec.WaitFor == was.Spec.WaitFor && !h.isByHand(was) {
		v.fault("%s went back from Ready", o.Name)
	}
}

func is(o version, kind string) bool { return meta.IsStatusConditionTrue(o.Status.Conditions, kind) }
