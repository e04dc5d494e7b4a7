// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	observed "github.com/tencentcloud-cdb/importjobstop-operator/internal/metrics"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/operator"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/tencentcloud"
)

// minSecretPoll keeps objects that wait for a Secret from loading the API server.
const minSecretPoll = time.Second

// waitLogInterval is how often the log says that the operator waits for the API server. Tests shorten it.
var waitLogInterval = 15 * time.Second

// options are the flags.
type options struct {
	metricsAddress, probeAddress, endpoint, namespaces string
	leaseNamespace, pprofAddress, metricsCerts         string
	metricsSecure, leaderElect, regional, version      bool
	callsPerSecond, totalPerSecond, workers            int
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
	flags.IntVar(&o.totalPerSecond, "total-requests-per-second", 500, "Maximum calls of the cloud in any second over all accounts and actions, at least --requests-per-second. Namespaces take turns when it is reached. It also bounds what invalid accounts send from the operator's address.")
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
	case o.totalPerSecond < o.callsPerSecond:
		return fmt.Errorf("--total-requests-per-second is %d: use at least the %d of --requests-per-second", o.totalPerSecond, o.callsPerSecond)
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

// operator returns what the flags mean to the operator.
func (o *options) operator() (operator.Options, error) {
	override, err := tencentcloud.ParseOverride(o.endpoint)
	if err != nil {
		return operator.Options{}, fmt.Errorf("--endpoint: %w", err)
	}
	return operator.Options{
		Endpoints:       tencentcloud.Endpoints{Regional: o.regional, Override: override},
		CallsPerSecond:  o.callsPerSecond,
		TotalPerSecond:  o.totalPerSecond,
		Workers:         o.workers,
		SecretPoll:      o.secretPoll,
		WaitLogInterval: waitLogInterval,
		Metrics:         observed.Endpoint{Address: o.metricsAddress, Secure: o.metricsSecure, CertDir: o.metricsCerts, Gatherer: metrics.Registry},
		ProbeAddress:    o.probeAddress,
		PprofAddress:    o.pprofAddress,
		Namespaces:      o.watched(),
		LeaderElection:  o.leaderElect,
		LeaseNamespace:  o.leaseNamespace,
	}, nil
}
