// SPDX-License-Identifier: Apache-2.0

// Package controllers finds and stops the import that each ImportJobStop is about, and records the result in its status.
// What to do is decided in internal/lifecycle; this package has the effects.
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
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/credentials"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

// conflictRetry is how soon the operator tries again, if no watch event comes first: when its copy of an object is stale, when a change of
// status leads to a call, when another process may lead, and when forever runs a function again.
const conflictRetry = 100 * time.Millisecond

// Reconciler stops the import that an ImportJobStop names or describes. Set every field before SetupWithManager; only Leads may
// be nil.
type Reconciler struct {
	Client    client.Client // writes, and reads from the cache
	APIReader client.Reader // uncached, for live reads and for Secrets
	Cloud     importjob.Cloud
	Quota     *quota.Limiter[types.NamespacedName] // the controller starts it
	Events    events.EventRecorder                 // is called after each write of status
	// Waited observes how long each call was in the queue, Accepted the time from the creation of each object to its acceptance, and
	// Recovered each recovered panic.
	Waited    func(action importjob.Action, inQueue time.Duration)
	Accepted  func(sinceCreation time.Duration)
	Recovered func()
	// Leads returns false when another process may lead, even if this one has not noticed yet. Nil means that this one always leads.
	Leads func() bool
	// SecretPoll is the shortest interval between reads of a Secret that objects wait for. It must be positive.
	SecretPoll time.Duration

	enqueue      func(key types.NamespacedName, priority int)
	inFlight     inFlight
	expectations expectations
	tells        tells
	credentials  *credentials.Store
	lookups      lookups
}

// +kubebuilder:rbac:groups=cdb.tencentcloud.com,resources=importjobstops,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=cdb.tencentcloud.com,resources=importjobstops/status,verbs=update
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// Reconcile loads the object and takes it one step further.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	defer r.tells.begin(req.NamespacedName)()
	if r.inFlight.skip(req.NamespacedName) {
		return ctrl.Result{}, nil // it comes back when its result is in status
	}
	object, expected := &cdbv1.ImportJobStop{}, r.expectations.latest(req.NamespacedName)
	err := r.Client.Get(ctx, req.NamespacedName, object)
	switch {
	case apierrors.IsNotFound(err) || (err == nil && object.DeletionTimestamp != nil):
		r.forget(req.NamespacedName)
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, err
	case expected.isStale(object):
		r.tells.again(req.NamespacedName)
		return ctrl.Result{RequeueAfter: conflictRetry}, nil
	}
	after, err := r.reconcileSafely(ctx, object)
	if err == nil {
		return ctrl.Result{RequeueAfter: after, Priority: priorityOf(object)}, nil
	}
	r.tells.again(req.NamespacedName)
	if apierrors.IsConflict(err) || isGone(err, object) {
		logr.FromContextOrDiscard(ctx).V(1).Info("the copy in the cache is stale, reading again")
		return ctrl.Result{RequeueAfter: conflictRetry}, nil
	}
	return ctrl.Result{}, err
}

// priorityOf puts objects that wait behind those that can go on.
func priorityOf(object *cdbv1.ImportJobStop) *int {
	if lifecycle.Waits(object) {
		return new(priorityWaits)
	}
	return new(priorityFresh)
}

// reconcile does what lifecycle.Next wants. It returns the time until the object must be reconciled again; zero means not before it changes.
func (r *Reconciler) reconcile(ctx context.Context, object *cdbv1.ImportJobStop) (time.Duration, error) {
	key, now := client.ObjectKeyFromObject(object), time.Now()
	changed, urgent := r.credentials.News(key)
	step := lifecycle.Next(object, now, changed)
	if step.Action != "" {
		return r.proceed(ctx, object, step.Action, changed, urgent)
	}
	r.Quota.Leave(key)
	if step.Remove {
		return 0, r.remove(ctx, object)
	}
	if step.InTurn && r.tells.mustWait(key, now, now) {
		return lifecycle.RequeueAfter(object, now), nil
	}
	after, err := r.writeAndWait(ctx, object, step.Change, credentials.Fingerprint{}, now)
	if err == nil && lifecycle.Next(object, now, false).Action != "" {
		return conflictRetry, nil
	}
	return after, err
}

// proceed makes the call if the object has credentials and a credit. Otherwise the status says what is missing.
func (r *Reconciler) proceed(ctx context.Context, object *cdbv1.ImportJobStop, action importjob.Action, changed, urgent bool) (time.Duration, error) {
	if !r.leads() {
		return conflictRetry, nil
	}
	now := time.Now()
	secret := lifecycle.SecretWaitOf(object)
	if secret.Missing && !changed {
		return r.keepWaiting(ctx, object, now)
	}
	creds, fingerprint, err := r.credentials.Get(ctx, secretOf(object))
	if err != nil {
		return r.withoutCredentials(ctx, object, fingerprint, err)
	}
	if secret.Rejected && !urgent {
		if next, refused := r.credentials.Refused(scopeOf(object, action), fingerprint, client.ObjectKeyFromObject(object), now, lifecycle.CredentialsRetry); refused {
			return r.followRefusal(ctx, object, fingerprint, next)
		}
	}
	credit, wait := r.admit(object, fingerprint, action)
	if credit == nil {
		return r.waitForQuota(ctx, object, wait, now)
	}
	return 0, r.send(ctx, &call{object: object, creds: creds, fingerprint: fingerprint, action: action, credit: credit})
}

// leads says whether no other process can lead.
func (r *Reconciler) leads() bool { return r.Leads == nil || r.Leads() }

// admit asks the budget of the call for a credit. A budget is known by the whole content of the Secret: a stranger who knows only
// the SecretId does not get into the queue of its owner.
func (r *Reconciler) admit(object *cdbv1.ImportJobStop, account credentials.Fingerprint, action importjob.Action) (*quota.Credit, quota.Wait) {
	key := quota.Key{Account: string(account[:]), Host: r.Cloud.Host(lifecycle.Target(object)), Action: string(action)}
	rank := quota.Rank{Owner: object.Namespace, Created: object.CreationTimestamp.Time, Name: object.Name}
	return r.Quota.Acquire(key, client.ObjectKeyFromObject(object), rank)
}

// forget drops what is kept of a deleted object.
func (r *Reconciler) forget(key types.NamespacedName) {
	r.Quota.Leave(key)
	r.credentials.Forget(key)
	r.expectations.forget(key)
	r.lookups.forget(key)
}
