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
	f := newFixture(t)
	f.account()
	env.Cloud.Play(cdbsim.Fault{AsyncRequestID: f.ImportID("slow"), Kind: cdbsim.Slow, Times: 1})
	lease := []string{"--leader-elect", "--leader-election-namespace=" + harness.Namespace}
	f.start(lease...)
	first := f.Operator
	f.StopImport("next", func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true })
	f.UntilReason("next", cdbv1.ReasonSuspended) // the first leads
	f.start(lease...)
	second := f.Operator
	f.StopImport("slow")
	f.untilCalled("slow")
	if err := first.Terminate(); err != nil {
		t.Errorf("it did not stop well: %v\n%s", err, first.Log())
	}
	if o := f.Get("slow"); harness.Ready(o).Reason != cdbv1.ReasonStopAccepted || o.Status.Attempts != 1 {
		t.Errorf("the call in flight was not recorded: %+v", o.Status)
	}
	f.Update("next", func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = false })
	f.UntilReason("next", cdbv1.ReasonStopAccepted)
	for _, log := range []string{first.Log(), second.Log()} {
		if strings.Contains(log, "forbidden") {
			t.Errorf("a permission is missing:\n%s", log)
		}
	}
}

// The event of a result that is recorded while the process shuts down is written too.
func TestShutdownWritesTheLastEvents(t *testing.T) {
	f := newFixture(t)
	f.account()
	f.inCall("slow", cdbsim.Slow)
	if err := f.Operator.Terminate(); err != nil {
		t.Errorf("it did not stop well: %v\n%s", err, f.Operator.Log())
	}
	if events := env.MustKubectl(t, "get", "events", "-n", f.Namespace, "-o", "jsonpath={.items[*].reason}"); events != cdbv1.ReasonStopAccepted {
		t.Errorf("the events are %q", events)
	}
}
