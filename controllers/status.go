// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
)

// writeTimeout bounds the writes of an attempt and of its result, which go on while the process shuts down.
const writeTimeout = 10 * time.Second

// maxWriteRetry is the longest pause between two writes of a result. An outage can cost a leader its Lease, and another process can take the
// Lease five seconds later. That process knows of no result and would call again, so the pause must be shorter.
const maxWriteRetry = 2 * time.Second

var (
	// errOvertaken: another operator has recorded a later attempt. Its status is the truth now.
	errOvertaken = errors.New("the status already has a later attempt")
	// errStale: a live read said that the object is gone, or has another version than the copy that was reconciled.
	errStale = errors.New("the copy in the cache is stale")
	// errGone: a live read said that the object was deleted, or has another uid.
	errGone = errors.New("the object was deleted")
	// errForeign: the response was about another object, as a proxy's can be. Nothing is known of this one.
	errForeign = errors.New("the API server answered with another object")
	// errPanicked: the write panicked. It is retried like any other.
	errPanicked = errors.New("the write panicked")
)

// write applies the change. If that changes anything, it updates the status, with the resourceVersion that the object has.
func (r *Reconciler) write(ctx context.Context, object *cdbv1.ImportJobStop, change lifecycle.Change) error {
	return r.writeSince(ctx, object, object.Status.DeepCopy(), change)
}

// writeSince applies the change, writes the status if it changed, then emits events for the difference since before.
func (r *Reconciler) writeSince(ctx context.Context, object *cdbv1.ImportJobStop, before *cdbv1.ImportJobStopStatus, change lifecycle.Change) error {
	read, written := object.Status.DeepCopy(), false
	defer func() { // also after a panic: what was not written must not look as if it was
		if !written {
			object.Status = *read
		}
	}()
	change(object)
	if !equality.Semantic.DeepEqual(read, &object.Status) {
		updated := object.DeepCopy()
		if err := r.Client.Status().Update(ctx, updated); err != nil {
			return err
		}
		if updated.UID != object.UID {
			return errForeign
		}
		*object = *updated
		r.expectations.expectWrite(object)
	}
	written = true
	r.emit(object, lifecycle.Events(object, before)...)
	return nil
}

func (r *Reconciler) emit(object *cdbv1.ImportJobStop, events ...lifecycle.Event) {
	for _, e := range events {
		r.Events.Eventf(object, nil, e.Type, e.Reason, string(importjob.ActionStop), "%s", e.Message)
	}
}

// recordAttempt writes the attempt down before its call is sent. If the object changed meanwhile, the write conflicts: another
// operator may be at work. A shutdown does not cut it off, so that nobody has to wonder later whether the call was sent.
func (r *Reconciler) recordAttempt(ctx context.Context, object *cdbv1.ImportJobStop) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	return r.write(ctx, object, lifecycle.RecordAttempt(time.Now()))
}

// recordResult puts the result into status, and does not give up while the process lives and the object is there.
func (r *Reconciler) recordResult(ctx context.Context, object *cdbv1.ImportJobStop, result *lifecycle.Result) {
	log := logr.FromContextOrDiscard(ctx)
	called := object.DeepCopy()
	for delay := minRetry; ; delay = min(2*delay, maxWriteRetry) {
		err := r.writeResult(ctx, object, called, result)
		switch {
		case err == nil:
			return
		case errors.Is(err, errOvertaken), errors.Is(err, errGone):
			log.Info("result dropped, since its attempt is no longer in status", "reason", err.Error(), "requestId", result.RequestID, "importStatus", result.Status)
			return
		}
		log.Info("writing the result to status failed, trying again", "reason", err.Error())
		time.Sleep(delay)
	}
}

// writeResult writes the result into the newest object: the call was made, whatever else has changed since. Events are for the
// difference since the call, also when the answer to an earlier write was lost. If the record of the attempt is gone from status, writeResult
// makes it again: a restore or a person took it back, or a proxy only said that it had written it.
func (r *Reconciler) writeResult(ctx context.Context, object, called *cdbv1.ImportJobStop, result *lifecycle.Result) (err error) {
	defer r.recoverPanic(ctx, func() { err = errPanicked })
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	for {
		isRewound := result.IsRewound(object, called)
		if !isRewound && !result.Belongs(object) {
			return errOvertaken
		}
		err := r.writeSince(ctx, object, &called.Status, func(o *cdbv1.ImportJobStop) {
			if isRewound {
				called.Status.DeepCopyInto(&o.Status)
			}
			r.applySafely(ctx, o, result)
		})
		if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return err
		}
		if err := r.readLive(ctx, object); err != nil {
			return err
		}
		if apierrors.IsNotFound(err) {
			return err // the object is there all the same: something else answered
		}
	}
}

// applySafely keeps an answer whose meaning cannot be applied.
func (r *Reconciler) applySafely(ctx context.Context, object *cdbv1.ImportJobStop, result *lifecycle.Result) {
	asRead := object.Status.DeepCopy()
	defer r.recoverPanic(ctx, func() {
		object.Status = *asRead
		lifecycle.KeepResult(object, result)
	})
	lifecycle.ApplyResult(object, result)
}

// readLive replaces the object by what the API server has now; errGone if that is nothing, or another object of the same name.
func (r *Reconciler) readLive(ctx context.Context, object *cdbv1.ImportJobStop) error {
	newest := &cdbv1.ImportJobStop{}
	err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(object), newest)
	switch {
	case isGone(err, object) || (err == nil && newest.Name == object.Name && newest.Namespace == object.Namespace && newest.UID != object.UID):
		return errGone
	case err != nil:
		return err
	case client.ObjectKeyFromObject(newest) != client.ObjectKeyFromObject(object):
		return errForeign
	}
	*object = *newest
	r.expectations.expectRead(object)
	return nil
}

// isGone says whether an error means that the object itself does not exist. Any other 404 can come from a proxy, or from a
// version of the API that is not served for a moment.
func isGone(err error, object client.Object) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !apierrors.IsNotFound(err) {
		return false
	}
	resource := "importjobstops"
	if _, ok := object.(*corev1.Secret); ok {
		resource = "secrets"
	}
	details := status.Status().Details
	return details != nil && details.Kind == resource && details.Name == object.GetName() && len(details.Causes) == 0
}

// remove deletes the very object that was reconciled, and no other of its name or of a later version. What a tool would create
// again stays: the cache does not keep the managers of fields, so they are read live.
func (r *Reconciler) remove(ctx context.Context, object *cdbv1.ImportJobStop) error {
	version := object.ResourceVersion
	if err := r.readLive(ctx, object); err != nil {
		if errors.Is(err, errGone) {
			return nil
		}
		return err
	}
	if event, ignored := lifecycle.TTLIgnored(object); ignored {
		r.emit(object, event)
		return nil
	}
	err := r.Client.Delete(ctx, object, client.Preconditions{UID: &object.UID, ResourceVersion: &version},
		client.PropagationPolicy(metav1.DeletePropagationBackground))
	if isGone(err, object) {
		return nil
	}
	return err
}
