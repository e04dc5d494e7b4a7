// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// What the operator writes about the same import is in nobody's way. Whatever else changed must be shown first.
func TestOnlyWhatWasShownIsResumed(t *testing.T) {
	t.Parallel()
	found := func(id string) *cdbv1.ImportRecord { return &cdbv1.ImportRecord{AsyncRequestID: id} }
	for name, test := range map[string]struct {
		meanwhile func(*cdbv1.ImportJobStop)
		resumed   bool
	}{
		"its progress":        {func(o *cdbv1.ImportJobStop) { o.Status.ImportStatus = "RUNNING" }, true},
		"another import":      {func(o *cdbv1.ImportJobStop) { o.Status.Import = found("id-2") }, false},
		"an edit of the spec": {func(o *cdbv1.ImportJobStop) { o.Generation++; o.Spec.Region = "ap-beijing" }, false},
		"another requester":   {func(o *cdbv1.ImportJobStop) { o.Annotations = map[string]string{cdbv1.RequestedByAnnotation: "ann"} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown := &cdbv1.ImportJobStop{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "stop-it", Generation: 1}}
			shown.Spec.Suspend, shown.Status.Import = true, found("id-1")
			c := cluster(shown)
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(shown), shown); err != nil {
				t.Fatal(err)
			}
			newest := shown.DeepCopy()
			test.meanwhile(newest)
			status := newest.DeepCopy()
			if err := c.Update(t.Context(), newest); err != nil {
				t.Fatal(err)
			}
			newest.Status = status.Status
			if err := c.Status().Update(t.Context(), newest); err != nil {
				t.Fatal(err)
			}
			err := resume(t.Context(), c, shown, "id-1")
			if test.resumed && err != nil || !test.resumed && !apierrors.IsConflict(err) {
				t.Errorf("it answers %v", err)
			}
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(shown), newest); err != nil || newest.Spec.Suspend == test.resumed {
				t.Errorf("suspended: %t, %v", newest.Spec.Suspend, err)
			}
		})
	}
}

// The operator writes its status at any moment. A stop that it has not sent yet is held back all the same, and an accepted one is not.
func TestSuspendGoesOnAfterAConflict(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		written   cdbv1.ImportJobStopStatus
		suspended bool
	}{
		"still in the queue":  {cdbv1.ImportJobStopStatus{ImportStatus: "RUNNING"}, true},
		"accepted in between": {cdbv1.ImportJobStopStatus{RequestID: "R-1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := &cdbv1.ImportJobStop{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "stop-it"}}
			key, conflicts := client.ObjectKeyFromObject(object), 0
			c := interceptor.NewClient(cluster(object), interceptor.Funcs{
				Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
					if conflicts++; conflicts == 1 {
						newest := &cdbv1.ImportJobStop{}
						if err := c.Get(ctx, key, newest); err != nil {
							return err
						}
						newest.Status = test.written
						if err := c.Status().Update(ctx, newest); err != nil {
							return err
						}
					}
					return c.Patch(ctx, o, patch, opts...)
				},
			})
			o, _ := console(arguments{}, "")
			err := o.suspend(t.Context(), c, object)
			newest := &cdbv1.ImportJobStop{}
			if getErr := c.Get(t.Context(), key, newest); getErr != nil {
				t.Fatal(getErr)
			}
			if (err == nil) != test.suspended || newest.Spec.Suspend != test.suspended {
				t.Errorf("suspended: %t, %v", newest.Spec.Suspend, err)
			}
		})
	}
}
