// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// writeTimeout bounds the writes of an attempt and of its answer, which go on while the process shuts down.
const writeTimeout = 10 * time.Second

// errOvertaken: another operator has made a later attempt, and its status is the truth now.
var errOvertaken = errors.New("the status speaks of a later attempt")

// write updates the status with the resourceVersion just read, and only if the change changes anything.
func (r *Reconciler) write(ctx context.Context, object *cdbv1.ImportJobStop, c change) error {
	return r.writeSince(ctx, object, object.Status.DeepCopy(), c)
}

// writeSince tells in an event, once it is written, what has become of the object since before.
func (r *Reconciler) writeSince(ctx context.Context, object *cdbv1.ImportJobStop, before *cdbv1.ImportJobStopStatus, c change) error {
	read := object.Status.DeepCopy()
	c(object)
	if !equality.Semantic.DeepEqual(read, &object.Status) {
		if err := r.Client.Status().Update(ctx, object); err != nil {
			object.Status = *read
			return err
		}
		r.memory.wrote(object)
	}
	for _, e := range eventsOf(object, before) {
		r.Events.Eventf(object, nil, e.kind, e.reason, string(importjob.ActionStop), "%s", e.message)
	}
	return nil
}

// claim writes the attempt down before it is sent. A conflict is the fence: somebody else was here.
// A shutdown does not cut it off, so that nobody has to wonder later whether it was sent.
func (r *Reconciler) claim(ctx context.Context, object *cdbv1.ImportJobStop) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	return r.write(ctx, object, claimed(time.Now()))
}

// record puts the answer into status, and does not give up while the process lives and the object is there.
func (r *Reconciler) record(ctx context.Context, object *cdbv1.ImportJobStop, a *answer) {
	log := logr.FromContextOrDiscard(ctx)
	before := object.Status.DeepCopy()
	for delay := minRetry; ; delay = min(2*delay, maxRetry) {
		err := r.writeAnswer(ctx, object, before, a)
		switch {
		case err == nil:
			return
		case errors.Is(err, errOvertaken), apierrors.IsNotFound(err):
			log.Info("this answer is in no status", "reason", err.Error(), "requestId", a.requestID, "importStatus", a.status)
			return
		}
		log.Info("the answer is not in status yet, trying again", "reason", err.Error())
		time.Sleep(delay)
	}
}

// writeAnswer looks at the newest object when ours is old: the call was made, so its answer is written whatever else has changed.
// What has become of the object since before is told also when the answer to an earlier write was lost.
func (r *Reconciler) writeAnswer(ctx context.Context, object *cdbv1.ImportJobStop, before *cdbv1.ImportJobStopStatus, a *answer) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	for {
		if last := object.Status.LastAttempt; last == nil || !last.StartTime.Equal(&a.started) {
			return errOvertaken
		}
		err := r.writeSince(ctx, object, before, func(o *cdbv1.ImportJobStop) { judge(o, a) })
		if !apierrors.IsConflict(err) {
			return err
		}
		newest := &cdbv1.ImportJobStop{}
		if err := r.Live.Get(ctx, client.ObjectKeyFromObject(object), newest); err != nil {
			return err
		}
		if object.UID != newest.UID {
			return apierrors.NewNotFound(cdbv1.GroupVersion.WithResource("importjobstops").GroupResource(), object.Name)
		}
		*object = *newest
		r.memory.wrote(object) // or so it may turn out: the cache can be older
	}
}
