// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/go-logr/logr"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
)

// recoverPanic is deferred at the edge of each goroutine of ours: an object, a Secret or an answer must not end the process.
// It counts the panic, logs it with its stack, and then calls after, unless that is nil.
func (r *Reconciler) recoverPanic(ctx context.Context, after func()) {
	if p := recover(); p != nil {
		r.Recovered()
		err, ok := p.(error)
		if _, isRuntime := p.(runtime.Error); !ok || !isRuntime {
			err = fmt.Errorf("a panic with a value of type %T", p) // the value can be anything, also what must not be logged
		}
		logr.FromContextOrDiscard(ctx).Error(err, "recovered from a panic", "stack", string(debug.Stack()))
		if after != nil {
			after()
		}
	}
}

// reconcileSafely says in the object's status when it cannot be reconciled.
func (r *Reconciler) reconcileSafely(ctx context.Context, object *cdbv1.ImportJobStop) (after time.Duration, err error) {
	asRead := object.DeepCopy()
	defer r.recoverPanic(ctx, func() {
		after, err = 0, r.write(ctx, asRead, lifecycle.InternalError(time.Now()))
	})
	return r.reconcile(ctx, object)
}
