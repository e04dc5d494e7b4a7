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
	{"no fault at all", false, func(f *fixture) {
		f.many("a", 5)
		f.Start()
		f.settle(5, isDone)
	}},
	{"kill -9 before the attempt", false, killAt(hold, isAttempt, 1)},
	{"kill -9 between attempt and call", false, killAt(holdAnswer, isAttempt, 0)},
	{"kill -9 between answer and status", false, killAt(hold, isOutcome, 0)},
	{"kill -9 after the status, which it does not know of", false, killAt(holdAnswer, isOutcome, 0)},
	{"kill -9 between status and event", false, killAt(hold, isEvent, 0)},
	{"kill -9 during the call", false, func(f *fixture) {
		f.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Hang, Times: 2})
		f.Cloud.Play(cdbsim.Fault{Kind: cdbsim.AnswerHeld, Times: 2})
		f.many("a", 4)
		f.Start()
		f.called(4)
		f.kill()
		f.Start()
		f.settle(4, isDone)
	}},
	{"old leader held up past its lease", true, func(f *fixture) {
		lease := []string{"--leader-elect", "--leader-election-namespace=" + harness.Namespace}
		f.many("a", 40)
		f.Start(lease...)
		f.called(25) // and some of the rest are in its hands
		f.pauseOperator()
		old := f.Operator
		f.Start(lease...)
		f.settle(40, isDone)
		old.Signal(syscall.SIGCONT)
		<-old.Ended()
		f.StopImport("b")
		f.settle(41, isDone)
	}},
	{"rolling restart under load", false, func(f *fixture) {
		f.many("a", 60)
		f.Start()
		for range 3 {
			f.called(len(f.Stops()) + 5)
			f.roll()
		}
		f.settle(60, isDone)
		f.wantCalls(60)
	}},
}

// killAt kills the manager when a request of a kind is in the proxy's hands.
func killAt(kind what, match func(*http.Request, []byte) bool, stops int) func(*fixture) {
	return func(f *fixture) {
		r := f.proxy.add(kind, 3, match)
		f.many("a", 3)
		f.Start()
		f.hit(r, 1)
		if kind == hold && stops > 0 && len(f.Stops()) > 0 {
			f.Error("a call came before its attempt")
		}
		f.kill()
		f.proxy.heal()
		f.Start()
		f.settle(3, isDone)
	}
}
