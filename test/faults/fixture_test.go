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
	"github.com/tencentcloud-cdb/importjobstop-operator/test/oracle"
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
	injected  map[string]int      // by what
	operators []*harness.Operator // all that ran
	secrets   []string            // keys and tokens
	// oneAccount says that all credentials are of one sub-account.
	oneAccount bool
	byHand     map[types.UID][]cdbv1.ImportJobStopStatus // statuses that the operator did not write
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{TB: t, Fixture: harness.NewFixture(t, env, "faults-"), injected: map[string]int{}, byHand: map[types.UID][]cdbv1.ImportJobStopStatus{}}
	f.Patience = *patience
	f.OwnCloud(func(cloud http.Handler) http.Handler { return cloud })
	f.Cloud.SetLatency(func() time.Duration { return 5 * time.Millisecond })
	var err error
	f.proxy, err = newProxy(env.Config)
	f.Must(err)
	t.Cleanup(func() { f.proxy.heal(); f.proxy.CloseClientConnections(); f.proxy.Close() })
	f.kubeconfig, err = env.KubeconfigVia("via-"+f.Namespace, f.proxy.URL, f.proxy.ca())
	f.Must(err)
	ctx, end := context.WithCancel(context.Background())
	t.Cleanup(end)
	f.audit = watchAll(ctx, env.Client, f.Namespace)
	return f
}

// inject counts what went wrong, for the table.
func (f *fixture) inject(what string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.injected[what] += n
}

// Start starts the manager behind the proxy, again and again, as a kubelet does. It follows whatever ran before.
func (f *fixture) Start(flags ...string) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), f.Patience)
	defer cancel()
	f.Eventually("starting the manager", func() (done bool, err error) {
		o, err := f.Run(ctx, f.flags(flags...)...)
		f.remember(o)
		return err == nil, err
	})
}

// launch starts a manager that does not become ready.
func (f *fixture) launch(flags ...string) *harness.Operator {
	f.Helper()
	o, err := f.Launch(f.flags(flags...)...)
	f.Must(err)
	f.remember(o)
	return o
}

// flags of the manager; later ones win.
func (f *fixture) flags(more ...string) []string {
	return append([]string{"--kubeconfig=" + f.kubeconfig, "--zap-log-level=1", "--secret-poll-interval=1s"}, more...)
}

// remember lets the oracle read the log of a process.
func (f *fixture) remember(o *harness.Operator) {
	f.Adopt(o)
	f.mu.Lock()
	defer f.mu.Unlock()
	if o != nil {
		f.operators = append(f.operators, o)
	}
}

// kill is kill -9, at a time that the oracle knows.
func (f *fixture) kill() {
	f.Operator.Kill()
	f.heldUp("kill -9")
}

func (f *fixture) heldUp(what string) {
	f.mark()
	f.inject(what, 1)
}

// mark tells the oracle of a time at which a process lost what it knew.
func (f *fixture) mark() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kills = append(f.kills, time.Now())
}

// roll ends the manager as a rolling update does, and starts the next.
func (f *fixture) roll(flags ...string) {
	f.Helper()
	if err := f.Operator.Terminate(); err != nil {
		f.Errorf("it did not stop well: %v\n%s", err, f.Operator.Log())
	}
	f.inject("SIGTERM", 1)
	f.Start(flags...)
}

func (f *fixture) pauseOperator() { f.Operator.Signal(syscall.SIGSTOP); f.heldUp("SIGSTOP") }

// report asks the oracle, and adds a line to the table.
func (f *fixture) report(row string) {
	f.Helper()
	v := f.history().Check()
	table.add(row, f.injected, v)
	for _, wrong := range v.Wrong {
		f.Error(wrong)
	}
}

// history is all that is known of this tenant.
func (f *fixture) history() *oracle.History {
	f.Helper()
	f.Eventually("seeing the newest versions", func() (bool, error) {
		now := &cdbv1.ImportJobStopList{}
		err := env.Client.List(f.Context(), now, client.InNamespace(f.Namespace))
		return err == nil && f.audit.hasAll(now.Items), err
	})
	events := &eventsv1.EventList{}
	f.Must(env.Client.List(f.Context(), events, client.InNamespace(f.Namespace)))
	f.mu.Lock()
	defer f.mu.Unlock()
	h := &oracle.History{Versions: f.audit.all(), CallLog: f.Cloud.CallLog(), Kills: f.kills, ByHand: f.byHand, Secrets: f.secrets, Events: events.Items}
	h.Imports = f.Cloud.Imports()
	if f.oneAccount {
		h.AccountOf = func(string) string { return "" }
	}
	for _, o := range f.operators {
		h.Logs = append(h.Logs, o.Log())
	}
	return h
}

func pause(ctx context.Context, d time.Duration) {
	_ = harness.Pause(ctx, d)
}
