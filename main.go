// SPDX-License-Identifier: Apache-2.0

// The ImportJobStop operator stops data imports into TencentDB for MySQL, as ImportJobStop objects ask for it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/controllers"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	observed "github.com/tencentcloud-cdb/importjobstop-operator/internal/metrics"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/tencentcloud"
)

// version is set by the linker.
var version = "devel"

func main() {
	var o options
	o.bind(flag.CommandLine)
	flag.Parse()
	if o.version {
		fmt.Println("importjobstop-operator", version, runtime.GOOS+"/"+runtime.GOARCH, runtime.Version())
		return
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.zap)))
	log.SetOutput(io.Discard) // net/http writes bytes there that a server sent without being asked, which can quote a credential
	err := o.check(flag.Args())
	if err == nil {
		err = run(ctrl.SetupSignalHandler(), &o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "importjobstop-operator:", err)
		os.Exit(1)
	}
}

// run wires flags, manager and reconciler, and returns when ctx is done or something cannot go on.
func run(ctx context.Context, o *options) error {
	endpoints, err := o.endpoints()
	if err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	config.QPS = -1 // the API server's priority and fairness limits us better than we can
	mgr, err := ctrl.NewManager(config, o.manager())
	if err != nil {
		return err
	}
	observer, err := observed.New(metrics.Registry, observed.Labels{
		Regions: tencentcloud.Regions(), Codes: tencentcloud.KnownCodes(), Reasons: cdbv1.ReadyReasons(),
	})
	if err != nil {
		return err
	}
	reconciler := newReconciler(mgr, observer, tencentcloud.NewClient(endpoints), o)
	if err := reconciler.SetupWithManager(mgr, controller.Options{MaxConcurrentReconciles: o.workers}); err != nil {
		return err
	}
	if err := observer.Snapshots(reconciler.Quota.States, whenSynced(mgr.GetCache(), reconciler.CountByReason)); err != nil {
		return err
	}
	if err := o.metrics().AddTo(ctx, mgr); err != nil {
		return err
	}
	if err := addProbes(mgr); err != nil {
		return err
	}
	return start(ctx, mgr, o.watched())
}

// newReconciler gives the reconciler all that it needs from outside.
func newReconciler(mgr ctrl.Manager, observer *observed.Metrics, cloud importjob.Cloud, o *options) *controllers.Reconciler {
	return &controllers.Reconciler{
		Client:     mgr.GetClient(),
		APIReader:  mgr.GetAPIReader(),
		Cloud:      observer.Observe(cloud),
		Quota:      quota.New[types.NamespacedName](o.limit),
		Events:     mgr.GetEventRecorder("importjobstop-operator"),
		Waited:     observer.Waited,
		Accepted:   observer.Accepted,
		Recovered:  observer.Recovered,
		SecretPoll: o.secretPoll,
	}
}
