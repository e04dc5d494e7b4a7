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
	{"clock ten minutes off", false, func(w *fixture) {
		w.Cloud.SetClock(10 * time.Minute)
		w.many("a", 3)
		w.Start()
		w.settle(3, func(o *cdbv1.ImportJobStop) bool {
			return harness.HasReason(o, cdbv1.ReasonRetryScheduled) && strings.Contains(harness.Ready(o).Message, "clock")
		})
		w.inject("clock off", 1)
		w.Cloud.SetClock(0)
		w.settle(3, isDone)
	}},
	{"cloud down for half a minute", true, func(w *fixture) { outage(w, cdbsim.Reset, 30*time.Second) }},
	{"cloud's name unknown", false, badEndpoint("http://no-such-host.invalid")},
	{"cloud refuses connections", false, badEndpoint("http://127.0.0.1:1")},
	{"cloud's certificate is not trusted", false, func(w *fixture) { badEndpoint(w.proxy.URL)(w) }},
}

func init() {
	for _, kind := range []cdbsim.Kind{
		cdbsim.HTTPError, cdbsim.HTML, cdbsim.Empty, cdbsim.Null, cdbsim.NoID, cdbsim.Truncated, cdbsim.Huge,
		cdbsim.Reset, cdbsim.Redirect, cdbsim.AnswerLost, cdbsim.Slow, cdbsim.Hang, cdbsim.AnswerHeld, cdbsim.Trickle, cdbsim.Quoting, cdbsim.QuotingSuccess,
	} {
		long := kind == cdbsim.Hang || kind == cdbsim.AnswerHeld || kind == cdbsim.Trickle
		networkRows = append(networkRows, row{"cloud: " + string(kind), long, func(w *fixture) {
			w.Cloud.Play(cdbsim.Fault{Action: "StopDBImportJob", Kind: kind, Times: 4, Location: w.CloudURL})
			w.many("a", 3)
			w.Start()
			w.settle(3, isDone)
			w.inject(string(kind), 4)
		}})
	}
}

func outage(w *fixture, kind cdbsim.Kind, d time.Duration) {
	w.Cloud.Play(cdbsim.Fault{Kind: kind})
	w.many("a", 5)
	w.Start()
	pause(w.Context(), d)
	w.inject("seconds without the cloud", int(d.Seconds()))
	w.settle(5, func(o *cdbv1.ImportJobStop) bool {
		return harness.HasReason(o, cdbv1.ReasonRetryScheduled, cdbv1.ReasonStopping)
	})
	w.Cloud.Heal()
	for _, o := range w.audit.live() { // the backoff has grown
		w.retry(o.Name)
	}
	w.settle(5, isDone)
}

// badEndpoint: the status says what is wrong, and a right endpoint makes it good.
func badEndpoint(endpoint string) func(*fixture) {
	return func(w *fixture) {
		w.many("a", 3)
		w.Start("--endpoint=" + endpoint)
		w.inject("unreachable", 1)
		w.settle(3, func(o *cdbv1.ImportJobStop) bool {
			return harness.HasReason(o, cdbv1.ReasonRetryScheduled) && strings.Contains(harness.Ready(o).Message, "ClientError.NetworkError")
		})
		w.wantCalls(0)
		w.roll()
		w.settle(3, isDone)
		for _, o := range w.audit.live() {
			if o.Status.LastAttempt.FollowsUnknown {
				w.Errorf("%s follows an attempt of unknown outcome, but nothing was ever sent", o.Name)
			}
		}
	}
}
