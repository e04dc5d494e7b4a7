// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

type observed struct {
	importjob.Cloud
	*Metrics
}

// Observe returns the cloud with each call observed.
func (m *Metrics) Observe(cloud importjob.Cloud) importjob.Cloud { return observed{cloud, m} }

func (c observed) Stop(ctx context.Context, creds importjob.Credentials, t importjob.Target) (requestID string, err error) {
	defer c.begin(importjob.ActionStop, t)(&err)
	return c.Cloud.Stop(ctx, creds, t)
}

func (c observed) Describe(ctx context.Context, creds importjob.Credentials, t importjob.Target) (status importjob.Status, err error) {
	defer c.begin(importjob.ActionDescribe, t)(&err)
	return c.Cloud.Describe(ctx, creds, t)
}

func (m *Metrics) begin(action importjob.Action, t importjob.Target) (end func(*error)) {
	start, region := time.Now(), m.region.bound(t.Region)
	m.inFlight.WithLabelValues(string(action)).Inc()
	return func(err *error) {
		m.inFlight.WithLabelValues(string(action)).Dec()
		code, fault := "OK", (*importjob.Error)(nil)
		if errors.As(*err, &fault) {
			code = m.code.bound(fault.Code)
		}
		m.calls.WithLabelValues(string(action), region, code).Inc()
		m.latency.WithLabelValues(string(action), region).Observe(time.Since(start).Seconds())
	}
}
