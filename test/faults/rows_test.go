// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"net/http"
	"strings"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// killAt kills the manager when a request of a kind is in the proxy's hands.
func killAt(kind what, match func(*http.Request, []byte) bool, stops int) func(*fixture) {
	return func(w *fixture) {
		r := w.proxy.add(kind, 3, match)
		w.many("a", 3)
		w.start()
		w.hit(r, 1)
		if kind == hold && stops > 0 && len(w.stops()) > 0 {
			w.Error("a call came before its intent")
		}
		w.kill()
		w.proxy.heal()
		w.start()
		w.settle(3, isDone)
	}
}

// refused refuses status writes, the first of an intent and the first of an outcome.
func refused(code int) func(*fixture) {
	return func(w *fixture) {
		attempt, result := w.proxy.refuse(code, 3, isAttempt), w.proxy.refuse(code, 3, isOutcome)
		w.many("a", 3)
		w.start()
		w.hit(attempt, 3)
		w.hit(result, 3)
		w.settle(3, isDone)
		if n := len(w.stops()); n != 3 {
			w.Errorf("%d calls for three imports", n)
		}
	}
}

func inWrites(kind what, match func(*http.Request, []byte) bool) func(*fixture) {
	return func(w *fixture) {
		r := w.proxy.add(kind, 3, match)
		w.many("a", 3)
		w.start()
		w.hit(r, 3)
		w.settle(3, isDone)
		if n := len(w.stops()); n != 3 {
			w.Errorf("%d calls for three imports", n)
		}
	}
}

func outage(w *fixture, kind cdbsim.Kind, d time.Duration) {
	w.cloud.Play(cdbsim.Fault{Kind: kind})
	w.many("a", 5)
	w.start()
	pause(w.ctx(), d)
	w.inject("seconds without the cloud", int(d.Seconds()))
	w.settle(5, func(o *cdbv1.ImportJobStop) bool {
		return hasReason(o, cdbv1.ReasonRetryScheduled, cdbv1.ReasonStopping)
	})
	w.cloud.Heal()
	for _, o := range w.audit.live() { // the backoff has grown
		w.retry(o.Name)
	}
	w.settle(5, isDone)
}

// badEndpoint: the status says what is wrong, and a right endpoint makes it good.
func badEndpoint(endpoint string) func(*fixture) {
	return func(w *fixture) {
		w.many("a", 3)
		w.start("--endpoint=" + endpoint)
		w.inject("unreachable", 1)
		w.settle(3, func(o *cdbv1.ImportJobStop) bool {
			return hasReason(o, cdbv1.ReasonRetryScheduled) && strings.Contains(ready(o).Message, "ClientError.NetworkError")
		})
		if n := len(w.stops()); n != 0 {
			w.Errorf("%d calls", n)
		}
		w.roll()
		w.settle(3, isDone)
		for _, o := range w.audit.live() {
			if o.Status.LastAttempt.FollowsUnknown {
				w.Errorf("%s follows an attempt of unknown outcome, but nothing was ever sent", o.Name)
			}
		}
	}
}
