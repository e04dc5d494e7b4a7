// SPDX-License-Identifier: Apache-2.0

// Package operator wires the manager, the reconciler, the cloud's client and the metrics, and runs them.
package operator

import (
	"context"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/controllers"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/metrics"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/tencentcloud"
)

// The vendor's limits of the actions that ask, in calls a second.
// Source: https://www.tencentcloud.com/document/product/236/20410 (DescribeAsyncRequestInfo) and .../236/15856 (DescribeDBImportRecords).
const describeLimit, listLimit = 40, 100

// Options are what a person chooses. The fields of the second group can be zero.
type Options struct {
	// Endpoints of the cloud.
	Endpoints tencentcloud.Endpoints
	// CallsPerSecond is the maximum of StopDBImportJob calls in any second per account and endpoint, at least 1.
	CallsPerSecond int
	// TotalPerSecond is the maximum of calls of the cloud in any second over all accounts and actions. Zero does not bound them.
	TotalPerSecond int
	// Workers is the maximum of concurrent reconciles. Zero is one.
	Workers int
	// SecretPoll is the shortest interval between reads of a Secret that objects wait for. It must be positive.
	SecretPoll time.Duration
	// WaitLogInterval is how often the log says that the operator waits for the API server. It must be positive.
	WaitLogInterval time.Duration
	// Metrics is the endpoint that serves them. ProbeAddress and PprofAddress are addresses to listen on. "0" serves nothing.
	Metrics                    metrics.Endpoint
	ProbeAddress, PprofAddress string

	// Namespaces to watch. None means all.
	Namespaces []string
	// LeaderElection lets one of several replicas act, by a Lease in LeaseNamespace, or in the namespace of the pod if that is empty.
	LeaderElection bool
	LeaseNamespace string
	// Transport carries the calls of the cloud. Nil is HTTP, through the proxy that the environment names.
	Transport http.RoundTripper
	// Logger is that of controller-runtime if it is zero.
	Logger logr.Logger
	// Synced is called when the cache has all objects, unless it is nil.
	Synced func()
}

// Run runs the operator until ctx is done, or until it cannot go on. registry takes its metrics.
func Run(ctx context.Context, config *rest.Config, registry prometheus.Registerer, o Options) error {
	o.setDefaults()
	config.QPS = -1 // the API server's priority and fairness limits us better than we can
	mgr, leads, err := o.newManager(config)
	if err != nil {
		return err
	}
	observer, err := metrics.New(registry, metrics.Labels{
		Regions: tencentcloud.Regions(), Codes: tencentcloud.KnownCodes(), Reasons: cdbv1.ReadyReasons(),
	})
	if err != nil {
		return err
	}
	reconciler := o.newReconciler(mgr, observer, leads)
	// A process runs one operator; a test may run many, one after the other.
	control := controller.Options{MaxConcurrentReconciles: o.Workers, SkipNameValidation: new(true)}
	if err := reconciler.SetupWithManager(mgr, control); err != nil {
		return err
	}
	if err := observer.Snapshots(reconciler.Quota.States, whenSynced(mgr.GetCache(), reconciler.CountByReason)); err != nil {
		return err
	}
	if err := observer.Troubles(whenSynced(mgr.GetCache(), troubleOf(reconciler.Trouble))); err != nil {
		return err
	}
	if err := o.Metrics.AddTo(ctx, mgr); err != nil {
		return err
	}
	if err := addProbes(mgr); err != nil {
		return err
	}
	return o.start(ctx, mgr)
}

func (o Options) newReconciler(mgr ctrl.Manager, observer *metrics.Metrics, leads func() bool) *controllers.Reconciler {
	return &controllers.Reconciler{
		Client:     mgr.GetClient(),
		APIReader:  mgr.GetAPIReader(),
		Cloud:      observer.Observe(tencentcloud.NewClient(o.Endpoints).WithTransport(o.Transport)),
		Quota:      quota.New[types.NamespacedName](o.limit, o.TotalPerSecond),
		Events:     newEventWriter(mgr),
		Waited:     observer.Waited,
		Accepted:   observer.Accepted,
		Recovered:  observer.Recovered,
		Leads:      leads,
		SecretPoll: o.SecretPoll,
	}
}

func (o *Options) setDefaults() {
	if o.Logger.IsZero() {
		o.Logger = ctrl.Log
	}
	if o.Synced == nil {
		o.Synced = func() {}
	}
}

// limit returns the maximum calls of an action in any second.
func (o Options) limit(action string) int {
	switch importjob.Action(action) {
	case importjob.ActionDescribe:
		return describeLimit
	case importjob.ActionList:
		return listLimit
	default:
		return o.CallsPerSecond
	}
}

// troubleOf reads the trouble of now.
func troubleOf(read func(now time.Time) ([]controllers.Trouble, error)) func() ([]metrics.Trouble, error) {
	return func() ([]metrics.Trouble, error) {
		found, err := read(time.Now())
		output := make([]metrics.Trouble, len(found))
		for i, t := range found {
			output[i] = metrics.Trouble(t)
		}
		return output, err
	}
}
