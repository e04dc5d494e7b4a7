// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/resourceversion"
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

// record puts the kept answer into status, if there is one. It waits, true, while our copy of the object is older than that write.
func (r *Reconciler) record(ctx context.Context, object *cdbv1.ImportJobStop) (waiting bool, err error) {
	key := client.ObjectKeyFromObject(object)
	a, writtenAs := r.memory.kept(object)
	if a == nil {
		return false, nil
	}
	if writtenAs != "" {
		older, err := resourceversion.CompareResourceVersion(object.ResourceVersion, writtenAs)
		if err == nil && older < 0 {
			return true, nil
		}
		r.memory.settle(key)
		return false, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	err = r.writeAnswer(ctx, object, a)
	if errors.Is(err, errOvertaken) {
		logr.FromContextOrDiscard(ctx).Error(err, "this answer is in no status", "requestId", a.requestID, "importStatus", a.status)
		r.memory.settle(key)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r.memory.recorded(object)
	return true, nil
}

// writeAnswer looks at the newest object when ours is old: the call was made, so its answer is written whatever else has changed.
func (r *Reconciler) writeAnswer(ctx context.Context, object *cdbv1.ImportJobStop, a *answer) error {
	if a.before == nil {
		a.before = object.Status.DeepCopy() // a write that was lost on its way back is told all the same
	}
	for {
		if last := object.Status.LastAttempt; last == nil || !last.StartTime.Equal(&a.started) {
			return errOvertaken
		}
		err := r.writeSince(ctx, object, a.before, func(o *cdbv1.ImportJobStop) { judge(o, a) })
		if !apierrors.IsConflict(err) {
			return err
		}
		uid := object.UID
		*object = cdbv1.ImportJobStop{}
		if err := r.Live.Get(ctx, a.key, object); err != nil {
			return err
		}
		if object.UID != uid {
			return apierrors.NewNotFound(cdbv1.GroupVersion.WithResource("importjobstops").GroupResource(), a.key.Name)
		}
	}
}
