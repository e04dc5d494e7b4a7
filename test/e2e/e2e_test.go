// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the real manager, as a process with its shipped permissions, against a real API server and a simulated cloud.
package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/simulation"
)

var env *harness.Environment

func TestMain(m *testing.M) {
	simulation.Prepare()
	os.Exit(harness.With(func(e *harness.Environment) int {
		env = e
		return m.Run()
	}, raceDetector()))
}

// raceDetector returns the build flag -race. Without a C compiler it returns none, because go build would fail; make test says so then.
func raceDetector() []string {
	if cgo, err := exec.Command("go", "env", "CGO_ENABLED").Output(); err != nil || strings.TrimSpace(string(cgo)) != "1" {
		return nil
	}
	return []string{"-race"}
}

// fixture is a namespace of its own with an operator that watches only that.
type fixture struct{ *harness.Fixture }

func newFixture(t *testing.T) fixture {
	t.Helper()
	t.Parallel()
	return fixture{harness.NewFixture(t, env, "test-")}
}

func (f fixture) start(flags ...string) {
	f.Helper()
	f.Start(append(flags, "--zap-log-level=5", "--secret-poll-interval=1s")...)
}

// account creates a temporary account, and its Secret with blanks where people leave some.
func (f fixture) account() cdbsim.Account {
	f.Helper()
	a := f.AccountOf("creds")
	a.Token = "TOKEN-OF-" + a.SecretID
	f.Cloud.SetAccount(a)
	secret := f.Secret("creds", a)
	secret.StringData["secretKey"] = " " + a.SecretKey + "\n"
	f.Create(secret)
	return a
}

// inCall starts an operator, and returns while the cloud has a stop that goes wrong in this way.
func (f fixture) inCall(name string, kind cdbsim.Kind) {
	f.Helper()
	f.Cloud.Play(cdbsim.Fault{AsyncRequestID: f.ImportID(name), Kind: kind, Times: 1})
	f.start()
	f.StopImport(name)
	f.untilCalled(name)
}

// untilCalled waits until the cloud has seen a stop.
func (f fixture) untilCalled(name string) {
	f.Helper()
	f.Eventually("a call for "+name, func() (bool, error) { return len(f.Stops(name)) == 1, nil })
}

func (f fixture) wantCalls(name string, want int) []cdbsim.Call {
	f.Helper()
	stops := f.Stops(name)
	if len(stops) != want {
		f.Fatalf("the cloud saw %d stops for %s, want %d: %+v", len(stops), name, want, stops)
	}
	return stops
}

func kstatusOf(t *testing.T, o *cdbv1.ImportJobStop) status.Status {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	harness.Must(t, err)
	result, err := status.Compute(&unstructured.Unstructured{Object: content})
	harness.Must(t, err)
	return result.Status
}

// wantPhase checks that Ready, Reconciling and Stalled stand together as the contract says, for this generation.
func wantPhase(t *testing.T, o *cdbv1.ImportJobStop, want status.Status) {
	t.Helper()
	expected := map[status.Status][3]metav1.ConditionStatus{
		status.InProgressStatus: {"Unknown", "True", "False"},
		status.CurrentStatus:    {"True", "False", "False"},
		status.FailedStatus:     {"False", "False", "True"},
	}[want]
	for i, kind := range []string{cdbv1.ConditionReady, cdbv1.ConditionReconciling, cdbv1.ConditionStalled} {
		c := meta.FindStatusCondition(o.Status.Conditions, kind)
		if c == nil || c.Status != expected[i] || c.ObservedGeneration != o.Generation {
			t.Errorf("%s is %+v, want %s of generation %d", kind, c, expected[i], o.Generation)
		}
	}
	if got := kstatusOf(t, o); got != want {
		t.Errorf("kstatus is %s, want %s", got, want)
	}
	reason := harness.Ready(o).Reason
	goesOn := reason == cdbv1.ReasonCredentialsRejected || reason == cdbv1.ReasonCredentialsNotFound // failed, but not finished
	if (o.Status.CompletionTime != nil) != (want != status.InProgressStatus && !goesOn) {
		t.Errorf("completionTime is %v in %s", o.Status.CompletionTime, want)
	}
}
