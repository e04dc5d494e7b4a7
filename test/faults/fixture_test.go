// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const region = "ap-guangzhou"

// world is a namespace with a cloud, a manager and a proxy of its own, and an audit of all that happens.
type fixture struct {
	testing.TB
	namespace  string
	patience   time.Duration
	cloud      *cdbsim.Server
	cloudURL   string
	proxy      *proxy
	kubeconfig string
	audit      *audit
	operator   *harness.Operator
	endAudit   context.CancelFunc

	mu        sync.Mutex
	kills     []time.Time
	injected  map[string]int                            // by what
	operators []*harness.Operator                       // all that ran
	secrets   []string                                  // keys and tokens
	byHand    map[types.UID][]cdbv1.ImportJobStopStatus // statuses that the operator did not write
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	w := &fixture{TB: t, cloud: cdbsim.New(), patience: *patience, injected: map[string]int{}, byHand: map[types.UID][]cdbv1.ImportJobStopStatus{}}
	w.cloud.SetLatency(func() time.Duration { return 5 * time.Millisecond })
	server := httptest.NewServer(w.cloud)
	w.cloudURL = server.URL
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "faults-"}}
	w.must(env.Client.Create(t.Context(), namespace))
	w.namespace = namespace.Name
	var err error
	w.proxy, err = newProxy(env.Config)
	w.must(err)
	w.kubeconfig, err = env.KubeconfigVia("via-"+w.namespace, w.proxy.URL, w.proxy.ca())
	w.must(err)
	ctx, end := context.WithCancel(context.Background())
	w.endAudit = end
	w.audit = watchAll(ctx, env.Client, w.namespace)
	t.Cleanup(func() {
		w.proxy.heal()
		if w.operator != nil {
			w.operator.Kill()
			if t.Failed() {
				log := w.operator.Log()
				t.Log(log[max(0, len(log)-20_000):])
			}
		}
		end()
		w.proxy.CloseClientConnections()
		w.proxy.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return w
}

func (w *fixture) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// ctx ends before the test's patience does.
func (w *fixture) ctx() context.Context { return w.Context() }

// inject counts what went wrong, for the table.
func (w *fixture) inject(what string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.injected[what] += n
}

// start starts the manager behind the proxy; it follows whatever ran before.
func (w *fixture) start(flags ...string) {
	w.Helper()
	w.operator = w.another(flags...)
}

func (w *fixture) another(flags ...string) *harness.Operator {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx(), w.patience)
	defer cancel()
	var o *harness.Operator
	w.eventually("starting the manager", func() (done bool, err error) { // again and again, as a kubelet does
		o, err = env.Run(ctx, program, w.flags(flags...)...)
		w.remember(o)
		return err == nil, err
	})
	return o
}

// launch starts a manager that does not become ready.
func (w *fixture) launch(flags ...string) *harness.Operator {
	w.Helper()
	o, err := env.Launch(program, w.flags(flags...)...)
	w.must(err)
	w.remember(o)
	w.Cleanup(func() {
		o.Kill()
		if w.Failed() {
			w.Log(o.Log())
		}
	})
	return o
}

// flags of the manager; later ones win.
func (w *fixture) flags(more ...string) []string {
	return append([]string{
		"--kubeconfig=" + w.kubeconfig, "--endpoint=" + w.cloudURL, "--namespaces=" + w.namespace, "--zap-log-level=1", "--secret-poll-interval=1s",
	}, more...)
}

// remember lets the oracle read the log of a process.
func (w *fixture) remember(o *harness.Operator) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if o != nil {
		w.operators = append(w.operators, o)
	}
}

// kill is kill -9, at a time that the oracle knows.
func (w *fixture) kill() {
	w.operator.Kill()
	w.heldUp("kill -9")
}

func (w *fixture) heldUp(what string) {
	w.mark()
	w.inject(what, 1)
}

// mark tells the oracle of a time at which a process lost what it knew.
func (w *fixture) mark() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kills = append(w.kills, time.Now())
}

// roll ends the manager as a rolling update does, and starts the next.
func (w *fixture) roll(flags ...string) {
	w.Helper()
	if err := w.operator.Terminate(); err != nil {
		w.Errorf("it did not stop well: %v\n%s", err, w.operator.Log())
	}
	w.inject("SIGTERM", 1)
	w.start(flags...)
}

func (w *fixture) pauseOperator() { w.operator.Signal(syscall.SIGSTOP); w.heldUp("SIGSTOP") }

// report asks the oracle, and adds a line to the table.
func (w *fixture) report(row string) {
	w.Helper()
	v := w.history().check()
	table.add(row, w.injected, v)
	for _, wrong := range v.wrong {
		w.Error(wrong)
	}
}

// history is all that is known of this world.
func (w *fixture) history() *history {
	w.Helper()
	w.eventually("seeing the newest versions", func() (bool, error) {
		now := &cdbv1.ImportJobStopList{}
		err := env.Client.List(w.ctx(), now, client.InNamespace(w.namespace))
		return err == nil && w.audit.hasAll(now.Items), err
	})
	events := &eventsv1.EventList{}
	w.must(env.Client.List(w.ctx(), events, client.InNamespace(w.namespace)))
	w.mu.Lock()
	defer w.mu.Unlock()
	h := &history{versions: w.audit.all(), stops: w.cloud.CallLog(), kills: w.kills, byHand: w.byHand, secrets: w.secrets, events: events.Items}
	for _, o := range w.operators {
		h.logs = append(h.logs, o.Log())
	}
	return h
}
