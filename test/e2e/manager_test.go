// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// A second replica takes over as soon as the first, told to stop, has recorded the answer of the call that was out.
func TestShutdownFinishesTheCallAndHandsOver(t *testing.T) {
	n := newTenant(t)
	n.account()
	n.running("slow")
	n.running("next")
	env.Cloud.Play(cdbsim.Fault{AsyncRequestID: n.id("slow"), Kind: cdbsim.Slow, Times: 1})
	lease := []string{"--leader-elect", "--leader-election-namespace=importjobstop-system"}
	n.start(lease...)
	first := n.operator
	n.stop("next", func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true })
	next := n.untilReason("next", cdbv1.ReasonSuspended) // the first leads
	n.start(lease...)
	second := n.operator
	t.Cleanup(second.Kill)
	n.stop("slow")
	n.until("slow", "in the cloud's hands", func(*cdbv1.ImportJobStop) bool { return len(n.stops("slow")) == 1 })
	if err := first.Terminate(); err != nil {
		t.Errorf("it did not stop well: %v\n%s", err, first.Log())
	}
	if o := n.get("slow"); ready(o).Reason != cdbv1.ReasonStopAccepted || o.Status.Attempts != 1 {
		t.Errorf("the call in flight was not recorded: %+v", o.Status)
	}
	next.Spec.Suspend = false
	if err := env.Client.Update(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	n.untilReason("next", cdbv1.ReasonStopAccepted)
	for _, log := range []string{first.Log(), second.Log()} {
		if strings.Contains(log, "forbidden") {
			t.Errorf("a permission is missing:\n%s", log)
		}
	}
}
