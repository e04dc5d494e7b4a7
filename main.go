// SPDX-License-Identifier: Apache-2.0

// The ImportJobStop operator stops data imports into TencentDB for MySQL, as ImportJobStop objects ask for it.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/controllers"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	observed "github.com/tencentcloud-cdb/importjobstop-operator/internal/metrics"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/tencentcloud"
)

// version is set by the linker.
var version = "devel"

// describeLimit is the vendor's limit of DescribeAsyncRequestInfo, in calls a second.
const describeLimit = 40

type options struct {
	metricsAddress, probeAddress, endpoint, namespaces string
	leaseNamespace, pprofAddress, metricsCerts         string
	metricsSecure, leaderElect, regional, version      bool
	callsPerSecond, workers                            int
	secretPoll                                         time.Duration
	zap                                                zap.Options
}

func (o *options) bind(flags *flag.FlagSet) {
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", "0", "The address of the metrics endpoint, as in :8443; 0 serves none.")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", true, "Serve metrics over HTTPS to authenticated and authorized clients only.")
	flags.StringVar(&o.metricsCerts, "metrics-cert-path", "", "A folder with tls.crt and tls.key for the metrics endpoint, read again when they change. Empty: a certificate made at start, which nobody can verify.")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "The address of the probes /healthz and /readyz; 0 serves none.")
	flags.StringVar(&o.pprofAddress, "pprof-bind-address", "0", "The address of Go's profiles, as in 127.0.0.1:6060, for a developer; 0 serves none.")
	flags.BoolVar(&o.leaderElect, "leader-elect", false, "Let only one of several replicas act at a time.")
	flags.StringVar(&o.leaseNamespace, "leader-election-namespace", "", "The namespace of the lease. Empty: the namespace of the pod.")
	flags.StringVar(&o.endpoint, "endpoint", "", "One URL for all calls of the cloud, as in https://gateway.example:8443: a private gateway or a simulator. Empty: the vendor's endpoints.")
	flags.BoolVar(&o.regional, "regional-endpoints", false, "Call each region through its own endpoint, which has its own quota.")
	flags.IntVar(&o.callsPerSecond, "requests-per-second", 20, "The most calls of StopDBImportJob in any second per account and endpoint, 1 to 1000. The vendor allows 20.")
	flags.IntVar(&o.workers, "max-concurrent-reconciles", 10, "The most objects that are looked at at a time. Calls that are out do not count.")
	flags.StringVar(&o.namespaces, "namespaces", "", "The namespaces to watch, separated by commas. Empty: all.")
	flags.DurationVar(&o.secretPoll, "secret-poll-interval", 5*time.Second, "How often the operator reads a Secret that objects wait for, as in 5s; the interval grows to 30s as the wait goes on.")
	flags.BoolVar(&o.version, "version", false, "Print the version and end.")
	o.zap.BindFlags(flags)
}

// check says what would be right; args are what follows the flags.
func (o *options) check(args []string) error {
	switch {
	case o.callsPerSecond < 1 || o.callsPerSecond > 1000:
		return fmt.Errorf("--requests-per-second is %d: give a number from 1 to 1000", o.callsPerSecond)
	case o.workers < 1:
		return fmt.Errorf("--max-concurrent-reconciles is %d: give at least 1", o.workers)
	case o.secretPoll < time.Second:
		return fmt.Errorf("--secret-poll-interval is %s: give at least 1s", o.secretPoll)
	case o.metricsCerts != "" && !o.metricsSecure:
		return errors.New("--metrics-cert-path is of no use with --metrics-secure=false: leave one of them out")
	case slices.ContainsFunc(o.watched(), func(name string) bool { return len(validation.IsDNS1123Label(name)) > 0 }):
		return fmt.Errorf("--namespaces is %q: give names separated by commas, as in shop,billing", o.namespaces)
	case len(args) > 0:
		return fmt.Errorf("unexpected argument %q: see --help", args[0])
	}
	return nil
}

// watched are the namespaces to watch; none is all.
func (o *options) watched() (names []string) {
	if o.namespaces == "" {
		return nil
	}
	for name := range strings.SplitSeq(o.namespaces, ",") {
		names = append(names, strings.TrimSpace(name))
	}
	return names
}

// checkCertificate: without it, a wrong folder would serve a certificate that nobody can verify, and say nothing.
func (o *options) checkCertificate() error {
	if o.metricsCerts == "" {
		return nil
	}
	_, err := tls.LoadX509KeyPair(filepath.Join(o.metricsCerts, "tls.crt"), filepath.Join(o.metricsCerts, "tls.key"))
	return err
}

func main() {
	var o options
	o.bind(flag.CommandLine)
	flag.Parse()
	if o.version {
		fmt.Println("importjobstop-operator", version, runtime.GOOS+"/"+runtime.GOARCH, runtime.Version())
		return
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.zap)))
	if err := run(&o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "importjobstop-operator:", err)
		os.Exit(1)
	}
}

func run(o *options, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	endpoint, err := tencentcloud.ParseOverride(o.endpoint)
	if err != nil {
		return fmt.Errorf("--endpoint: %w", err)
	}
	if err := o.checkCertificate(); err != nil {
		return fmt.Errorf("--metrics-cert-path: %w", err)
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
	observer, err := observed.New(metrics.Registry)
	if err != nil {
		return err
	}
	reconciler := &controllers.Reconciler{
		Client:    mgr.GetClient(),
		APIReader: mgr.GetAPIReader(),
		Cloud:     observer.Observe(tencentcloud.NewClient(tencentcloud.Endpoints{Regional: o.regional, Override: endpoint})),
		Quota:     quota.New[types.NamespacedName](o.limit),
		Events:    mgr.GetEventRecorder("importjobstop-operator"),
		Waited:    observer.Waited,
		Accepted:  observer.Accepted,
		Recovered: func() {},

		SecretPoll: o.secretPoll,
	}
	if err := observed.Snapshots(metrics.Registry, reconciler.Quota.States, reconciler.CountByReason); err != nil {
		return err
	}
	ctx := ctrl.SetupSignalHandler()
	if err := reconciler.SetupWithManager(mgr, controller.Options{MaxConcurrentReconciles: o.workers}); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("cache", cacheIsFull(mgr.GetCache())); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// cacheIsFull: a replica is ready when it has read all objects, and so can begin as soon as it leads.
func cacheIsFull(c cache.Cache) healthz.Checker {
	return func(r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), time.Second/2)
		defer cancel()
		if !c.WaitForCacheSync(ctx) {
			return errors.New("the objects are not all read yet")
		}
		return nil
	}
}

func (o *options) limit(action string) int {
	if action == string(importjob.ActionDescribe) {
		return describeLimit
	}
	return o.callsPerSecond
}

func (o *options) manager() ctrl.Options {
	scheme := apiruntime.NewScheme()
	_ = clientgoscheme.AddToScheme(scheme)
	_ = cdbv1.AddToScheme(scheme)
	m := ctrl.Options{
		Scheme: scheme,
		Metrics: metricsserver.Options{
			BindAddress: o.metricsAddress, SecureServing: o.metricsSecure, CertDir: o.metricsCerts,
			TLSOpts: []func(*tls.Config){func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }},
		},
		HealthProbeBindAddress:        o.probeAddress,
		PprofBindAddress:              o.pprofAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              "importjobstop.cdb.tencentcloud.com",
		LeaderElectionNamespace:       o.leaseNamespace,
		LeaderElectionReleaseOnCancel: true,
		Cache:                         cache.Options{DefaultTransform: controllers.StripUnusedFields, DefaultNamespaces: map[string]cache.Config{}},
	}
	if o.metricsSecure {
		m.Metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	for _, namespace := range o.watched() {
		m.Cache.DefaultNamespaces[namespace] = cache.Config{}
	}
	return m
}
