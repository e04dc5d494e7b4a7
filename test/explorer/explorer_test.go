// SPDX-License-Identifier: Apache-2.0

package explorer

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

var faults = flag.Int("faults", 2, "how many faults a history may have")

// maxStates bounds the walk: more means that something goes on for ever.
const maxStates = 5_000_000

func TestEveryInterleaving(t *testing.T) {
	t.Parallel()
	for _, waitFor := range []cdbv1.WaitFor{"", cdbv1.WaitForStopped} {
		t.Run("waitFor "+string(waitFor), func(t *testing.T) {
			t.Parallel()
			explore(t, waitFor)
		})
	}
}

// explore walks breadth first, so that the first broken promise has the shortest history.
func explore(t *testing.T, waitFor cdbv1.WaitFor) {
	begin, depth, ends := time.Now(), 0, 0
	start := &state{Version: 1, Now: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC), Faults: *faults, Object: &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "stop", UID: "1", Generation: 1, ResourceVersion: "1"},
		Spec:       cdbv1.ImportJobStopSpec{Region: "ap-guangzhou", AsyncRequestID: "a-1", CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"}, WaitFor: waitFor},
		Status:     cdbv1.ImportJobStopStatus{ObservedGeneration: -1},
	}}
	known := map[string]bool{start.key(): true}
	for layer := []*state{start}; len(layer) > 0; depth++ {
		var deeper []*state
		for _, s := range layer {
			next := s.moves()
			if s.isAtRest() {
				ends++
				s.must(s.hasEnded(), "nothing happens any more, and the object has not ended")
			}
			for _, n := range append(next, s) {
				if n.broken != "" {
					t.Fatalf("%s:\n%s\n  %s", n.broken, n.history(), mustJSON(n.Object.Status))
				}
			}
			for _, n := range next {
				if key := n.key(); !known[key] {
					known[key] = true
					deeper = append(deeper, n)
				}
			}
		}
		if len(known) > maxStates {
			t.Fatalf("more than %d states: it does not end", maxStates)
		}
		layer = deeper
	}
	t.Logf("%d states, %d steps deep, %d at rest, %d faults, %s", len(known), depth, ends, *faults, time.Since(begin).Round(time.Millisecond))
}

// isAtRest: without a fault, a change of leader or a stale copy nothing more happens.
func (s *state) isAtRest() bool {
	for _, l := range s.Leaders {
		if l.Called != nil {
			return false
		}
	}
	return len(s.reconcile(s.Leader, s.Object)) == 0
}

// hasEnded: the object says what became of the import.
func (s *state) hasEnded() bool { return s.Object.Status.CompletionTime != nil }

// check is what must hold of each version that is written.
func (s *state) check(next *cdbv1.ImportJobStop) {
	was, status := s.Object.Status, next.Status
	s.must(was.RequestID == "" || was.RequestID == status.RequestID, "the acceptance %s became %q", was.RequestID, status.RequestID)
	if id := status.RequestID; id != "" {
		given := false
		for n := range s.Given {
			given = given || id == fmt.Sprint("r-", n+1)
		}
		s.must(given, "status has the acceptance %s, which the cloud never gave", id)
	}
	ready, reconciling, stalled := isTrue(next, cdbv1.ConditionReady), isTrue(next, cdbv1.ConditionReconciling), isTrue(next, cdbv1.ConditionStalled)
	s.must(len(status.Conditions) == 0 || (reconciling != (ready || stalled) && (!ready || !stalled)), "Ready %t, Reconciling %t, Stalled %t", ready, reconciling, stalled)
	s.must(isTrue(next, cdbv1.ConditionAccepted) == (status.RequestID != ""), "Accepted does not agree with the RequestId %q", status.RequestID)
	s.must(status.CompletionTime == nil || !stalled || s.Given == 0, "it ended as failed, although the cloud accepted the stop")
	s.must(ready || !isTrue(s.Object, cdbv1.ConditionReady), "Ready goes back from True")
	last, before := status.LastAttempt, was.LastAttempt
	if isNew := last != nil && before != nil && !last.StartTime.Equal(&before.StartTime); isNew && (before.EndTime == nil || before.FollowsUnknown) {
		s.must(last.FollowsUnknown, "an attempt does not say that it follows one of unknown outcome")
	}
}

func isTrue(o *cdbv1.ImportJobStop, kind string) bool {
	return meta.IsStatusConditionTrue(o.Status.Conditions, kind)
}
