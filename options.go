// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/controllers"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	observed "github.com/tencentcloud-cdb/importjobstop-operator/internal/metrics"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/tencentcloud"
)

const (
	// describeLimit is the vendor's limit of DescribeAsyncRequestInfo, in calls a second.
	describeLimit = 40
	// minSecretPoll keeps objects that wait for a Secret from loading the API server.
	minSecretPoll = time.Second
)

// options are the flags.
type options struct {
	metricsAddress, probeAddress, endpoint, namespaces string
	leaseNamespace, pprofAddress, metricsCerts         string
	metricsSecure, leaderElect, regional, version      bool
	callsPerSecond, workers                            int
	secretPoll                                         time.Duration
	zap                                                zap.Options
}

func (o *options) bind(flags *flag.FlagSet) {
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", "0", "Address of the metrics endpoint, as in :8443. 0 disables it.")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", true, "Serve metrics over HTTPS, and only to clients that the API server authenticates and authorizes.")
	flags.StringVar(&o.metricsCerts, "metrics-cert-path", "", "Directory with tls.crt and tls.key for the metrics endpoint. The operator reads them again when they change. If empty, it generates a certificate at start, which clients cannot verify.")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "Address of the probes /healthz and /readyz. 0 disables them.")
	flags.StringVar(&o.pprofAddress, "pprof-bind-address", "0", "Address of Go's profiles, as in 127.0.0.1:6060, for debugging. 0 disables them.")
	flags.BoolVar(&o.leaderElect, "leader-elect", false, "Elect a leader, so that only one of several replicas acts.")
	flags.StringVar(&o.leaseNamespace, "leader-election-namespace", "", "Namespace of the Lease for leader election. If empty, the namespace of the pod.")
	flags.StringVar(&o.endpoint, "endpoint", "", "URL for all cloud calls, as in https://gateway.example:8443: a private gateway or a simulator. If empty, the vendor's endpoints.")
	flags.BoolVar(&o.regional, "regional-endpoints", false, "Call each region through its own endpoint, which has its own quota.")
	flags.IntVar(&o.callsPerSecond, "requests-per-second", 20, "Maximum calls of StopDBImportJob in any second per account and endpoint, from 1 to 1000. The vendor allows 20.")
	flags.IntVar(&o.workers, "max-concurrent-reconciles", 10, "Maximum concurrent reconciles. Cloud calls in flight do not count.")
	flags.StringVar(&o.namespaces, "namespaces", "", "Namespaces to watch, separated by commas, as in shop,billing. If empty, all namespaces.")
	flags.DurationVar(&o.secretPoll, "secret-poll-interval", 5*time.Second, "How often the operator reads a Secret that objects wait for, as in 5s; the interval grows to 30s as the wait goes on.")
	flags.BoolVar(&o.version, "version", false, "Print the version and exit.")
	o.zap.BindFlags(flags)
}

// check returns an error that says which value is right. args are the arguments after the flags; there must be none.
func (o *options) check(args []string) error {
	switch {
	case o.callsPerSecond < 1 || o.callsPerSecond > 1000:
		return fmt.Errorf("--requests-per-second is %d: use a number from 1 to 1000", o.callsPerSecond)
	case o.workers < 1:
		return fmt.Errorf("--max-concurrent-reconciles is %d: use at least 1", o.workers)
	case o.secretPoll < minSecretPoll:
		return fmt.Errorf("--secret-poll-interval is %s: use at least %s, as in 5s", o.secretPoll, minSecretPoll)
	case o.metricsCerts != "" && !o.metricsSecure:
		return errors.New("--metrics-cert-path has no effect with --metrics-secure=false: remove one of them")
	case slices.ContainsFunc(o.watched(), func(name string) bool { return len(validation.IsDNS1123Label(name)) > 0 }):
		return fmt.Errorf("--namespaces is %q: use names separated by commas, as in shop,billing", o.namespaces)
	case len(args) > 0:
		return fmt.Errorf("unexpected argument %q: see --help", args[0])
	}
	return nil
}

// watched returns the namespaces to watch; none means all.
func (o *options) watched() (names []string) {
	if o.namespaces == "" {
		return nil
	}
	for name := range strings.SplitSeq(o.namespaces, ",") {
		names = append(names, strings.TrimSpace(name))
	}
	return names
}

// endpoints returns where cloud calls go.
func (o *options) endpoints() (tencentcloud.Endpoints, error) {
	override, err := tencentcloud.ParseOverride(o.endpoint)
	if err != nil {
		return tencentcloud.Endpoints{}, fmt.Errorf("--endpoint: %w", err)
	}
	return tencentcloud.Endpoints{Regional: o.regional, Override: override}, nil
}

// limit returns the maximum calls of an action in any second.
func (o *options) limit(action string) int {
	if action == string(importjob.ActionDescribe) {
		return describeLimit
	}
	return o.callsPerSecond
}

// metrics returns the endpoint that serves what controller-runtime and the operator measure.
func (o *options) metrics() observed.Endpoint {
	return observed.Endpoint{Address: o.metricsAddress, Secure: o.metricsSecure, CertDir: o.metricsCerts, Gatherer: metrics.Registry}
}

func (o *options) manager() ctrl.Options {
	scheme := runtime.NewScheme()
	_ = clientgoscheme.AddToScheme(scheme)
	_ = cdbv1.AddToScheme(scheme)
	m := ctrl.Options{
		Scheme:                        scheme,
		MapperProvider:                staticMapper,
		Metrics:                       metricsserver.Options{BindAddress: "0"}, // see metrics
		HealthProbeBindAddress:        o.probeAddress,
		PprofBindAddress:              o.pprofAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              "importjobstop.cdb.tencentcloud.com",
		LeaderElectionNamespace:       o.leaseNamespace,
		LeaderElectionReleaseOnCancel: true,
		Cache:                         cache.Options{DefaultTransform: controllers.StripUnusedFields, DefaultNamespaces: map[string]cache.Config{}},
	}
	for _, namespace := range o.watched() {
		m.Cache.DefaultNamespaces[namespace] = cache.Config{}
	}
	return m
}

// staticMapper maps the kinds that the operator reads. controller-runtime's own mapper asks the API server,
// and ends the process when the API server is away or the CRD is not installed yet.
func staticMapper(*rest.Config, *http.Client) (meta.RESTMapper, error) {
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{cdbv1.GroupVersion, corev1.SchemeGroupVersion})
	for _, kind := range []schema.GroupVersionKind{cdbv1.GroupVersion.WithKind("ImportJobStop"), corev1.SchemeGroupVersion.WithKind("Secret")} {
		mapper.Add(kind, meta.RESTScopeNamespace)
		mapper.Add(kind.GroupVersion().WithKind(kind.Kind+"List"), meta.RESTScopeNamespace) // the cache of chosen namespaces asks for it
	}
	return mapper, nil
}
