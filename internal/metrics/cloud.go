// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// errNoResult stays the result of a call that panics, so that it is not counted as a success.
var errNoResult = errors.New("the call returned no result")

type observed struct {
	importjob.Cloud
	*Metrics
}

// Observe returns the cloud with every call measured.
func (m *Metrics) Observe(cloud importjob.Cloud) importjob.Cloud { return observed{cloud, m} }

func (c observed) Stop(ctx context.Context, creds importjob.Credentials, t importjob.Target) (requestID string, err error) {
	err = errNoResult
	defer c.begin(importjob.ActionStop, t)(&err)
	return c.Cloud.Stop(ctx, creds, t)
}

func (c observed) Describe(ctx context.Context, creds importjob.Credentials, t importjob.Target) (status importjob.Status, err error) {
	err = errNoResult
	defer c.begin(importjob.ActionDescribe, t)(&err)
	return c.Cloud.Describe(ctx, creds, t)
}

func (c observed) List(ctx context.Context, creds importjob.Credentials, t importjob.Target, instanceID string, offset int) (page importjob.Page, err error) {
	err = errNoResult
	defer c.begin(importjob.ActionList, t)(&err)
	return c.Cloud.List(ctx, creds, t, instanceID, offset)
}

// begin counts a call as in flight until end is called with its result.
func (m *Metrics) begin(action importjob.Action, t importjob.Target) (end func(*error)) {
	start, region := time.Now(), m.regions.value(t.Region, other)
	m.inFlight.WithLabelValues(string(action)).Inc()
	return func(err *error) {
		m.inFlight.WithLabelValues(string(action)).Dec()
		m.cloudCalls.WithLabelValues(string(action), region, m.codeOf(*err)).Inc()
		m.latency.WithLabelValues(string(action), region).Observe(time.Since(start).Seconds())
	}
}

// codeOf returns the label of a result.
func (m *Metrics) codeOf(err error) string {
	var fault *importjob.Error
	switch {
	case err == nil:
		return success
	case errors.As(err, &fault):
		return m.codes.code(fault.Code)
	}
	return other
}
