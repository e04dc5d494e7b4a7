// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the real manager, as a process with its shipped permissions, against a real API server and a simulated cloud.
package e2e

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const (
	patience = 60 * time.Second
	region   = "ap-guangzhou"
)

var (
	env     *harness.Environment
	program string
)

func TestMain(m *testing.M) {
	os.Exit(harness.With(func(e *harness.Environment, built string) int {
		env, program = e, built
		return m.Run()
	}, []string{"-race"}))
}

// tenant is a namespace of its own with an operator that watches only that.
type tenant struct {
	*testing.T
	namespace string
	operator  *harness.Operator
}

func newTenant(t *testing.T) *tenant {
	t.Helper()
	t.Parallel()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := env.Client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	n := &tenant{T: t, namespace: namespace.Name}
	t.Cleanup(func() {
		if n.operator != nil {
			n.operator.Kill()
		}
		if t.Failed() && n.operator != nil {
			t.Log(n.operator.Log())
		}
	})
	return n
}

func (n *tenant) start(flags ...string) {
	n.Helper()
	ctx, cancel := context.WithTimeout(n.Context(), patience)
	defer cancel()
	var err error
	if n.operator, err = env.Run(ctx, program, append(flags, "--namespaces="+n.namespace, "--zap-log-level=5", "--secret-poll-interval=1s")...); err != nil {
		n.Fatal(err)
	}
}

// id names an import of this tenant only.
func (n *tenant) id(name string) string { return n.namespace + "-" + name }

func (n *tenant) running(name string) {
	env.Cloud.SetImport(cdbsim.Import{Region: region, ID: n.id(name), Status: "RUNNING"})
}

// account creates the Secret creds, whose account no other test uses, so that they do not share a quota.
func (n *tenant) account() cdbsim.Account {
	n.Helper()
	a := cdbsim.Account{SecretID: "AKID" + strings.ReplaceAll(n.namespace, "-", ""), SecretKey: "canary-key-" + n.namespace, Token: "canary-token-" + n.namespace}
	env.Cloud.SetAccount(a)
	n.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: "creds"},
		StringData: map[string]string{"secretId": a.SecretID, "secretKey": " " + a.SecretKey + "\n", "token": a.Token},
	})
	return a
}

func (n *tenant) create(object client.Object) {
	n.Helper()
	if err := env.Client.Create(n.Context(), object); err != nil {
		n.Fatal(err)
	}
}

func (n *tenant) stop(name string, edit ...func(*cdbv1.ImportJobStop)) {
	n.Helper()
	object := &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: name},
		Spec:       cdbv1.ImportJobStopSpec{Region: region, AsyncRequestID: n.id(name), CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"}},
	}
	for _, e := range edit {
		e(object)
	}
	n.create(object)
}

func (n *tenant) get(name string) *cdbv1.ImportJobStop {
	n.Helper()
	object := &cdbv1.ImportJobStop{}
	if err := env.Client.Get(n.Context(), client.ObjectKey{Namespace: n.namespace, Name: name}, object); err != nil {
		n.Fatal(err)
	}
	return object
}

// until waits for an object to be as it should.
func (n *tenant) until(name, what string, is func(*cdbv1.ImportJobStop) bool) *cdbv1.ImportJobStop {
	n.Helper()
	var object *cdbv1.ImportJobStop
	err := wait.PollUntilContextTimeout(n.Context(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		object = n.get(name)
		return is(object), nil
	})
	if err != nil {
		n.Fatalf("%s did not become %s: %+v", name, what, object.Status)
	}
	return object
}

func (n *tenant) untilReason(name, reason string) *cdbv1.ImportJobStop {
	n.Helper()
	return n.until(name, reason, func(o *cdbv1.ImportJobStop) bool {
		return ready(o).Reason == reason && o.Status.ObservedGeneration == o.Generation
	})
}

// stops are the calls of StopDBImportJob that the cloud saw for an import of this tenant.
func (n *tenant) stops(name string) (stops []cdbsim.Call) {
	for _, c := range env.Cloud.CallLog() {
		if c.AsyncRequestID == n.id(name) && c.Action == "StopDBImportJob" {
			stops = append(stops, c)
		}
	}
	return stops
}

func (n *tenant) wantCalls(name string, want int) []cdbsim.Call {
	n.Helper()
	stops := n.stops(name)
	if len(stops) != want {
		n.Fatalf("the cloud saw %d stops for %s, want %d: %+v", len(stops), name, want, stops)
	}
	return stops
}

func ready(o *cdbv1.ImportJobStop) metav1.Condition {
	if c := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{}
}

func kstatusOf(t *testing.T, o *cdbv1.ImportJobStop) status.Status {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		t.Fatal(err)
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: content})
	if err != nil {
		t.Fatal(err)
	}
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
	reason := ready(o).Reason
	goesOn := reason == cdbv1.ReasonCredentialsRejected || reason == cdbv1.ReasonCredentialsNotFound // failed, but not finished
	if (o.Status.CompletionTime != nil) != (want != status.InProgressStatus && !goesOn) {
		t.Errorf("completionTime is %v in %s", o.Status.CompletionTime, want)
	}
}
