// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// What failed an hour ago, what is finished and what is held back is no trouble; what the operator works on is, from its start on.
func TestTrouble(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	ago := func(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }
	object := func(namespace, name, reason string, ready metav1.ConditionStatus, since time.Duration, edit func(*cdbv1.ImportJobStop)) *cdbv1.ImportJobStop {
		o := request()
		o.Namespace, o.Name, o.CreationTimestamp = namespace, name, ago(10*time.Hour)
		if reason != "" {
			o.Status.Conditions = []metav1.Condition{{Type: cdbv1.ConditionReady, Status: ready, Reason: reason, LastTransitionTime: ago(since)}}
		}
		if edit != nil {
			edit(o)
		}
		return o
	}
	finished := func(o *cdbv1.ImportJobStop) { o.Status.CompletionTime = new(ago(time.Minute)) }
	started := func(d time.Duration) func(*cdbv1.ImportJobStop) {
		return func(o *cdbv1.ImportJobStop) { o.Status.StartTime = new(ago(d)) }
	}
	scheme := runtime.NewScheme()
	_ = cdbv1.AddToScheme(scheme)
	r := &Reconciler{Client: fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		object("shop", "new", "", "", 0, nil),
		object("shop", "done", cdbv1.ReasonStopAccepted, metav1.ConditionTrue, time.Minute, finished),
		object("shop", "failed", cdbv1.ReasonImportNotFound, metav1.ConditionFalse, 59*time.Minute, finished),
		object("shop", "failed-too", cdbv1.ReasonImportNotFound, metav1.ConditionFalse, time.Minute, finished),
		object("shop", "failed-long-ago", cdbv1.ReasonImportNotFound, metav1.ConditionFalse, time.Hour, finished),
		object("shop", "failed-longer-ago", cdbv1.ReasonInvalidRequest, metav1.ConditionFalse, 2*time.Hour, finished),
		object("billing", "held", cdbv1.ReasonSuspended, metav1.ConditionUnknown, time.Hour, func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true }),
		object("billing", "young", cdbv1.ReasonRetryScheduled, metav1.ConditionUnknown, time.Minute, started(time.Minute)),
		object("billing", "old", cdbv1.ReasonRetryScheduled, metav1.ConditionUnknown, time.Minute, started(20*time.Minute)),
		object("billing", "refused", cdbv1.ReasonCredentialsRejected, metav1.ConditionFalse, 2*time.Hour, started(2*time.Hour)),
	).Build()}
	got, err := r.Trouble(now)
	want := []Trouble{
		{"billing", cdbv1.ReasonCredentialsRejected, 0, 2 * time.Hour},
		{"billing", cdbv1.ReasonRetryScheduled, 0, 20 * time.Minute},
		{"shop", cdbv1.ReasonImportNotFound, 2, 0},
		{"shop", "None", 0, 10 * time.Hour},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
}
