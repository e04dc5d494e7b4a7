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
	for _, waitFor := range []cdbv1.WaitFor{cdbv1.WaitForAccepted, cdbv1.WaitForStopped} {
		t.Run("waitFor "+string(waitFor), func(t *testing.T) {
			t.Parallel()
			w := explore(t, waitFor, "")
			if w.broken != nil {
				t.Fatalf("found in %s: %s\n%s\n  %s", w, w.broken.broken, w.broken.history(), mustJSON(w.broken.Object.Status))
			}
			t.Logf("%s, %d at rest, %d faults", w, w.atRest, *faults)
		})
	}
}

// TestEachSafeguardIsNeeded takes one safeguard of the protocol after the other out of the model, and prints the shortest history that
// breaks a promise then. A proof that holds without them would prove nothing. Those of internal/lifecycle are in test/mutants.
func TestEachSafeguardIsNeeded(t *testing.T) {
	t.Parallel()
	for _, s := range safeguards {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			w := explore(t, cdbv1.WaitForAccepted, s)
			if w.broken == nil {
				t.Fatalf("%s: no promise is broken without it", w)
			}
			t.Logf("found in %s: %s\n%s", w, w.broken.broken, w.broken.history())
		})
	}
}

// walk is what came of an exploration.
type walk struct {
	states, steps, atRest int
	took                  time.Duration
	broken                *state // the first, by the shortest history; nil if every promise holds
}

func (w walk) String() string {
	return fmt.Sprintf("%d states, %d steps deep, after %s", w.states, w.steps, w.took.Round(time.Millisecond))
}

// explore walks breadth first, so that the first broken promise has the shortest history.
func explore(t *testing.T, waitFor cdbv1.WaitFor, without safeguard) (w walk) {
	t.Helper()
	begin := time.Now()
	start := begun(waitFor, without)
	known := map[string]bool{start.key(): true}
	for layer := []*state{start}; len(layer) > 0 && w.broken == nil; w.steps++ {
		var deeper []*state
		for _, s := range layer {
			next := s.moves()
			if s.isAtRest() {
				w.atRest++
				s.mustHaveEnded()
			}
			for _, n := range append(next, s) {
				if n.broken != "" && w.broken == nil {
					w.broken = n
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
	w.states, w.took = len(known), time.Since(begin)
	return w
}

// begun is how everything begins: with an object that nobody has seen yet.
func begun(waitFor cdbv1.WaitFor, without safeguard) *state {
	s := &state{
		Version: 1, Now: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC), Faults: *faults, without: without,
		objects: &objects{map[string]*cdbv1.ImportJobStop{}, map[*cdbv1.ImportJobStop]int{}},
	}
	s.Object = s.objects.one(&cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "stop", UID: "1", Generation: 1, ResourceVersion: "1"},
		Spec:       cdbv1.ImportJobStopSpec{Region: "ap-guangzhou", AsyncRequestID: "a-1", CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"}, WaitFor: waitFor},
		Status:     cdbv1.ImportJobStopStatus{ObservedGeneration: -1},
	})
	return s
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

// mustHaveEnded: the object says what happened to the import, and to each acceptance that a process lived to know.
func (s *state) mustHaveEnded() {
	status := s.Object.Status
	s.must(status.CompletionTime != nil, "nothing happens any more, and the object has not ended")
	s.must(status.RequestID != "" || s.Given == 0 || s.Excused, "nothing happens any more, and the acceptance is in no status, although no process that knew it died")
}

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
	s.must(!isOpen(next) || meta.IsStatusConditionPresentAndEqual(status.Conditions, cdbv1.ConditionAccepted, metav1.ConditionUnknown),
		"the outcome of an attempt is unknown, and Accepted does not say so")
	if isNew := last != nil && before != nil && !last.StartTime.Equal(&before.StartTime); isNew && (before.EndTime == nil || before.FollowsUnknown) {
		s.must(last.FollowsUnknown, "an attempt does not say that it follows one of unknown outcome")
	}
}

// isOpen: the last attempt is not in flight any more, and nobody knows its outcome yet.
func isOpen(o *cdbv1.ImportJobStop) bool {
	last, ready := o.Status.LastAttempt, meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady)
	return last != nil && last.EndTime == nil && o.Status.CompletionTime == nil && ready != nil && ready.Reason != cdbv1.ReasonStopping
}

func isTrue(o *cdbv1.ImportJobStop, kind string) bool {
	return meta.IsStatusConditionTrue(o.Status.Conditions, kind)
}
