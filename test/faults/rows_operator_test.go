// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"net/http"
	"syscall"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// operatorRows are about what can happen to the process.
var operatorRows = []row{
	{"no fault at all", false, func(w *fixture) {
		w.many("a", 5)
		w.Start()
		w.settle(5, isDone)
	}},
	{"kill -9 before the intent", false, killAt(hold, isAttempt, 1)},
	{"kill -9 between intent and call", false, killAt(holdAnswer, isAttempt, 0)},
	{"kill -9 between answer and status", false, killAt(hold, isOutcome, 0)},
	{"kill -9 after the status, which it does not know of", false, killAt(holdAnswer, isOutcome, 0)},
	{"kill -9 between status and event", false, killAt(hold, isEvent, 0)},
	{"kill -9 during the call", false, func(w *fixture) {
		w.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Hang, Times: 2})
		w.Cloud.Play(cdbsim.Fault{Kind: cdbsim.AnswerHeld, Times: 2})
		w.many("a", 4)
		w.Start()
		w.called(4)
		w.kill()
		w.Start()
		w.settle(4, isDone)
	}},
	{"old leader held up past its lease", true, func(w *fixture) {
		lease := []string{"--leader-elect", "--leader-election-namespace=" + harness.Namespace}
		w.many("a", 40)
		w.Start(lease...)
		w.called(25) // and some of the rest are in its hands
		w.pauseOperator()
		old := w.Operator
		w.Start(lease...)
		w.settle(40, isDone)
		old.Signal(syscall.SIGCONT)
		<-old.Ended()
		w.Stop("b")
		w.settle(41, isDone)
	}},
	{"rolling restart under load", false, func(w *fixture) {
		w.many("a", 60)
		w.Start()
		for range 3 {
			w.called(len(w.Stops()) + 5)
			w.roll()
		}
		w.settle(60, isDone)
		w.wantCalls(60)
	}},
}

// killAt kills the manager when a request of a kind is in the proxy's hands.
func killAt(kind what, match func(*http.Request, []byte) bool, stops int) func(*fixture) {
	return func(w *fixture) {
		r := w.proxy.add(kind, 3, match)
		w.many("a", 3)
		w.Start()
		w.hit(r, 1)
		if kind == hold && stops > 0 && len(w.Stops()) > 0 {
			w.Error("a call came before its intent")
		}
		w.kill()
		w.proxy.heal()
		w.Start()
		w.settle(3, isDone)
	}
}
