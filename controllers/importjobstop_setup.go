// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// secretIndex finds the objects that use a Secret.
const secretIndex = "spec.credentialsSecretRef.name"

// What the API server's failures cost: backoff between the tries of an object, and the longest that one may hold a worker.
const (
	minRetry, maxRetry = 10 * time.Millisecond, 10 * time.Second
	reconcileTimeout   = 15 * time.Second
)

// SetupWithManager watches the objects, the metadata of Secrets unless they are polled, and the credits that come back.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, options controller.Options) error {
	err := mgr.GetFieldIndexer().IndexField(ctx, &cdbv1.ImportJobStop{}, secretIndex, func(o client.Object) []string {
		object, _ := o.(*cdbv1.ImportJobStop)
		return []string{object.Spec.CredentialsSecretRef.Name}
	})
	if err != nil {
		return err
	}
	// The lease is released when all that needs it has ended: not before the answers of the calls that are out are written.
	err = mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		<-ctx.Done()
		r.calls.drain()
		return nil
	}))
	if err != nil {
		return err
	}
	options.RateLimiter = workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minRetry, maxRetry)
	options.ReconciliationTimeout = reconcileTimeout
	b := ctrl.NewControllerManagedBy(mgr).
		For(&cdbv1.ImportJobStop{}, builder.WithPredicates(predicate.Funcs{UpdateFunc: r.isNews})).
		WatchesRawSource(source.Func(r.startQuota)).
		WithOptions(options)
	if r.SecretPoll == 0 {
		secret := &metav1.PartialObjectMetadata{}
		secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
		b = b.WatchesMetadata(secret, handler.EnqueueRequestsFromMapFunc(r.usersOf), builder.WithPredicates(predicate.ResourceVersionChangedPredicate{}))
	}
	return b.Complete(r)
}

// startQuota runs when this process begins to work, as the leader where there is one.
// An object with a credit in its hand goes before all others.
func (r *Reconciler) startQuota(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	prior, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request])
	if !ok {
		return errors.New("the controller's queue has no priorities")
	}
	r.enqueue = func(name types.NamespacedName) {
		prior.AddWithOpts(priorityqueue.AddOpts{Priority: new(1)}, reconcile.Request{NamespacedName: name})
	}
	r.Quota.Start(r.enqueue)
	return nil
}

// isNews leaves out the echoes of our own writes after which there is nothing to do: most of what a watch tells.
func (r *Reconciler) isNews(e event.UpdateEvent) bool {
	object, ok := e.ObjectNew.(*cdbv1.ImportJobStop)
	if !ok || !r.memory.isEcho(object) {
		return true
	}
	switch readyReason(object) {
	case cdbv1.ReasonStopping, cdbv1.ReasonWaitingForQuota:
		return false // the answer or the credit brings it back
	}
	return !isSettled(object) || object.Generation != object.Status.ObservedGeneration || !expiry(object).IsZero()
}

// usersOf returns the unfinished objects that use a Secret, which has changed.
func (r *Reconciler) usersOf(ctx context.Context, secret client.Object) []reconcile.Request {
	r.secrets.changed(client.ObjectKeyFromObject(secret))
	var objects cdbv1.ImportJobStopList
	err := r.Client.List(ctx, &objects, client.InNamespace(secret.GetNamespace()), client.MatchingFields{secretIndex: secret.GetName()}, client.UnsafeDisableDeepCopy)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "finding the objects that use a Secret")
		return nil
	}
	var requests []reconcile.Request
	for i := range objects.Items {
		if !isReady(&objects.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&objects.Items[i])})
		}
	}
	return requests
}

// CountByReason counts the objects in the cache by the reason of Ready; those that have none yet count as None.
func (r *Reconciler) CountByReason() (map[string]int, error) {
	var objects cdbv1.ImportJobStopList
	if err := r.Client.List(context.Background(), &objects, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for i := range objects.Items {
		reason := readyReason(&objects.Items[i])
		if reason == "" {
			reason = "None"
		}
		counts[reason]++
	}
	return counts, nil
}
