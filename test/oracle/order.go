// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// order: every version that the operator wrote fits together, and nothing final is taken back from one to the next. What somebody
// else wrote may fit together again only after two writes: one mends it, and the next says how the object is.
func (h *History) order(v *Findings, versions []Version) {
	var mended *cdbv1.ImportJobStopStatus // by the first of the two
	byHand := false                       // the version before
	var asked cdbv1.WaitFor               // by the spec that Ready was written for
	for i, o := range versions {
		if i > 0 && (versions[i-1].Status.ObservedGeneration == versions[i-1].Generation || readyWasWritten(versions[:i])) {
			asked = versions[i-1].Spec.WaitFor
		}
		if i > 0 && isRecord(versions[i-1]) && o.Spec.Target() != versions[i-1].Spec.Target() && !isPin(versions[i-1], o) {
			v.fault("%s: the target was changed after the acceptance %s", o.Name, versions[i-1].Status.RequestID)
		}
		misfits := misfitsOf(o)
		switch {
		case h.IsByHand(o):
			byHand = true
			continue
		case byHand && mended == nil && len(misfits) > 0:
			mended = &o.Status
			continue
		case mended != nil && equality.Semantic.DeepEqual(*mended, o.Status): // an edit of the spec
			continue
		}
		for _, misfit := range misfits {
			v.fault("%s: %s", o.Name, misfit)
		}
		if i > 0 {
			step(v, versions[i-1], o, asked, byHand)
		}
		mended, byHand = nil, false
	}
}

// readyWasWritten: Ready of the last version differs from that of the one before.
func readyWasWritten(versions []Version) bool {
	n := len(versions)
	ready := func(o Version) *metav1.Condition {
		return meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady)
	}
	return n > 1 && !equality.Semantic.DeepEqual(ready(versions[n-2]), ready(versions[n-1]))
}

// isRecord: the object says what was done, so that its target cannot change.
func isRecord(o Version) bool { return o.Status.RequestID != "" }

// misfitsOf are the parts of a status that do not agree with each other.
func misfitsOf(o Version) (misfits []string) {
	misfit := func(format string, args ...any) { misfits = append(misfits, fmt.Sprintf(format, args...)) }
	ready, reconciling, stalled := is(o, cdbv1.ConditionReady), is(o, cdbv1.ConditionReconciling), is(o, cdbv1.ConditionStalled)
	condition := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady)
	reason := ""
	if condition != nil {
		reason = condition.Reason
	}
	if o.Status.ObservedGeneration > o.Generation {
		misfit("it is about generation %d at %d", o.Status.ObservedGeneration, o.Generation)
	}
	if len(o.Status.Conditions) > 0 && (condition == nil || reconciling && stalled || reconciling == (ready || stalled)) {
		misfit("Reconciling %t, Stalled %t, Ready %t %s", reconciling, stalled, ready, reason)
	}
	return append(misfits, misfitsOfRecord(o, reason)...)
}

// misfitsOfRecord are the parts of a status that do not agree with the reason of Ready and with the RequestId.
func misfitsOfRecord(o Version, reason string) (misfits []string) {
	misfit := func(format string, args ...any) { misfits = append(misfits, fmt.Sprintf(format, args...)) }
	ready, stalled := is(o, cdbv1.ConditionReady), is(o, cdbv1.ConditionStalled)
	if accepted := is(o, cdbv1.ConditionAccepted); accepted != isRecord(o) {
		misfit("Accepted is True: %t, with the RequestId %q", accepted, o.Status.RequestID)
	}
	if claims := reason == cdbv1.ReasonStopAccepted || reason == cdbv1.ReasonImportStopped; ready && claims && !isRecord(o) {
		misfit("it is Ready with the reason %s, without a RequestId", reason)
	}
	waits := reason == cdbv1.ReasonWaitingForQuota || reason == cdbv1.ReasonCredentialsNotFound
	if reason != cdbv1.ReasonSuspended && waits != (o.Status.WaitingSince != nil) { // a preview may wait for its Secret
		misfit("waitingSince is %v with the reason %s", o.Status.WaitingSince, reason)
	}
	goesOn := reason == cdbv1.ReasonCredentialsNotFound || reason == cdbv1.ReasonCredentialsRejected
	if finished := ready || (stalled && !goesOn); finished != (o.Status.CompletionTime != nil) {
		misfit("completionTime is %v with the reason %s", o.Status.CompletionTime, reason)
	}
	return misfits
}

// step: nothing final is taken back, unless somebody else wrote what was there, or the spec asks for more than it did.
func step(v *Findings, was, o Version, asked cdbv1.WaitFor, byHand bool) {
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
	asksForMore := o.Spec.WaitFor == cdbv1.WaitForStopped && asked != cdbv1.WaitForStopped
	if is(was, cdbv1.ConditionReady) && !is(o, cdbv1.ConditionReady) && !asksForMore && !byHand {
		v.fault("%s went back from Ready", o.Name)
	}
}

func is(o Version, kind string) bool { return meta.IsStatusConditionTrue(o.Status.Conditions, kind) }
