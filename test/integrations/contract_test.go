// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// Every reason of Ready that there is has its phase here.
func TestEveryReasonHasAPhase(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range phases {
		seen[p.reason] = true
	}
	for _, reason := range reasons(t) {
		if !seen[reason] {
			t.Errorf("no phase has the reason %s", reason)
		}
	}
}

// triad is Ready, Reconciling and Stalled as the status contract has them.
func (p phase) triad() map[string]string {
	want := map[string]string{
		cdbv1.ConditionReady: string(p.ready()), cdbv1.ConditionReconciling: "False", cdbv1.ConditionStalled: "False",
	}
	switch p.ready() {
	case metav1.ConditionUnknown:
		want[cdbv1.ConditionReconciling] = "True"
	case metav1.ConditionFalse:
		want[cdbv1.ConditionStalled] = "True"
	}
	return want
}

// The conditions of each phase are those of the status contract: always three of them together, each with the generation that it is about.
func TestTheConditionsOfEachPhase(t *testing.T) {
	t.Parallel()
	for _, p := range phases {
		o := &cdbv1.ImportJobStop{}
		harness.Must(t, runtime.DefaultUnstructuredConverter.FromUnstructured(recorded[p.name].Object, o))
		if p.reason == "" {
			if len(o.Status.Conditions) > 0 || o.Status.ObservedGeneration != -1 {
				t.Errorf("%s: the status is %+v", p.name, o.Status)
			}
			continue
		}
		got, accepted := map[string]string{}, ""
		for _, c := range o.Status.Conditions {
			if c.ObservedGeneration != o.Status.ObservedGeneration {
				t.Errorf("%s: %s is about generation %d, the status about %d", p.name, c.Type, c.ObservedGeneration, o.Status.ObservedGeneration)
			}
			if c.Type == cdbv1.ConditionAccepted {
				accepted = string(c.Status) + " " + c.Reason
				continue
			}
			got[c.Type] = string(c.Status)
		}
		if diff := cmp.Diff(p.triad(), got); diff != "" || accepted != p.accepted {
			t.Errorf("%s: Accepted is %q, want %q; the others: %s", p.name, accepted, p.accepted, diff)
		}
		if reason := harness.Ready(o).Reason; reason != p.reason {
			t.Errorf("%s: the reason is %s", p.name, reason)
		}
		if (o.Status.CompletionTime != nil) != p.finished() || (o.Status.ObservedGeneration == o.Generation) == (p.name == "changed-not-seen") {
			t.Errorf("%s: completionTime %v, generation %d of %d", p.name, o.Status.CompletionTime, o.Status.ObservedGeneration, o.Generation)
		}
	}
}
