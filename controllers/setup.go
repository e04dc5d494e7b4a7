// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/credentials"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
)

// Backoff of an object while the API server fails, and the longest that one reconcile may take.
const (
	minRetry, maxRetry = 10 * time.Millisecond, 10 * time.Second
	reconcileTimeout   = 15 * time.Second
)

// Priorities in the controller's queue. An object that is created or edited has 0, the first list after a start -100.
const (
	priorityCredit = 1  // has a credit in hand, which others wait for
	priorityFresh  = 0  // can go on
	priorityWaits  = -1 // waits for its Secret or its turn, as many others may
	priorityOld    = -2 // was unfinished when this process began to work

	priorityTells = -200 // only says that it waits
)

// SetupWithManager adds the controller, which watches the objects. The poll of their Secrets and the credits enqueue objects too: see start.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	r.credentials = credentials.New(r.readSecret, r.SecretPoll, r.followCredentials)
	// The lease is released when all that needs it has ended: not before the results of the calls in flight are written.
	err := mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		<-ctx.Done()
		r.inFlight.drain()
		return nil
	}))
	if err != nil {
		return err
	}
	options.RateLimiter = workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minRetry, maxRetry)
	options.ReconciliationTimeout = reconcileTimeout
	return ctrl.NewControllerManagedBy(mgr).
		For(&cdbv1.ImportJobStop{}, builder.WithPredicates(predicate.Funcs{UpdateFunc: r.ignoreOwnWrites})).
		WatchesRawSource(source.Func(r.start)).
		WithOptions(options).
		Complete(r)
}

// start runs when this process begins to work; with leader election, that is when it leads. It opens the budgets, enqueues what is
// unfinished, polls Secrets and gives turns to tell.
func (r *Reconciler) start(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	prior, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request])
	if !ok {
		return errors.New("the controller's queue is not a priority queue")
	}
	r.enqueue = func(key types.NamespacedName, priority int) {
		prior.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, reconcile.Request{NamespacedName: key})
	}
	r.Quota.Start(func(key types.NamespacedName) { r.enqueue(key, priorityCredit) })
	r.enqueueUnfinished(ctx)
	go r.forever(ctx, func() {
		r.credentials.Run(ctx, func(key types.NamespacedName) { r.enqueue(key, priorityWaits) })
	})
	go r.forever(ctx, func() { r.tells.run(ctx, r.enqueue) })
	return nil
}

// forever runs a function until ctx is done, again after a panic.
func (r *Reconciler) forever(ctx context.Context, run func()) {
	for ctx.Err() == nil {
		func() {
			defer r.recoverPanic(ctx, nil)
			run()
		}()
		time.Sleep(conflictRetry)
	}
}

// enqueueUnfinished enqueues the unfinished objects, the oldest first. The first list enqueues all objects too, but with a lower priority. So
// the oldest are in the queues of their budgets when the first credits come, a second after the start, however many objects there are.
func (r *Reconciler) enqueueUnfinished(ctx context.Context) {
	objects, err := r.cached(ctx)
	if err != nil {
		logr.FromContextOrDiscard(ctx).Info("listing the unfinished objects failed, so calls may not go oldest first", "error", err.Error())
		return
	}
	var unfinished []*cdbv1.ImportJobStop
	for i := range objects {
		if object := &objects[i]; !lifecycle.IsSettled(object) {
			unfinished = append(unfinished, object)
		}
	}
	slices.SortFunc(unfinished, func(a, b *cdbv1.ImportJobStop) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	for _, object := range unfinished {
		r.enqueue(client.ObjectKeyFromObject(object), priorityOld)
	}
}

// ignoreOwnWrites returns false for a write of this process that leaves nothing to do: most watch events are such writes.
func (r *Reconciler) ignoreOwnWrites(e event.UpdateEvent) (reconcile bool) {
	defer r.recoverPanic(context.Background(), func() { reconcile = true }) // it runs in a goroutine of the cache
	object, ok := e.ObjectNew.(*cdbv1.ImportJobStop)
	if !ok || !r.expectations.observeOwnWrite(object) {
		return true
	}
	return lifecycle.HasMore(object)
}

// StripUnusedFields drops what the operator never reads from an object before it is cached: a tenant can write much into it.
func StripUnusedFields(o any) (any, error) {
	object, ok := o.(*cdbv1.ImportJobStop)
	if !ok {
		return o, nil // a tombstone
	}
	unread := func(name, _ string) bool { return !lifecycle.IsRead(name) }
	maps.DeleteFunc(object.Labels, unread)
	maps.DeleteFunc(object.Annotations, unread)
	object.ManagedFields = nil
	return object, nil
}

// cached returns the objects in the cache, to be read only: they are not copied.
func (r *Reconciler) cached(ctx context.Context) ([]cdbv1.ImportJobStop, error) {
	var objects cdbv1.ImportJobStopList
	err := r.Client.List(ctx, &objects, client.UnsafeDisableDeepCopy)
	return objects.Items, err
}

// CountByReason counts the objects in the cache by the reason of Ready. Objects without one yet count as None.
func (r *Reconciler) CountByReason() (map[string]int, error) {
	objects, err := r.cached(context.Background())
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for i := range objects {
		counts[cmp.Or(lifecycle.ReadyReason(&objects[i]), "None")]++
	}
	return counts, nil
}
