// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// The operator asks after two seconds at the earliest, and at once after a stop that may have come too late. A person, a new leader or
// a short backoff can make it ask a few times more.
const (
	paceWindow = 2 * time.Second
	maxAsked   = 8
)

// pace: nobody asks for the status of one import again and again, as from a copy of its object that stays stale.
func (h *History) pace(v *Findings) {
	owners, asked := h.owners(), map[cdbv1.Target][]time.Time{}
	for _, c := range h.CallLog {
		target := cdbv1.Target{Region: c.Region, AsyncRequestID: c.AsyncRequestID}
		if c.Action != "DescribeAsyncRequestInfo" || owners[target] > 1 {
			continue
		}
		times := append(asked[target], c.Time)
		for c.Time.Sub(times[0]) >= paceWindow {
			times = times[1:]
		}
		asked[target] = times
		if len(times) == maxAsked+1 {
			v.fault("the status of %s was asked for %d times within %s", target.AsyncRequestID, len(times), paceWindow)
		}
	}
}
