// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// fixture is a tenant with a cloud and a proxy of its own, and an audit of all that happens.
type fixture struct {
	testing.TB
	*harness.Fixture
	proxy      *proxy
	kubeconfig string // of the operator, through the proxy
	audit      *audit

	mu        sync.Mutex
	kills     []time.Time
	injected  map[string]int                            // by what
	operators []*harness.Operator                       // all that ran
	secrets   []string                                  // keys and tokens
	byHand    map[types.UID][]cdbv1.ImportJobStopStatus // statuses that the operator did not write
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	w := &fixture{TB: t, Fixture: harness.NewFixture(t, env, "faults-"), injected: map[string]int{}, byHand: map[types.UID][]cdbv1.ImportJobStopStatus{}}
	w.Patience = *patience
	w.OwnCloud(func(cloud http.Handler) http.Handler { return cloud })
	w.Cloud.SetLatency(func() time.Duration { return 5 * time.Millisecond })
	var err error
	w.proxy, err = newProxy(env.Config)
	w.Must(err)
	t.Cleanup(func() { w.proxy.heal(); w.proxy.CloseClientConnections(); w.proxy.Close() })
	w.kubeconfig, err = env.KubeconfigVia("via-"+w.Namespace, w.proxy.URL, w.proxy.ca())
	w.Must(err)
	ctx, end := context.WithCancel(context.Background())
	t.Cleanup(end)
	w.audit = watchAll(ctx, env.Client, w.Namespace)
	return w
}

// inject counts what went wrong, for the table.
func (w *fixture) inject(what string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.injected[what] += n
}

// Start starts the manager behind the proxy, again and again, as a kubelet does. It follows whatever ran before.
func (w *fixture) Start(flags ...string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), w.Patience)
	defer cancel()
	w.Eventually("starting the manager", func() (done bool, err error) {
		o, err := w.Run(ctx, w.flags(flags...)...)
		w.remember(o)
		return err == nil, err
	})
}

// launch starts a manager that does not become ready.
func (w *fixture) launch(flags ...string) *harness.Operator {
	w.Helper()
	o, err := w.Launch(w.flags(flags...)...)
	w.Must(err)
	w.remember(o)
	return o
}

// flags of the manager; later ones win.
func (w *fixture) flags(more ...string) []string {
	return append([]string{"--kubeconfig=" + w.kubeconfig, "--zap-log-level=1", "--secret-poll-interval=1s"}, more...)
}

// remember lets the oracle read the log of a process.
func (w *fixture) remember(o *harness.Operator) {
	w.Adopt(o)
	w.mu.Lock()
	defer w.mu.Unlock()
	if o != nil {
		w.operators = append(w.operators, o)
	}
}

// kill is kill -9, at a time that the oracle knows.
func (w *fixture) kill() {
	w.Operator.Kill()
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
	if err := w.Operator.Terminate(); err != nil {
		w.Errorf("it did not stop well: %v\n%s", err, w.Operator.Log())
	}
	w.inject("SIGTERM", 1)
	w.Start(flags...)
}

func (w *fixture) pauseOperator() { w.Operator.Signal(syscall.SIGSTOP); w.heldUp("SIGSTOP") }

// report asks the oracle, and adds a line to the table.
func (w *fixture) report(row string) {
	w.Helper()
	v := w.history().check()
	table.add(row, w.injected, v)
	for _, wrong := range v.wrong {
		w.Error(wrong)
	}
}

// history is all that is known of this tenant.
func (w *fixture) history() *history {
	w.Helper()
	w.Eventually("seeing the newest versions", func() (bool, error) {
		now := &cdbv1.ImportJobStopList{}
		err := env.Client.List(w.Context(), now, client.InNamespace(w.Namespace))
		return err == nil && w.audit.hasAll(now.Items), err
	})
	events := &eventsv1.EventList{}
	w.Must(env.Client.List(w.Context(), events, client.InNamespace(w.Namespace)))
	w.mu.Lock()
	defer w.mu.Unlock()
	h := &history{versions: w.audit.all(), stops: w.Cloud.CallLog(), kills: w.kills, byHand: w.byHand, secrets: w.secrets, events: events.Items}
	for _, o := range w.operators {
		h.logs = append(h.logs, o.Log())
	}
	return h
}

func pause(ctx context.Context, d time.Duration) {
	_ = harness.Pause(ctx, d)
}
