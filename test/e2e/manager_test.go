// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// A second replica takes over as soon as the first, told to stop, has recorded the answer of the call that was out.
func TestShutdownFinishesTheCallAndHandsOver(t *testing.T) {
	n := newFixture(t)
	n.account()
	env.Cloud.Play(cdbsim.Fault{AsyncRequestID: n.ImportID("slow"), Kind: cdbsim.Slow, Times: 1})
	lease := []string{"--leader-elect", "--leader-election-namespace=" + harness.Namespace}
	n.start(lease...)
	first := n.Operator
	n.Stop("next", func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true })
	n.UntilReason("next", cdbv1.ReasonSuspended) // the first leads
	n.start(lease...)
	second := n.Operator
	n.Stop("slow")
	n.untilCalled("slow")
	if err := first.Terminate(); err != nil {
		t.Errorf("it did not stop well: %v\n%s", err, first.Log())
	}
	if o := n.Get("slow"); harness.Ready(o).Reason != cdbv1.ReasonStopAccepted || o.Status.Attempts != 1 {
		t.Errorf("the call in flight was not recorded: %+v", o.Status)
	}
	n.Update("next", func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = false })
	n.UntilReason("next", cdbv1.ReasonStopAccepted)
	for _, log := range []string{first.Log(), second.Log()} {
		if strings.Contains(log, "forbidden") {
			t.Errorf("a permission is missing:\n%s", log)
		}
	}
}
