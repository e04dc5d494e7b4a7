// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
)

// lookups are the lists of imports that are being read, by the object that they are read for. The zero value is ready to use.
type lookups struct {
	mu    sync.Mutex
	byKey map[types.NamespacedName]*lifecycle.Lookup
}

// of returns the lookup of an object. It begins anew when the object means another import.
func (l *lookups) of(object *cdbv1.ImportJobStop) *lifecycle.Lookup {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	if known := l.byKey[key]; known != nil && known.IsFor(object) {
		return known
	}
	if l.byKey == nil {
		l.byKey = map[types.NamespacedName]*lifecycle.Lookup{}
	}
	l.byKey[key] = lifecycle.NewLookup(object)
	return l.byKey[key]
}

func (l *lookups) forget(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byKey, key)
}

// list reads the next page of the imports on the instance.
func (r *Reconciler) list(ctx context.Context, c *call, result *lifecycle.Result) error {
	lookup := r.lookups.of(c.object)
	page, err := r.Cloud.List(ctx, c.creds, lifecycle.Target(c.object), c.object.Spec.Target().Import.InstanceID, lookup.Offset())
	if err != nil {
		result.Attempt = lookup.Fail(errorOf(err).Class)
		return err
	}
	if result.Found = lookup.Add(page); result.Found != nil && result.Found.IsFinal() {
		r.lookups.forget(client.ObjectKeyFromObject(c.object))
	}
	return nil
}

// requirePin says whether the object must name the id of its import before it is stopped, and writes that into status. The cache does
// not keep the managers of fields, so they are read live.
func (r *Reconciler) requirePin(ctx context.Context, object *cdbv1.ImportJobStop) (required bool, err error) {
	if object.Spec.AsyncRequestID != "" {
		return false, nil
	}
	reconciled := object.ResourceVersion
	err = r.readLive(ctx, object)
	if err != nil && !errors.Is(err, errGone) {
		return false, err
	}
	if err != nil || object.ResourceVersion != reconciled {
		return false, apierrors.NewConflict(cdbv1.GroupVersion.WithResource("importjobstops").GroupResource(), object.Name, errStale)
	}
	if lifecycle.MustBePinned(object) == "" {
		return false, nil
	}
	return true, r.write(ctx, object, lifecycle.RequirePin(time.Now()))
}
