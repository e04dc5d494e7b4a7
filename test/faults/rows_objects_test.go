// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
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
	{"Secret deleted in mid-flight", false, func(f *fixture) {
		f.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 5})
		f.many("a", 25)
		f.Start()
		f.called(5)
		f.delete(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "creds"}})
		f.inject("Secret deleted", 1)
		f.settle(25, func(o *cdbv1.ImportJobStop) bool {
			return isDone(o) || harness.HasReason(o, cdbv1.ReasonCredentialsNotFound)
		})
		f.Account("creds")
		f.settle(25, isDone)
	}},
	{"Secret rotated in mid-flight", false, func(f *fixture) {
		f.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 5})
		f.many("a", 45)
		f.Start()
		f.called(5)
		f.Cloud.SetAccount(cdbsim.Account{SecretID: "AKIDcreds", SecretKey: "not the old one"})
		rotated := accountOf("rotated")
		f.Cloud.SetAccount(rotated)
		f.inject("key rotated", 1)
		f.Eventually("somebody is refused", func() (bool, error) {
			for _, o := range f.audit.live() {
				if harness.HasReason(o, cdbv1.ReasonCredentialsRejected) {
					return true, nil
				}
			}
			return false, nil
		})
		f.Must(env.Client.Update(f.Context(), f.secret("creds", dataOf(rotated))))
		f.settle(45, isDone)
	}},
	{"three renewals of a token under a full queue", false, func(f *fixture) {
		f.many("a", 100)
		f.Start()
		f.called(5)
		for i := range 3 { // the old token is accepted for a while
			renewed := accountOf("creds")
			renewed.SecretID = fmt.Sprint("AKIDcreds-renewed-", i)
			f.Cloud.SetAccount(renewed)
			f.Cloud.SetIdentity(renewed.SecretID, cdbsim.Identity{SubAccount: "AKIDcreds"})
			f.Must(env.Client.Update(f.Context(), f.secret("creds", dataOf(renewed))))
			f.inject("token renewed", 1)
			pause(f.Context(), 1200*time.Millisecond)
		}
		f.settle(100, isDone)
		f.wantCalls(100) // none was refused, and none repeated
		f.oneAccount = true
	}},
	{"namespace deleted in mid-flight", false, func(f *fixture) {
		f.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 3})
		f.many("a", 30)
		f.Start()
		f.called(3)
		f.Must(env.Client.Delete(f.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: f.Namespace}}))
		f.Must(env.Client.DeleteAllOf(f.Context(), &cdbv1.ImportJobStop{}, client.InNamespace(f.Namespace)))
		f.delete(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "creds"}})
		f.inject("namespace deleted", 1)
		f.settle(0, func(*cdbv1.ImportJobStop) bool { return false })
		pause(f.Context(), 3*time.Second)
		after := len(f.Stops())
		pause(f.Context(), 2*time.Second)
		f.wantCalls(after)
	}},
	{"deleted in mid-flight and created again with the same name", false, func(f *fixture) {
		f.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 1})
		f.StopImport("a")
		f.Start()
		f.called(1)
		f.delete(f.Object("a"))
		f.Create(f.Object("a"))
		f.inject("created again", 1)
		f.settle(1, func(o *cdbv1.ImportJobStop) bool { return harness.HasReason(o, cdbv1.ReasonAlreadyStopped) })
	}},
	{"spec changed in mid-flight", false, func(f *fixture) {
		f.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 3})
		f.many("a", 3)
		f.SetImport("b", cdbsim.Import{})
		f.Start()
		f.called(3)
		if !f.tryUpdate("a-0", func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = f.ImportID("b") }) {
			f.Error("the target could be changed while the outcome of a call is unknown")
		}
		f.Update("a-1", func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor = cdbv1.WaitForStopped })
		f.Update("a-2", func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true })
		f.inject("spec changed", 2)
		f.inject("edit refused", 1)
		f.settle(3, isDone)
		f.wantCalls(3)
	}},
	{"every optional field at its extreme", false, extremes},
}
