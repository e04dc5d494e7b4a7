// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// naive is the BASELINE, not this operator: reconcile = call, the default exponential backoff, no pacing. A status write follows each call.
func (b *bench) naive(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t, err := b.newCrowd(ctx, "a")
	if err != nil {
		return err
	}
	mgr, err := t.naiveManager()
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	const objects, bound = 1000, 90 * time.Second
	begin, l := time.Now(), load{}
	var took time.Duration
	written, err := b.writesDuring(ctx, func() error {
		if err := t.create(ctx, "a", 0, objects); err != nil {
			return err
		}
		bounded, stop := context.WithTimeout(ctx, bound)
		defer stop()
		_ = t.accepted(bounded, "a", objects)
		l, took = loadOf(t.requests("a")), time.Since(begin)
		return nil
	})
	if err != nil {
		return err
	}
	status, _ := written.per(objects)
	b.row("BASELINE, a naive controller: 1,000 objects, 90 s at most", noGoal, true, "%d accepted in %.0f s (%.1f/s), %d refused, %d repeated, %.1f status writes per object",
		l.accepted, took.Seconds(), float64(l.accepted)/took.Seconds(), l.refused, l.repeated, status)
	cancel()
	return <-ended
}

// naiveManager stops the imports of the account a.
func (t crowd) naiveManager() (ctrl.Manager, error) {
	mgr, err := ctrl.NewManager(t.Config, ctrl.Options{
		Scheme: t.Client.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{DefaultNamespaces: map[string]cache.Config{t.Namespace: {}}},
	})
	if err != nil {
		return nil, err
	}
	stop, err := t.StopAs("a")
	if err != nil {
		return nil, err
	}
	reconciler := reconcile.Func(func(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
		o := &cdbv1.ImportJobStop{}
		if err := mgr.GetClient().Get(ctx, req.NamespacedName, o); err != nil || o.Status.RequestID != "" {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
		requestID, callErr := stop(ctx, o.Spec.AsyncRequestID)
		o.Status.RequestID = requestID
		o.Status.Attempts++
		if err := mgr.GetClient().Status().Update(ctx, o); err != nil {
			return ctrl.Result{}, err
		}
		return ctrl.Result{}, callErr
	})
	return mgr, ctrl.NewControllerManagedBy(mgr).For(&cdbv1.ImportJobStop{}).Named("naive").WithOptions(controller.Options{
		MaxConcurrentReconciles: 10, RateLimiter: workqueue.DefaultTypedControllerRateLimiter[reconcile.Request](),
	}).Complete(reconciler)
}
