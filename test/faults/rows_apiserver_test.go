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
	{"attempt lost after commit", false, inWrites(loseAnswer, isAttempt)},
	{"outcome lost after commit", false, inWrites(loseAnswer, isOutcome)},
	{"outcome delivered twice", false, inWrites(twice, isOutcome)},
	{"attempt delivered twice", false, inWrites(twice, isAttempt)},
	{"status write times out", true, inWrites(hold, isStatus)},
	{"status write times out after commit", true, inWrites(holdAnswer, isStatus)},
	{"Secret read refused", false, func(f *fixture) {
		r := f.proxy.refuse(http.StatusInternalServerError, 3, isSecret)
		f.many("a", 5)
		f.Start()
		f.hit(r, 3)
		f.settle(5, isDone)
	}},
	{"watch cut", false, func(f *fixture) {
		f.Start()
		for i := range 3 {
			f.many(fmt.Sprint("w", i), 3)
			f.inject("watch cut", f.proxy.cutWatches())
		}
		f.settle(9, isDone)
	}},
	{"watch silent for a minute", true, func(f *fixture) {
		f.Start()
		f.StopImport("before")
		f.settle(1, isDone)
		f.proxy.hush()
		f.many("a", 3)
		f.inject("silent seconds", 60)
		pause(f.Context(), time.Minute)
		f.wantCalls(1)
		f.proxy.speak()
		f.settle(4, isDone)
	}},
	{"stale list after a restart", false, func(f *fixture) {
		f.Environment = f.WithVariable("KUBE_FEATURE_WatchListClient=false") // so that it lists
		f.many("a", 5)
		f.Start()
		f.settle(5, isDone)
		f.Operator.Kill()
		old := f.proxy.add(stale, 1, isList)
		late := f.proxy.add(hold, 1, isObjectWatch)
		f.Start()
		f.hit(old, 1)
		f.hit(late, 1)
		f.StopImport("b") // cannot be seen before the watch is
		pause(f.Context(), 4*time.Second)
		f.proxy.CloseClientConnections()
		f.settle(6, isDone)
	}},
}

// refused refuses status writes, the first of an attempt and the first of an outcome.
func refused(code int) func(*fixture) {
	return func(f *fixture) {
		attempt, result := f.proxy.refuse(code, 3, isAttempt), f.proxy.refuse(code, 3, isOutcome)
		f.many("a", 3)
		f.Start()
		f.hit(attempt, 3)
		f.hit(result, 3)
		f.settle(3, isDone)
		f.wantCalls(3)
	}
}

func inWrites(kind what, match func(*http.Request, []byte) bool) func(*fixture) {
	return func(f *fixture) {
		r := f.proxy.add(kind, 3, match)
		f.many("a", 3)
		f.Start()
		f.hit(r, 3)
		f.settle(3, isDone)
		f.wantCalls(3)
	}
}
