// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// writeTimeout bounds the write of an answer, which goes on while the process shuts down.
const writeTimeout = 10 * time.Second

// errOvertaken: another operator has made a later attempt, and its status is the truth now.
var errOvertaken = errors.New("the status speaks of a later attempt")

// write updates the status with the resourceVersion just read, and only if the change changes anything.
func (r *Reconciler) write(ctx context.Context, object *cdbv1.ImportJobStop, c change) error {
	before := object.Status.DeepCopy()
	c(object)
	if equality.Semantic.DeepEqual(before, &object.Status) {
		return nil
	}
	return r.Client.Status().Update(ctx, object)
}

// claim writes the attempt down before it is sent. A conflict is the fence: somebody else was here.
func (r *Reconciler) claim(ctx context.Context, object *cdbv1.ImportJobStop) error {
	return r.write(ctx, object, claimed(time.Now()))
}

// record puts the kept answer into status, if there is one. It waits, true, while our copy of the object is older than that write.
func (r *Reconciler) record(ctx context.Context, object *cdbv1.ImportJobStop) (waiting bool, err error) {
	key := client.ObjectKeyFromObject(object)
	a := r.memory.kept(object)
	if a == nil {
		return false, nil
	}
	if a.writtenAs != "" {
		older, err := resourceversion.CompareResourceVersion(object.ResourceVersion, a.writtenAs)
		if err == nil && older < 0 {
			return true, nil
		}
		r.memory.settle(key)
		return false, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	before, err := r.writeAnswer(ctx, object, a)
	if errors.Is(err, errOvertaken) {
		logr.FromContextOrDiscard(ctx).Error(err, "this answer is in no status", "requestId", a.requestID, "importStatus", a.status)
		r.memory.settle(key)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	a.writtenAs = object.ResourceVersion
	r.tell(object, a, before)
	return true, nil
}

// writeAnswer looks at the newest object when ours is old: the call was made, so its answer is written whatever else has changed.
// It returns the kind of refusal that the status told of before.
func (r *Reconciler) writeAnswer(ctx context.Context, object *cdbv1.ImportJobStop, a *answer) (before string, err error) {
	for {
		if last := object.Status.LastAttempt; last == nil || !last.StartTime.Equal(&a.started) {
			return "", errOvertaken
		}
		before = acceptedReason(object)
		err := r.write(ctx, object, func(o *cdbv1.ImportJobStop) { judge(o, a) })
		if !apierrors.IsConflict(err) {
			return before, err
		}
		uid := object.UID
		*object = cdbv1.ImportJobStop{}
		if err := r.Live.Get(ctx, a.key, object); err != nil {
			return "", err
		}
		if object.UID != uid {
			return "", apierrors.NewNotFound(cdbv1.GroupVersion.WithResource("importjobstops").GroupResource(), a.key.Name)
		}
	}
}

// tell emits one event per outcome, after it is in status; a retry of the same kind is told once.
func (r *Reconciler) tell(object *cdbv1.ImportJobStop, a *answer, before string) {
	ready := meta.FindStatusCondition(object.Status.Conditions, cdbv1.ConditionReady)
	if ready == nil {
		return
	}
	switch {
	case ready.Status == metav1.ConditionTrue:
		r.Events.Eventf(object, nil, corev1.EventTypeNormal, ready.Reason, string(a.action), "%s", ready.Message)
	case a.err == nil && ready.Status == metav1.ConditionUnknown && a.requestID != "":
		r.Events.Eventf(object, nil, corev1.EventTypeNormal, cdbv1.ReasonStopAccepted, string(a.action), "%s", ready.Message)
	case ready.Status == metav1.ConditionFalse, a.err != nil && acceptedReason(object) != before:
		r.Events.Eventf(object, nil, corev1.EventTypeWarning, ready.Reason, string(a.action), "%s", cut(ready.Message))
	}
}

// cut keeps within the 1 KiB that an event's note may have.
func cut(message string) string {
	if len(message) <= 1000 {
		return message
	}
	return fmt.Sprintf("%.900s…", message)
}

// acceptedReason is the reason of Accepted, empty without that condition.
func acceptedReason(object *cdbv1.ImportJobStop) string {
	if c := meta.FindStatusCondition(object.Status.Conditions, cdbv1.ConditionAccepted); c != nil {
		return c.Reason
	}
	return ""
}
