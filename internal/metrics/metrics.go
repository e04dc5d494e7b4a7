// SPDX-License-Identifier: Apache-2.0

// Package metrics measures the cloud calls, the budgets and the objects for Prometheus, and serves the result.
//
// Nobody can make the number of series grow without limit: each label has a closed set of values, and the rest is counted as other.
// No label names an object or an account.
package metrics

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

// Metrics are the operator's own metrics. All methods are safe for concurrent use.
type Metrics struct {
	registry                prometheus.Registerer
	regions, codes, reasons known

	cloudCalls *prometheus.CounterVec
	latency    *prometheus.HistogramVec
	inFlight   *prometheus.GaugeVec
	wait       *prometheus.HistogramVec
	acceptance prometheus.Histogram
	recovered  prometheus.Counter
}

// New returns metrics that are registered with the registry. It fails if one of them is registered already.
func New(registry prometheus.Registerer, labels Labels) (*Metrics, error) {
	m := &Metrics{
		registry: registry,
		regions:  newKnown(labels.Regions...),
		codes:    newKnown(append([]string{clientError}, labels.Codes...)...),
		reasons:  newKnown(append([]string{noReason}, labels.Reasons...)...),
		cloudCalls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "importjobstop_cloud_calls_total",
			Help: "Cloud API calls by action, region and error code. The code of a successful call is OK. Regions and codes that the vendor does not list are other.",
		}, []string{"action", "region", "code"}),
		latency: prometheus.NewHistogramVec(histogram("cloud_call_duration_seconds",
			"Time from sending a cloud API call until its answer, in seconds. Regions that the vendor does not list are other.", 0.005, 2, 12),
			[]string{"action", "region"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "importjobstop_cloud_calls_in_flight", Help: "Cloud API calls that were sent and not answered yet.",
		}, []string{"action"}),
		wait: prometheus.NewHistogramVec(histogram("budget_wait_seconds",
			"Time that a call waited in the queue of its budget, in seconds.", 0.01, 4, 10), []string{"action"}),
		acceptance: prometheus.NewHistogram(histogram("acceptance_duration_seconds",
			"Time from the creation of an ImportJobStop until the cloud accepted the stop, in seconds.", 0.02, 2.5, 14)),
		recovered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "importjobstop_recovered_panics_total",
			Help: "Panics recovered while reconciling an object or making a call. The log has the stack trace of each.",
		}),
	}
	return m, m.register(m.cloudCalls, m.latency, m.inFlight, m.wait, m.acceptance, m.recovered)
}

// histogram has count buckets from first on, each factor times as wide as the one before.
func histogram(name, help string, first, factor float64, count int) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: "importjobstop_" + name, Help: help, Buckets: prometheus.ExponentialBuckets(first, factor, count)}
}

func (m *Metrics) register(collectors ...prometheus.Collector) error {
	var errs []error
	for _, c := range collectors {
		errs = append(errs, m.registry.Register(c))
	}
	return errors.Join(errs...)
}

// Waited observes the time that a call spent in the queue of its budget.
func (m *Metrics) Waited(action importjob.Action, queued time.Duration) {
	m.wait.WithLabelValues(string(action)).Observe(queued.Seconds())
}

// Accepted observes the time from the creation of an object until the cloud accepted its stop.
func (m *Metrics) Accepted(sinceCreation time.Duration) {
	m.acceptance.Observe(sinceCreation.Seconds())
}

// Recovered counts a panic that did not end the process. The caller logs its stack.
func (m *Metrics) Recovered() { m.recovered.Inc() }

// Snapshots registers what is read at each scrape: the budgets in use, and the number of objects by the reason of Ready.
// While objects returns an error, as before the cache is filled, a scrape has no counts of objects.
func (m *Metrics) Snapshots(budgets func() []quota.State, objects func() (map[string]int, error)) error {
	return m.register(&snapshots{Metrics: m, budgets: budgets, objects: objects})
}
