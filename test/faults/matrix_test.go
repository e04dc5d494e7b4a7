// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// row is one of the matrix: what is injected, and what must come of it besides what the oracle checks.
type row struct {
	name string
	long bool // takes more than a few seconds
	run  func(*fixture)
}

var rows = []row{
	{"no fault at all", false, func(w *fixture) {
		w.many("a", 5)
		w.start()
		w.settle(5, isDone)
	}},
	{"kill -9 before the intent", false, killAt(hold, isAttempt, 1)},
	{"kill -9 between intent and call", false, killAt(holdAnswer, isAttempt, 0)},
	{"kill -9 between answer and status", false, killAt(hold, isOutcome, 0)},
	{"kill -9 after the status, which it does not know of", false, killAt(holdAnswer, isOutcome, 0)},
	{"kill -9 between status and event", false, killAt(hold, isEvent, 0)},
	{"kill -9 during the call", false, func(w *fixture) {
		w.cloud.Play(cdbsim.Fault{Kind: cdbsim.Hang, Times: 2})
		w.cloud.Play(cdbsim.Fault{Kind: cdbsim.AnswerHeld, Times: 2})
		w.many("a", 4)
		w.start()
		w.called(4)
		w.kill()
		w.start()
		w.settle(4, isDone)
	}},
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
		w.start()
		w.hit(r, 3)
		w.settle(5, isDone)
	}},
	{"watch cut", false, func(w *fixture) {
		w.start()
		for i := range 3 {
			w.many(fmt.Sprint("w", i), 3)
			w.inject("watch cut", w.proxy.cutWatches())
		}
		w.settle(9, isDone)
	}},
	{"watch silent for a minute", true, func(w *fixture) {
		w.start()
		w.stop("before")
		w.settle(1, isDone)
		w.proxy.hush()
		w.many("a", 3)
		w.inject("silent seconds", 60)
		pause(w.ctx(), time.Minute)
		if n := len(w.stops()); n != 1 {
			w.Errorf("%d calls while the watch was silent", n)
		}
		w.proxy.speak()
		w.settle(4, isDone)
	}},
	{"stale list after a restart", false, func(w *fixture) {
		w.Setenv("KUBE_FEATURE_WatchListClient", "false") // so that it lists
		w.many("a", 5)
		w.start()
		w.settle(5, isDone)
		w.operator.Kill()
		old := w.proxy.add(stale, 1, isList)
		late := w.proxy.add(hold, 1, isObjectWatch)
		w.start()
		w.hit(old, 1)
		w.hit(late, 1)
		w.stop("b") // cannot be seen before the watch is
		pause(w.ctx(), 4*time.Second)
		w.proxy.CloseClientConnections()
		w.settle(6, isDone)
	}},
	{"old leader held up past its lease", true, func(w *fixture) {
		lease := []string{"--leader-elect", "--leader-election-namespace=" + harness.Namespace}
		w.many("a", 40)
		w.start(lease...)
		w.called(25) // and some of the rest are in its hands
		w.pauseOperator()
		old := w.operator
		w.start(lease...)
		w.settle(40, isDone)
		old.Signal(syscall.SIGCONT)
		<-old.Ended()
		w.stop("b")
		w.settle(41, isDone)
	}},
	{"rolling restart under load", false, func(w *fixture) {
		w.many("a", 60)
		w.start()
		for range 3 {
			w.called(len(w.stops()) + 5)
			w.roll()
		}
		w.settle(60, isDone)
		if n := len(w.stops()); n != 60 {
			w.Errorf("%d calls for 60 imports", n)
		}
	}},
	{"clock ten minutes off", false, func(w *fixture) {
		w.cloud.SetClock(10 * time.Minute)
		w.many("a", 3)
		w.start()
		w.settle(3, func(o *cdbv1.ImportJobStop) bool {
			return hasReason(o, cdbv1.ReasonRetryScheduled) && strings.Contains(ready(o).Message, "clock")
		})
		w.inject("clock off", 1)
		w.cloud.SetClock(0)
		w.settle(3, isDone)
	}},
	{"Secret missing, then malformed, then right", false, secrets},
	{"Secret deleted in mid-flight", false, func(w *fixture) {
		w.cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 5})
		w.many("a", 25)
		w.start()
		w.called(5)
		w.delete(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "creds"}})
		w.inject("Secret deleted", 1)
		w.settle(25, func(o *cdbv1.ImportJobStop) bool { return isDone(o) || hasReason(o, cdbv1.ReasonCredentialsNotFound) })
		w.account("creds")
		w.settle(25, isDone)
	}},
	{"Secret rotated in mid-flight", false, func(w *fixture) {
		w.cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 5})
		w.many("a", 45)
		w.start()
		w.called(5)
		w.cloud.SetAccount(cdbsim.Account{SecretID: "AKIDcreds", SecretKey: "not the old one"})
		rotated := accountOf("rotated")
		w.cloud.SetAccount(rotated)
		w.inject("key rotated", 1)
		w.eventually("somebody is refused", func() (bool, error) {
			for _, o := range w.audit.live() {
				if hasReason(o, cdbv1.ReasonCredentialsRejected) {
					return true, nil
				}
			}
			return false, nil
		})
		w.must(env.Client.Update(w.ctx(), w.secret("creds", dataOf(rotated))))
		w.settle(45, isDone)
	}},
	{"namespace deleted in mid-flight", false, func(w *fixture) {
		w.cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 3})
		w.many("a", 30)
		w.start()
		w.called(3)
		w.must(env.Client.Delete(w.ctx(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}))
		w.must(env.Client.DeleteAllOf(w.ctx(), &cdbv1.ImportJobStop{}, client.InNamespace(w.namespace)))
		w.delete(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "creds"}})
		w.inject("namespace deleted", 1)
		w.settle(0, func(*cdbv1.ImportJobStop) bool { return false })
		pause(w.ctx(), 3*time.Second)
		after := len(w.stops())
		pause(w.ctx(), 2*time.Second)
		if n := len(w.stops()); n != after {
			w.Errorf("%d calls after the end of the namespace", n-after)
		}
	}},
	{"deleted in mid-flight and created again with the same name", false, func(w *fixture) {
		w.cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 1})
		w.stop("a")
		w.start()
		w.called(1)
		w.delete(w.object("a"))
		w.create(w.object("a"))
		w.inject("created again", 1)
		w.settle(1, func(o *cdbv1.ImportJobStop) bool { return hasReason(o, cdbv1.ReasonAlreadyStopped) })
	}},
	{"spec changed in mid-flight", false, func(w *fixture) {
		w.cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Times: 3})
		w.many("a", 3)
		w.importing("b")
		w.start()
		w.called(3)
		if !w.tryUpdate("a-0", func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = w.id("b") }) {
			w.Error("the target could be changed while the outcome of a call is unknown")
		}
		w.update("a-1", func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor = cdbv1.WaitForStopped })
		w.update("a-2", func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true })
		w.inject("spec changed", 2)
		w.inject("edit refused", 1)
		w.settle(3, isDone)
		if n := len(w.stops()); n != 3 {
			w.Errorf("%d calls for three imports", n)
		}
	}},
	{"cloud down for half a minute", true, func(w *fixture) { outage(w, cdbsim.Reset, 30*time.Second) }},
	{"cloud's name unknown", false, badEndpoint("http://no-such-host.invalid")},
	{"cloud refuses connections", false, badEndpoint("http://127.0.0.1:1")},
	{"cloud's certificate is not trusted", false, func(w *fixture) { badEndpoint(w.proxy.URL)(w) }},
	{"1,000 objects for one import", true, func(w *fixture) {
		w.importing("one")
		w.crowd(1000, 10, func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = w.id("one") })
		w.start()
		w.settle(1000, isDone)
		accepted := 0
		for _, o := range w.audit.live() {
			if o.Status.RequestID != "" {
				accepted++
			}
		}
		if accepted != 1 {
			w.Errorf("%d claim the acceptance", accepted)
		}
		w.inject("same id", 999)
	}},
	{"5,000 objects created while the operator is down", true, func(w *fixture) {
		w.crowd(5000, 20)
		w.inject("created meanwhile", 5000)
		w.start()
		w.settle(5000, isDone)
	}},
	{"1,000 objects, kill -9 every two seconds", true, func(w *fixture) {
		w.crowd(1000, 5)
		done := func() (n int) {
			for _, o := range w.audit.live() {
				if isDone(o) {
					n++
				}
			}
			return n
		}
		for done() < 1000 {
			w.start()
			pause(w.ctx(), 2*time.Second)
			w.kill()
		}
		w.start()
		w.settle(1000, isDone)
	}},
	{"every optional field at its extreme", false, extremes},
}

func init() {
	for _, kind := range []cdbsim.Kind{
		cdbsim.HTTPError, cdbsim.HTML, cdbsim.Empty, cdbsim.Null, cdbsim.NoID, cdbsim.Truncated, cdbsim.Huge,
		cdbsim.Reset, cdbsim.Redirect, cdbsim.AnswerLost, cdbsim.Slow, cdbsim.Hang, cdbsim.AnswerHeld, cdbsim.Trickle, cdbsim.Quoting, cdbsim.QuotingSuccess,
	} {
		long := kind == cdbsim.Hang || kind == cdbsim.AnswerHeld || kind == cdbsim.Trickle
		rows = append(rows, row{"cloud: " + string(kind), long, func(w *fixture) {
			w.cloud.Play(cdbsim.Fault{Action: "StopDBImportJob", Kind: kind, Times: 4, Location: w.cloudURL})
			w.many("a", 3)
			w.start()
			w.settle(3, isDone)
			w.inject(string(kind), 4)
		}})
	}
}

func TestMatrix(t *testing.T) {
	for _, r := range slices.Concat(rows, hostileRows, statusRows, cloudRows) {
		if r.long && !*long {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			if !strings.HasPrefix(r.name, "stale") { // which sets a variable
				t.Parallel()
			}
			w := newFixture(t)
			w.account("creds")
			r.run(w)
			w.report(r.name)
		})
	}
}

// TestPlaneRestarts runs before the rest, which share the control plane.
func TestPlaneRestarts(t *testing.T) {
	for _, process := range []string{"kube-apiserver", "etcd"} {
		t.Run(process, func(t *testing.T) {
			w := newFixture(t)
			w.account("creds")
			w.many("a", 40)
			w.start()
			w.called(5)
			w.must(env.RestartPlane(w.ctx(), process))
			w.inject("kill -9 of "+process, 1)
			w.stop("b")
			w.settle(41, isDone)
			w.report(process + " restarted")
		})
	}
}
