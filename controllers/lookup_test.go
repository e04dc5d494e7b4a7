// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// newLookupFixture has an object that names the instance alone, on which one of 250 imports runs.
func newLookupFixture(t *testing.T) *hostile {
	h := newHostile(t)
	for n := range 250 {
		h.cloud.listed = append(h.cloud.listed, importjob.Record{AsyncRequestID: fmt.Sprint("a-", n), State: importjob.RecordSuccessful})
	}
	h.cloud.listed[170].State = importjob.RecordRunning
	h.put(func(o *cdbv1.ImportJobStop) {
		o.Spec.AsyncRequestID, o.Spec.Import = "", &cdbv1.ImportFilter{InstanceID: "cdb-1"}
	})
	return h
}

func TestAnImportIsFoundFrozenAndStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newLookupFixture(t)
		h.settle()
		h.want(cdbv1.ReasonStopAccepted, 1, 3)
		if got := h.cloud.lists.Load(); got != 6 {
			t.Errorf("%d pages were read, want three, twice", got)
		}
		status := h.get().Status
		if h.cloud.stopped.AsyncRequestID != "a-170" || status.Target.AsyncRequestID != "a-170" || status.Import.AsyncRequestID != "a-170" {
			t.Errorf("stopped %+v, status has %+v", h.cloud.stopped, status.Import)
		}
		if len(h.lookups.byKey) != 0 {
			t.Error("the lookup is kept after its end")
		}
	})
}

// A process that dies between freezing and the attempt, and one that finds another import running then.
func TestWhatIsFrozenIsNotLookedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newLookupFixture(t)
		for h.get().Status.Import == nil {
			_ = h.reconcile()
		}
		pages := h.cloud.lists.Load()
		h.cloud.listed[170].State, h.cloud.listed[3].State = importjob.RecordFailed, importjob.RecordRunning
		h.lookups = lookups{}
		h.settle()
		h.want(cdbv1.ReasonStopAccepted, 1, 3)
		if h.cloud.stopped.AsyncRequestID != "a-170" || h.cloud.lists.Load() != pages {
			t.Errorf("stopped %+v after %d more pages", h.cloud.stopped, h.cloud.lists.Load()-pages)
		}
	})
}

// managed is a reader of objects that Flux has written.
type managed struct{ client.Reader }

func (m *managed) Get(ctx context.Context, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
	err := m.Reader.Get(ctx, key, into, options...)
	into.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "kustomize-controller"}})
	return err
}

// What a tool could create again is found, and not stopped. The cache does not know the managers of fields.
func TestAnObjectOfAToolMustBePinned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newLookupFixture(t)
		h.APIReader = &managed{h.APIReader}
		h.settle()
		h.want(cdbv1.ReasonImportNotPinned, 0, 2)
		h.put(func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = "a-170"; o.Generation++ })
		h.settle()
		h.want(cdbv1.ReasonStopAccepted, 1, 4)
	})
}

// An edit between the decision and the attempt, as a label of a tool, is seen: the object is reconciled again.
func TestAnUnpinnedObjectIsJudgedInItsNewestVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newLookupFixture(t)
		for h.get().Status.Import == nil {
			_ = h.reconcile()
		}
		h.stale = h.get()
		h.put(func(o *cdbv1.ImportJobStop) { o.Labels = map[string]string{"helm.toolkit.fluxcd.io/name": "shop"} })
		_ = h.reconcile()
		h.want(cdbv1.ReasonStopping, 0, 1)
		h.stale = nil
		time.Sleep(conflictRetry)
		h.settle()
		h.want(cdbv1.ReasonImportNotPinned, 0, 2)
	})
}

func TestASuspendedObjectIsLookedAtAndNotStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newLookupFixture(t)
		h.put(func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true; o.Generation++ })
		h.giveTurns()
		h.settle()
		h.want(cdbv1.ReasonSuspended, 0, 2)
		if found := h.get().Status.Import; found == nil || found.AsyncRequestID != "a-170" {
			t.Errorf("the preview has %+v", found)
		}
		h.put(func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = false; o.Generation++ })
		h.settle()
		h.want(cdbv1.ReasonStopAccepted, 1, 4)
	})
}

// Whatever becomes of status.import, the import of an attempt is the one that was found for it: by now another one may match.
func TestAnAttemptKeepsItsImport(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newLookupFixture(t)
		h.cloud.fails = 1
		for h.cloud.stops.Load() == 0 {
			_ = h.reconcile()
		}
		h.cloud.listed[170].State, h.cloud.listed[20].State = importjob.RecordFailed, importjob.RecordRunning
		h.put(func(o *cdbv1.ImportJobStop) { o.Status.Import = nil })
		h.settle()
		if got := h.get().Status; h.cloud.stopped.AsyncRequestID != "a-170" || got.RequestID == "" {
			t.Errorf("stopped %+v, and status is %+v", h.cloud.stopped, got)
		}
	})
}
