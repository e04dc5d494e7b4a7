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
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/tencentcloud"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// naive is the BASELINE, not this operator: reconcile = call, the default exponential backoff, no pacing. A status write follows each call.
func (b *bench) naive(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t, err := b.newCrowd(ctx, "a")
	if err != nil {
		return err
	}
	endpoint, err := tencentcloud.ParseOverride(b.CloudURL)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(b.Config, ctrl.Options{
		Scheme: b.Client.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{DefaultNamespaces: map[string]cache.Config{t.Namespace: {}}},
	})
	if err != nil {
		return err
	}
	cloud := tencentcloud.NewClient(tencentcloud.Endpoints{Override: endpoint})
	a := t.AccountOf("a")
	creds := importjob.Credentials{SecretID: a.SecretID, SecretKey: a.SecretKey}
	reconciler := reconcile.Func(func(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
		o := &cdbv1.ImportJobStop{}
		if err := mgr.GetClient().Get(ctx, req.NamespacedName, o); err != nil || o.Status.RequestID != "" {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
		target := importjob.Target{Region: harness.Region, AsyncRequestID: o.Spec.AsyncRequestID, Site: importjob.China}
		requestID, callErr := cloud.Stop(ctx, creds, target)
		o.Status.RequestID = requestID
		o.Status.Attempts++
		if err := mgr.GetClient().Status().Update(ctx, o); err != nil {
			return ctrl.Result{}, err
		}
		return ctrl.Result{}, callErr
	})
	err = ctrl.NewControllerManagedBy(mgr).For(&cdbv1.ImportJobStop{}).Named("naive").WithOptions(controller.Options{
		MaxConcurrentReconciles: 10, RateLimiter: workqueue.DefaultTypedControllerRateLimiter[reconcile.Request](),
	}).Complete(reconciler)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	const objects, bound = 1000, 90 * time.Second
	before, err := b.writes(ctx)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := t.create(ctx, "a", 0, objects); err != nil {
		return err
	}
	bounded, stop := context.WithTimeout(ctx, bound)
	defer stop()
	_ = t.accepted(bounded, "a", objects)
	l, took := loadOf(t.requests("a")), time.Since(begin)
	after, err := b.writes(ctx)
	if err != nil {
		return err
	}
	b.row("BASELINE, a naive controller: 1,000 objects, 90 s at most", noGoal, true, "%d accepted in %.0f s (%.1f/s), %d refused, %d repeated, %.1f status writes per object",
		l.accepted, took.Seconds(), float64(l.accepted)/took.Seconds(), l.refused, l.repeated, float64(after.status-before.status)/objects)
	cancel()
	return <-ended
}
