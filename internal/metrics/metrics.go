// SPDX-License-Identifier: Apache-2.0

// Package metrics tells Prometheus of the calls of the cloud, the budgets and the objects. No label names an object or an account.
package metrics

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

// Metrics are all collectors of the operator.
type Metrics struct {
	calls      *prometheus.CounterVec
	latency    *prometheus.HistogramVec
	inFlight   *prometheus.GaugeVec
	wait       *prometheus.HistogramVec
	acceptance prometheus.Histogram
	region     labels
	code       labels
}

// New returns metrics that are registered.
func New(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "importjobstop_cloud_calls_total", Help: "Calls of the cloud API by action, region and error code; the code of a success is OK.",
		}, []string{"action", "region", "code"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "importjobstop_cloud_call_duration_seconds", Help: "Time from sending a call of the cloud API to its answer.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 12),
		}, []string{"action", "region"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "importjobstop_cloud_calls_in_flight", Help: "Calls of the cloud API that are not yet answered.",
		}, []string{"action"}),
		wait: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "importjobstop_budget_wait_seconds", Help: "Time that a call waited in the line of its budget.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 10),
		}, []string{"action"}),
		acceptance: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "importjobstop_acceptance_duration_seconds", Help: "Time from the creation of an object to the acceptance of its stop by the cloud.",
			Buckets: prometheus.ExponentialBuckets(0.02, 2.5, 14),
		}),
	}
	return m, errors.Join(registry.Register(m.calls), registry.Register(m.latency), registry.Register(m.inFlight),
		registry.Register(m.wait), registry.Register(m.acceptance))
}

// Waited observes the time that a call spent in line.
func (m *Metrics) Waited(action importjob.Action, inLine time.Duration) {
	m.wait.WithLabelValues(string(action)).Observe(inLine.Seconds())
}

// Accepted observes the time from the creation of an object to the acceptance of its stop.
func (m *Metrics) Accepted(sinceCreation time.Duration) {
	m.acceptance.Observe(sinceCreation.Seconds())
}

// Snapshots registers what is looked up at each scrape: the budgets that are in use, and the number of objects by reason of Ready.
func Snapshots(registry prometheus.Registerer, budgets func() []quota.State, objects func() (map[string]int, error)) error {
	return registry.Register(&snapshots{budgets: budgets, objects: objects})
}
