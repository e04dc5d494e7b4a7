// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"

	"sigs.k8s.io/cli-utils/pkg/kstatus/status"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// The call hangs, so that the kill comes between the attempt and the answer; nothing was done.
func TestKilledBeforeTheCallIsDone(t *testing.T) {
	f := newFixture(t)
	f.account()
	f.inCall("a", cdbsim.Hang)
	f.Operator.Kill()
	o := f.Get("a")
	if o.Status.LastAttempt == nil || o.Status.LastAttempt.EndTime != nil {
		t.Errorf("the attempt of unknown outcome is not to be seen: %+v", o.Status)
	}
	wantPhase(t, o, status.InProgressStatus)
	f.start()
	o = f.UntilReason("a", cdbv1.ReasonStopAccepted)
	if !o.Status.LastAttempt.FollowsUnknown || o.Status.Attempts != 2 {
		t.Errorf("the attempt after the kill is %+v", o.Status)
	}
	f.wantCalls("a", 2)
}

// The import is stopped but the answer never comes: the kill is between the call and the status write.
func TestKilledBetweenTheCallAndTheStatusWrite(t *testing.T) {
	f := newFixture(t)
	f.account()
	f.inCall("a", cdbsim.AnswerHeld)
	f.Operator.Kill()
	f.start()
	o := f.UntilReason("a", cdbv1.ReasonAlreadyStopped)
	wantPhase(t, o, status.CurrentStatus)
	if !o.Status.LastAttempt.FollowsUnknown || o.Status.ImportStatus != "KILLED" {
		t.Errorf("the status after the kill is %+v", o.Status)
	}
}

// The connection is cut after the import was stopped, and the process lives.
func TestAnswerLost(t *testing.T) {
	f := newFixture(t)
	f.account()
	env.Cloud.Play(cdbsim.Fault{AsyncRequestID: f.ImportID("a"), Kind: cdbsim.AnswerLost, Times: 1})
	f.start()
	f.StopImport("a")
	wantPhase(t, f.UntilReason("a", cdbv1.ReasonAlreadyStopped), status.CurrentStatus)
}
