// SPDX-License-Identifier: Apache-2.0

// Package controllers turns each ImportJobStop into one call of the cloud and a truthful status.
package controllers

import (
	"context"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

// conflictRetry is how soon an old copy of an object is looked at again, if no event comes first.
const conflictRetry = 100 * time.Millisecond

// Reconciler makes the wish of an ImportJobStop true, once.
type Reconciler struct {
	Client client.Client
	Live   client.Reader // uncached: for Secrets, of which no cache is kept
	Cloud  importjob.Cloud
	Quota  *quota.Budgets[types.NamespacedName]
	Events events.EventRecorder
	// Waited is told how long each call was in line, Accepted how long after its creation each object was accepted.
	Waited   func(action importjob.Action, inLine time.Duration)
	Accepted func(sinceCreation time.Duration)
	// SecretPoll is how often an object that waits for its Secret looks at it. Zero watches the metadata of all Secrets instead,
	// which needs the permission to list them.
	SecretPoll time.Duration

	enqueue func(types.NamespacedName) // before all others
	calls   calls
	memory  memory
	secrets secrets
}

// +kubebuilder:rbac:groups=cdb.tencentcloud.com,resources=importjobstops,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=cdb.tencentcloud.com,resources=importjobstops/status,verbs=update
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// Reconcile loads the object and takes it one step further. A conflict means that we looked at an old copy: look again.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	if r.calls.isOut(req.NamespacedName) {
		return ctrl.Result{}, nil // it comes back when its answer is in status
	}
	object := &cdbv1.ImportJobStop{}
	err := r.Client.Get(ctx, req.NamespacedName, object)
	if apierrors.IsNotFound(err) || (err == nil && object.DeletionTimestamp != nil) {
		r.Quota.Leave(req.NamespacedName)
		r.memory.forget(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	if r.memory.isOld(object) {
		return ctrl.Result{RequeueAfter: conflictRetry}, nil
	}
	now := time.Now()
	err = r.reconcile(ctx, object, now)
	if apierrors.IsConflict(err) {
		logr.FromContextOrDiscard(ctx).V(1).Info("looked at an old copy, looking again")
		return ctrl.Result{RequeueAfter: conflictRetry}, nil
	}
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: alarm(object, now, r.SecretPoll)}, nil
}

// reconcile is the whole story: whatever next says.
func (r *Reconciler) reconcile(ctx context.Context, object *cdbv1.ImportJobStop, now time.Time) error {
	step := next(object, now)
	if step.action != "" {
		return r.proceed(ctx, object, step.action, now)
	}
	r.leave(object)
	switch {
	case step.remove:
		return r.remove(ctx, object)
	case step.change != nil:
		return r.write(ctx, object, step.change)
	}
	return r.reviseCredentials(ctx, object)
}

// proceed makes the call when the object has credentials and a credit; else it says what is missing.
func (r *Reconciler) proceed(ctx context.Context, object *cdbv1.ImportJobStop, action importjob.Action, now time.Time) error {
	creds, err := r.credentials(ctx, object)
	if err != nil {
		return r.withoutCredentials(ctx, object, err)
	}
	credit, turn := r.admit(object, creds, action)
	if credit == nil {
		return r.write(ctx, object, waitingForQuota(now, turn))
	}
	return r.send(ctx, object, creds, action, credit)
}

// send writes the attempt down and then makes the call, which holds no worker.
func (r *Reconciler) send(ctx context.Context, object *cdbv1.ImportJobStop, creds importjob.Credentials, action importjob.Action, credit *quota.Credit) error {
	key := client.ObjectKeyFromObject(object)
	if !r.calls.begin(key) {
		credit.Cancel()
		return nil
	}
	claimedAt := time.Now()
	if action == importjob.ActionStop {
		if err := r.claim(ctx, object); err != nil {
			if apierrors.IsConflict(err) {
				credit.Keep() // it looks again at once, and is not sent to the end of the line
			} else {
				credit.Cancel()
			}
			r.calls.end(key)
			return err
		}
	}
	r.Waited(action, credit.Waited)
	called := object.DeepCopy()
	go func() {
		r.call(context.WithoutCancel(ctx), called, creds, action, credit, claimedAt) // a shutdown waits for it
		if missed := r.calls.end(key); missed {
			r.enqueue(key)
		}
	}()
	return nil
}

// admit asks the budget that the call would be counted by.
func (r *Reconciler) admit(object *cdbv1.ImportJobStop, creds importjob.Credentials, action importjob.Action) (*quota.Credit, time.Duration) {
	account := fingerprint(creds) // the SecretId alone is no secret: who only knows that must not get into the line of its owner
	key := quota.Key{Account: string(account[:]), Host: r.Cloud.Host(target(object)), Action: string(action)}
	return r.Quota.Acquire(key, client.ObjectKeyFromObject(object))
}

// leave gives up the object's place in line, or its credit.
func (r *Reconciler) leave(object *cdbv1.ImportJobStop) {
	r.Quota.Leave(client.ObjectKeyFromObject(object))
}
