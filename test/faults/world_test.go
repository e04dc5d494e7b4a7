// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const region = "ap-guangzhou"

// world is a namespace with a cloud, a manager and a proxy of its own, and an audit of all that happens.
type world struct {
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

	mu       sync.Mutex
	kills    []time.Time
	injected map[string]int // by what
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, cloud: cdbsim.New(), patience: *patience, injected: map[string]int{}}
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

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// ctx ends before the test's patience does.
func (w *world) ctx() context.Context { return w.Context() }

// inject counts what went wrong, for the table.
func (w *world) inject(what string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.injected[what] += n
}

// start starts the manager behind the proxy; it follows whatever ran before.
func (w *world) start(flags ...string) {
	w.Helper()
	w.operator = w.another(flags...)
}

func (w *world) another(flags ...string) *harness.Operator {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx(), w.patience)
	defer cancel()
	args := append([]string{"--kubeconfig=" + w.kubeconfig, "--endpoint=" + w.cloudURL, "--namespaces=" + w.namespace, "--zap-log-level=1"}, flags...)
	var o *harness.Operator
	w.eventually("starting the manager", func() (done bool, err error) { // again and again, as a kubelet does
		o, err = env.Run(ctx, program, args...)
		return err == nil, err
	})
	return o
}

// kill is kill -9, at a time that the oracle knows.
func (w *world) kill() {
	w.operator.Kill()
	w.heldUp("kill -9")
}

func (w *world) heldUp(what string) {
	w.mark()
	w.inject(what, 1)
}

// mark tells the oracle of a time at which a process lost what it knew.
func (w *world) mark() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kills = append(w.kills, time.Now())
}

// roll ends the manager as a rolling update does, and starts the next.
func (w *world) roll(flags ...string) {
	w.Helper()
	if err := w.operator.Terminate(); err != nil {
		w.Errorf("it did not stop well: %v\n%s", err, w.operator.Log())
	}
	w.inject("SIGTERM", 1)
	w.start(flags...)
}

func (w *world) pauseOperator() { w.operator.Signal(syscall.SIGSTOP); w.heldUp("SIGSTOP") }

// id names an import of this world.
func (w *world) id(name string) string { return w.namespace + "-" + name }

func (w *world) importing(name string) {
	w.cloud.SetImport(cdbsim.Import{Region: region, ID: w.id(name), Status: "RUNNING"})
}

// account creates a Secret whose account the cloud knows.
func (w *world) account(name string) {
	w.Helper()
	a := cdbsim.Account{SecretID: "AKID" + name, SecretKey: "key-" + name}
	w.cloud.SetAccount(a)
	w.create(w.secret(name, map[string]string{"secretId": a.SecretID, "secretKey": a.SecretKey}))
}

func (w *world) secret(name string, data map[string]string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, StringData: data}
}

// create retries: the API server may be the one that fails.
func (w *world) create(o client.Object) {
	w.Helper()
	w.eventually("creating "+o.GetName(), func() (bool, error) {
		err := env.Client.Create(w.ctx(), o)
		return err == nil || apierrors.IsAlreadyExists(err), err
	})
}

func (w *world) object(name string) *cdbv1.ImportJobStop {
	return &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec:       cdbv1.ImportJobStopSpec{Region: region, AsyncRequestID: w.id(name), CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"}},
	}
}

// stop creates the import and the object that stops it.
func (w *world) stop(name string, edit ...func(*cdbv1.ImportJobStop)) {
	w.Helper()
	w.importing(name)
	o := w.object(name)
	for _, e := range edit {
		e(o)
	}
	w.create(o)
}

// many are objects name-0 to name-(n-1).
func (w *world) many(name string, n int) {
	w.Helper()
	for i := range n {
		w.stop(fmt.Sprintf("%s-%d", name, i))
	}
}

// crowd is n objects over some accounts, which take their time.
func (w *world) crowd(n, accounts int, edit ...func(*cdbv1.ImportJobStop)) {
	w.Helper()
	w.patience = 10 * time.Minute
	for a := range accounts {
		w.account(fmt.Sprint("acc-", a))
	}
	for i := range n {
		w.stop(fmt.Sprint("o-", i), append([]func(*cdbv1.ImportJobStop){func(o *cdbv1.ImportJobStop) {
			o.Spec.CredentialsSecretRef.Name = fmt.Sprint("acc-", i%accounts)
		}}, edit...)...)
	}
}

func (w *world) update(name string, edit func(*cdbv1.ImportJobStop)) {
	w.Helper()
	w.eventually("updating "+name, func() (bool, error) {
		o := &cdbv1.ImportJobStop{}
		if err := env.Client.Get(w.ctx(), client.ObjectKey{Namespace: w.namespace, Name: name}, o); err != nil {
			return false, err
		}
		edit(o)
		err := env.Client.Update(w.ctx(), o)
		return err == nil, err
	})
}

func (w *world) delete(o client.Object) {
	w.Helper()
	o.SetNamespace(w.namespace)
	if err := env.Client.Delete(w.ctx(), o); client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
}

// eventually waits for something to be so.
func (w *world) eventually(what string, is func() (bool, error)) {
	w.Helper()
	var last error
	err := wait.PollUntilContextTimeout(w.ctx(), 20*time.Millisecond, w.patience, true, func(context.Context) (done bool, _ error) {
		done, last = is()
		return done, nil
	})
	if err != nil {
		w.Fatalf("%s: not within %s (%v)", what, w.patience, last)
	}
}

// hit waits until a rule was run into so many times.
func (w *world) hit(r *rule, times int) {
	w.Helper()
	for range times {
		select {
		case <-r.hit:
			w.inject(string(r.what), 1)
		case <-time.After(w.patience):
			w.Fatalf("nothing ran into %s", r.what)
		}
	}
}

// called waits until the cloud has seen so many stops.
func (w *world) called(n int) {
	w.Helper()
	w.eventually(fmt.Sprintf("%d calls", n), func() (bool, error) { return len(w.stops()) >= n, nil })
}

func (w *world) stops() (calls []cdbsim.Call) {
	for _, c := range w.cloud.Calls() {
		if c.Action == "StopDBImportJob" {
			calls = append(calls, c)
		}
	}
	return calls
}

func ready(o *cdbv1.ImportJobStop) metav1.Condition {
	if c := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// hasReason: the status speaks of the newest spec, and Ready has one of these reasons.
func hasReason(o *cdbv1.ImportJobStop, reasons ...string) bool {
	for _, reason := range reasons {
		if ready(o).Reason == reason && o.Status.ObservedGeneration == o.Generation {
			return true
		}
	}
	return false
}

// isDone: stopped by us, or found stopped; held back where that was asked for.
func isDone(o *cdbv1.ImportJobStop) bool {
	if o.Spec.Suspend {
		return hasReason(o, cdbv1.ReasonSuspended, cdbv1.ReasonStopAccepted, cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportStopped)
	}
	return hasReason(o, cdbv1.ReasonStopAccepted, cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportStopped)
}

// settle waits until every live object is as it should be, and at least so many are there.
func (w *world) settle(objects int, is func(*cdbv1.ImportJobStop) bool) {
	w.Helper()
	var last *cdbv1.ImportJobStop
	err := wait.PollUntilContextTimeout(w.ctx(), 50*time.Millisecond, w.patience, true, func(context.Context) (bool, error) {
		live := w.audit.live()
		for _, o := range live {
			if !is(o) {
				last = o
				return false, nil
			}
		}
		return len(live) >= objects, nil
	})
	if err != nil {
		if last == nil {
			w.Fatalf("%d objects are there, want %d", len(w.audit.live()), objects)
		}
		w.Fatalf("lost: %s is %+v %+v", last.Name, last.Spec, last.Status)
	}
}

// report asks the oracle, and adds a line to the table.
func (w *world) report(row string) {
	w.Helper()
	w.audit.mu.Lock()
	versions := map[types.UID][]version{}
	for uid, v := range w.audit.versions {
		versions[uid] = append([]version{}, v...)
	}
	w.audit.mu.Unlock()
	h := &history{versions: versions, calls: w.cloud.Calls(), kills: w.kills}
	v := h.judge()
	table.add(row, w.injected, v)
	for _, wrong := range v.wrong {
		w.Error(wrong)
	}
}
