// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

var resource = cdbv1.GroupVersion.WithResource("importjobstops").GroupResource()

// notGone are errors that say "not found" of something else than the object.
var notGone = map[string]error{
	"a proxy's 404":      apierrors.NewGenericServerResponse(http.StatusNotFound, "put", resource, "stop", "404 page not found", 0, true),
	"its namespace's":    apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "shop"),
	"a bare 404":         &apierrors.StatusError{ErrStatus: metav1.Status{Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound}},
	"of another name":    apierrors.NewNotFound(resource, "other"),
	"a version's":        apierrors.NewGenericServerResponse(http.StatusNotFound, "put", resource, "", "the server could not find the requested resource", 0, true),
	"an internal error":  apierrors.NewInternalError(errDown),
	"a forbidden answer": apierrors.NewForbidden(resource, "stop", errDown),
}

func TestANotFoundOfSomethingElseIsAFailureLikeAnother(t *testing.T) {
	t.Parallel()
	isAnswer := func(o *cdbv1.ImportJobStop) bool { return o.Status.RequestID != "" }
	for name, fault := range notGone {
		for stage, begin := range map[string]func(*hostile){
			"the write of the attempt": func(h *hostile) { h.fail(func(*cdbv1.ImportJobStop) error { return fault }) },
			"the write of the answer": func(h *hostile) {
				h.fail(func(o *cdbv1.ImportJobStop) error {
					if isAnswer(o) {
						return fault
					}
					return nil
				})
			},
			"the live read after a conflict": func(h *hostile) {
				h.fail(func(o *cdbv1.ImportJobStop) error {
					if isAnswer(o) {
						return apierrors.NewConflict(resource, "stop", errDown)
					}
					return nil
				})
				h.failLive(func(o client.Object) error {
					if _, ok := o.(*cdbv1.ImportJobStop); ok {
						return fault
					}
					return nil
				})
			},
			"both": func(h *hostile) {
				h.fail(func(o *cdbv1.ImportJobStop) error {
					if isAnswer(o) {
						return fault
					}
					return nil
				})
				h.failLive(func(o client.Object) error {
					if _, ok := o.(*cdbv1.ImportJobStop); ok {
						return fault
					}
					return nil
				})
			},
		} {
			t.Run(name+" at "+stage, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					h := newHostile(t)
					begin(h)
					h.settle()
					h.fail(nil)
					h.failLive(nil)
					time.Sleep(maxRetry)
					h.settle()
					h.want(cdbv1.ReasonStopAccepted, 1, 2)
				})
			})
		}
	}
}

func TestANotFoundOfSomethingElseIsNoMissingSecret(t *testing.T) {
	t.Parallel()
	for name, fault := range notGone {
		if apierrors.IsForbidden(fault) {
			continue // told as such
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHostile(t)
				h.failLive(func(o client.Object) error {
					if _, ok := o.(*corev1.Secret); ok {
						return fault
					}
					return nil
				})
				if err := h.reconcile(); err == nil {
					t.Error("the read of the Secret failed, and reconcile did not")
				}
				h.want("", 0, 0)
				h.failLive(nil)
				h.settle()
				h.want(cdbv1.ReasonStopAccepted, 1, 2)
			})
		})
	}
}

// The object is deleted, or replaced by another of its name, while its call is out: the answer has no place any more.
func TestTheAnswerOfAnObjectThatIsGoneIsLetGo(t *testing.T) {
	t.Parallel()
	for _, replaced := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h := newHostile(t)
			h.cloud.takes = 5 * time.Second
			_, _ = h.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(request())})
			if err := h.server.Delete(t.Context(), h.get()); err != nil {
				t.Fatal(err)
			}
			if replaced {
				next := request()
				next.UID = "2"
				if err := h.server.Create(t.Context(), next); err != nil {
					t.Fatal(err)
				}
			}
			h.inFlight.drain()
			if h.writes.Load() != 1 || h.cloud.stops.Load() != 1 {
				t.Errorf("%d writes and %d stops, want one of each", h.writes.Load(), h.cloud.stops.Load())
			}
			if replaced && h.get().Status.RequestID != "" {
				t.Error("the other object has the answer")
			}
		})
	}
}
