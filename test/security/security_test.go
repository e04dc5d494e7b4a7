// SPDX-License-Identifier: Apache-2.0

// Package security tests each promise of docs/security.md, with the real manager, the real API server and a simulated cloud.
package security

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const (
	region   = "ap-guangzhou"
	patience = 60 * time.Second
)

var (
	env     *harness.Environment
	program string
	helm    = flag.String("helm", "", "the program helm; without it the pods of the chart are not tested")
)

func TestMain(m *testing.M) {
	os.Exit(harness.With(func(e *harness.Environment, built string) int {
		env, program = e, built
		return m.Run()
	}, nil, harness.Audited))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		must(t, env.Client.Create(t.Context(), o))
	}
}

// newNamespace creates one whose name begins with this.
func newNamespace(t *testing.T, prefix string) string {
	t.Helper()
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix + "-"}}
	create(t, n)
	return n.Name
}

func credsOf(namespace string, a cdbsim.Account) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "creds"}, StringData: map[string]string{"secretId": a.SecretID, "secretKey": a.SecretKey}}
	if a.Token != "" {
		s.StringData["token"] = a.Token
	}
	return s
}

// stop is an object that uses the Secret creds.
func stop(namespace, name string) *cdbv1.ImportJobStop {
	return &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       cdbv1.ImportJobStopSpec{Region: region, AsyncRequestID: namespace + "-" + name, CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"}},
	}
}

func running(o *cdbv1.ImportJobStop) {
	env.Cloud.SetImport(cdbsim.Import{Region: o.Spec.Region, ID: o.Spec.AsyncRequestID, Status: "RUNNING"})
}

func run(t *testing.T, flags ...string) *harness.Operator {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	operator, err := env.Run(ctx, program, flags...)
	must(t, err)
	t.Cleanup(func() {
		operator.Kill()
		if t.Failed() {
			log := operator.Log()
			t.Log(log[max(0, len(log)-5_000):])
		}
	})
	return operator
}

func reason(o *cdbv1.ImportJobStop) string {
	if c := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady); c != nil {
		return c.Reason
	}
	return ""
}

// until waits for something to be so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) { return is(), nil })
	if err != nil {
		t.Fatalf("%s: not within %s", what, patience)
	}
}

func untilReason(t *testing.T, o *cdbv1.ImportJobStop, want string) {
	t.Helper()
	until(t, o.Name+" "+want, func() bool {
		must(t, env.Client.Get(t.Context(), client.ObjectKeyFromObject(o), o))
		return reason(o) == want
	})
}

func root(path string) string { return filepath.Join(harness.Root(), path) }

// kustomize builds a folder of the project.
func kustomize(t *testing.T, folder string) string {
	t.Helper()
	output, err := env.Kubectl(t.Context(), nil, "kustomize", root(folder))
	if err != nil {
		t.Fatal(output)
	}
	return output
}

// apply a manifest as the administrator.
func apply(t *testing.T, manifest string, flags ...string) {
	t.Helper()
	if output, err := env.Kubectl(t.Context(), strings.NewReader(manifest), append([]string{"apply", "-f", "-"}, flags...)...); err != nil {
		t.Fatal(output)
	}
}

// documents of a manifest.
func documents(manifest string) []string { return strings.Split(manifest, "\n---\n") }
