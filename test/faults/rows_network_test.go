// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"strings"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// networkRows are about what lies between the operator and the cloud, and garbles what it says.
var networkRows = []row{
	{"clock ten minutes off", false, func(f *fixture) {
		f.Cloud.SetClock(10 * time.Minute)
		f.many("a", 3)
		f.Start()
		f.settle(3, func(o *cdbv1.ImportJobStop) bool {
			return harness.HasReason(o, cdbv1.ReasonRetryScheduled) && strings.Contains(harness.Ready(o).Message, "clock")
		})
		f.inject("clock off", 1)
		f.Cloud.SetClock(0)
		f.settle(3, isDone)
	}},
	{"cloud down for half a minute", true, func(f *fixture) { outage(f, cdbsim.Reset, 30*time.Second) }},
	{"cloud's name unknown", false, badEndpoint("http://no-such-host.invalid")},
	{"cloud refuses connections", false, badEndpoint("http://127.0.0.1:1")},
	{"cloud's certificate is not trusted", false, func(f *fixture) { badEndpoint(f.proxy.URL)(f) }},
}

func init() {
	for _, kind := range []cdbsim.Kind{
		cdbsim.HTTPError, cdbsim.HTML, cdbsim.Empty, cdbsim.Null, cdbsim.NoID, cdbsim.Truncated, cdbsim.Huge,
		cdbsim.Reset, cdbsim.Redirect, cdbsim.AnswerLost, cdbsim.Slow, cdbsim.Hang, cdbsim.AnswerHeld, cdbsim.Trickle, cdbsim.Quoting, cdbsim.QuotingSuccess,
	} {
		long := kind == cdbsim.Hang || kind == cdbsim.AnswerHeld || kind == cdbsim.Trickle
		networkRows = append(networkRows, row{"cloud: " + string(kind), long, func(f *fixture) {
			f.Cloud.Play(cdbsim.Fault{Action: "StopDBImportJob", Kind: kind, Times: 4, Location: f.CloudURL})
			f.many("a", 3)
			f.Start()
			f.settle(3, isDone)
			f.inject(string(kind), 4)
		}})
	}
}

func outage(f *fixture, kind cdbsim.Kind, d time.Duration) {
	f.Cloud.Play(cdbsim.Fault{Kind: kind})
	f.many("a", 5)
	f.Start()
	pause(f.Context(), d)
	f.inject("seconds without the cloud", int(d.Seconds()))
	f.settle(5, func(o *cdbv1.ImportJobStop) bool {
		return harness.HasReason(o, cdbv1.ReasonRetryScheduled, cdbv1.ReasonStopping)
	})
	f.Cloud.Heal()
	for _, o := range f.audit.live() { // the backoff has grown
		f.retry(o.Name)
	}
	f.settle(5, isDone)
}

// badEndpoint: the status says what is wrong, and a right endpoint makes it good.
func badEndpoint(endpoint string) func(*fixture) {
	return func(f *fixture) {
		f.many("a", 3)
		f.Start("--endpoint=" + endpoint)
		f.inject("unreachable", 1)
		f.settle(3, func(o *cdbv1.ImportJobStop) bool {
			return harness.HasReason(o, cdbv1.ReasonRetryScheduled) && strings.Contains(harness.Ready(o).Message, "ClientError.NetworkError")
		})
		f.wantCalls(0)
		f.roll()
		f.settle(3, isDone)
		for _, o := range f.audit.live() {
			if o.Status.LastAttempt.FollowsUnknown {
				f.Errorf("%s follows an attempt of unknown outcome, but nothing was ever sent", o.Name)
			}
		}
	}
}
