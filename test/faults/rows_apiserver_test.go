// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"net/http"
	"time"
)

// apiServerRows are about what becomes of reads, watches and writes.
var apiServerRows = []row{
	{"status write refused with 409", false, refused(http.StatusConflict)},
	{"status write refused with 429", false, refused(http.StatusTooManyRequests)},
	{"status write refused with 500", false, refused(http.StatusInternalServerError)},
	{"intent lost after commit", false, inWrites(loseAnswer, isAttempt)},
	{"outcome lost after commit", false, inWrites(loseAnswer, isOutcome)},
	{"outcome delivered twice", false, inWrites(twice, isOutcome)},
	{"intent delivered twice", false, inWrites(twice, isAttempt)},
	{"status write times out", true, inWrites(hold, isStatus)},
	{"status write times out after commit", true, inWrites(holdAnswer, isStatus)},
	{"Secret read refused", false, func(w *fixture) {
		r := w.proxy.refuse(http.StatusInternalServerError, 3, isSecret)
		w.many("a", 5)
		w.Start()
		w.hit(r, 3)
		w.settle(5, isDone)
	}},
	{"watch cut", false, func(w *fixture) {
		w.Start()
		for i := range 3 {
			w.many(fmt.Sprint("w", i), 3)
			w.inject("watch cut", w.proxy.cutWatches())
		}
		w.settle(9, isDone)
	}},
	{"watch silent for a minute", true, func(w *fixture) {
		w.Start()
		w.Stop("before")
		w.settle(1, isDone)
		w.proxy.hush()
		w.many("a", 3)
		w.inject("silent seconds", 60)
		pause(w.Context(), time.Minute)
		w.wantCalls(1)
		w.proxy.speak()
		w.settle(4, isDone)
	}},
	{"stale list after a restart", false, func(w *fixture) {
		w.Setenv("KUBE_FEATURE_WatchListClient", "false") // so that it lists
		w.many("a", 5)
		w.Start()
		w.settle(5, isDone)
		w.Operator.Kill()
		old := w.proxy.add(stale, 1, isList)
		late := w.proxy.add(hold, 1, isObjectWatch)
		w.Start()
		w.hit(old, 1)
		w.hit(late, 1)
		w.Stop("b") // cannot be seen before the watch is
		pause(w.Context(), 4*time.Second)
		w.proxy.CloseClientConnections()
		w.settle(6, isDone)
	}},
}

// refused refuses status writes, the first of an intent and the first of an outcome.
func refused(code int) func(*fixture) {
	return func(w *fixture) {
		attempt, result := w.proxy.refuse(code, 3, isAttempt), w.proxy.refuse(code, 3, isOutcome)
		w.many("a", 3)
		w.Start()
		w.hit(attempt, 3)
		w.hit(result, 3)
		w.settle(3, isDone)
		w.wantCalls(3)
	}
}

func inWrites(kind what, match func(*http.Request, []byte) bool) func(*fixture) {
	return func(w *fixture) {
		r := w.proxy.add(kind, 3, match)
		w.many("a", 3)
		w.Start()
		w.hit(r, 3)
		w.settle(3, isDone)
		w.wantCalls(3)
	}
}
