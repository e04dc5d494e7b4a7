// SPDX-License-Identifier: Apache-2.0

// Package metrics observes the calls of the cloud.
package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// Cloud decorates a port to the cloud with metrics. No label names an object or an account.
type Cloud struct {
	importjob.Cloud
	calls   *prometheus.CounterVec
	latency *prometheus.HistogramVec
}

// Observe returns the cloud, observed, with its collectors registered.
func Observe(cloud importjob.Cloud, registry prometheus.Registerer) (*Cloud, error) {
	c := &Cloud{
		Cloud: cloud,
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "importjobstop_cloud_calls_total", Help: "Calls of the cloud API by action, region and error code; the code of a success is OK.",
		}, []string{"action", "region", "code"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "importjobstop_cloud_call_duration_seconds", Help: "Time from sending a call of the cloud API to its answer.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 12),
		}, []string{"action", "region"}),
	}
	return c, errors.Join(registry.Register(c.calls), registry.Register(c.latency))
}

// Stop is observed.
func (c *Cloud) Stop(ctx context.Context, creds importjob.Credentials, t importjob.Target) (string, error) {
	start := time.Now()
	requestID, err := c.Cloud.Stop(ctx, creds, t)
	c.observe(importjob.ActionStop, t, start, err)
	return requestID, err
}

// Describe is observed.
func (c *Cloud) Describe(ctx context.Context, creds importjob.Credentials, t importjob.Target) (importjob.Status, error) {
	start := time.Now()
	status, err := c.Cloud.Describe(ctx, creds, t)
	c.observe(importjob.ActionDescribe, t, start, err)
	return status, err
}

func (c *Cloud) observe(action importjob.Action, t importjob.Target, start time.Time, err error) {
	code := "OK"
	if fault, ok := errors.AsType[*importjob.Fault](err); ok {
		code = fault.Code
	}
	c.calls.WithLabelValues(string(action), t.Region, code).Inc()
	c.latency.WithLabelValues(string(action), t.Region).Observe(time.Since(start).Seconds())
}
