// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// objectRows are about what users do to objects, Secrets and namespaces meanwhile.
var objectRows = []row{
	{"Secret missing, then malformed, then right", false, secrets},
	{"Secret deleted in mid-flight", false, func(w *fixture) {
		w.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 5})
		w.many("a", 25)
		w.Start()
		w.called(5)
		w.delete(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "creds"}})
		w.inject("Secret deleted", 1)
		w.settle(25, func(o *cdbv1.ImportJobStop) bool {
			return isDone(o) || harness.HasReason(o, cdbv1.ReasonCredentialsNotFound)
		})
		w.Account("creds")
		w.settle(25, isDone)
	}},
	{"Secret rotated in mid-flight", false, func(w *fixture) {
		w.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 5})
		w.many("a", 45)
		w.Start()
		w.called(5)
		w.Cloud.SetAccount(cdbsim.Account{SecretID: "AKIDcreds", SecretKey: "not the old one"})
		rotated := accountOf("rotated")
		w.Cloud.SetAccount(rotated)
		w.inject("key rotated", 1)
		w.Eventually("somebody is refused", func() (bool, error) {
			for _, o := range w.audit.live() {
				if harness.HasReason(o, cdbv1.ReasonCredentialsRejected) {
					return true, nil
				}
			}
			return false, nil
		})
		w.Must(env.Client.Update(w.Context(), w.secret("creds", dataOf(rotated))))
		w.settle(45, isDone)
	}},
	{"namespace deleted in mid-flight", false, func(w *fixture) {
		w.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 3})
		w.many("a", 30)
		w.Start()
		w.called(3)
		w.Must(env.Client.Delete(w.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.Namespace}}))
		w.Must(env.Client.DeleteAllOf(w.Context(), &cdbv1.ImportJobStop{}, client.InNamespace(w.Namespace)))
		w.delete(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "creds"}})
		w.inject("namespace deleted", 1)
		w.settle(0, func(*cdbv1.ImportJobStop) bool { return false })
		pause(w.Context(), 3*time.Second)
		after := len(w.Stops())
		pause(w.Context(), 2*time.Second)
		w.wantCalls(after)
	}},
	{"deleted in mid-flight and created again with the same name", false, func(w *fixture) {
		w.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 1})
		w.Stop("a")
		w.Start()
		w.called(1)
		w.delete(w.Object("a"))
		w.Create(w.Object("a"))
		w.inject("created again", 1)
		w.settle(1, func(o *cdbv1.ImportJobStop) bool { return harness.HasReason(o, cdbv1.ReasonAlreadyStopped) })
	}},
	{"spec changed in mid-flight", false, func(w *fixture) {
		w.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 3})
		w.many("a", 3)
		w.SetImport("b", cdbsim.Import{})
		w.Start()
		w.called(3)
		if !w.tryUpdate("a-0", func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = w.ImportID("b") }) {
			w.Error("the target could be changed while the outcome of a call is unknown")
		}
		w.Update("a-1", func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor = cdbv1.WaitForStopped })
		w.Update("a-2", func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true })
		w.inject("spec changed", 2)
		w.inject("edit refused", 1)
		w.settle(3, isDone)
		w.wantCalls(3)
	}},
	{"every optional field at its extreme", false, extremes},
}
