// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/credentials"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

var errDown = errors.New("the API server is down")

// cloud accepts every stop and counts them.
type cloud struct {
	stops atomic.Int32
	takes time.Duration
}

func (*cloud) Host(importjob.Target) string { return "cloud" }

func (c *cloud) Stop(context.Context, importjob.Credentials, importjob.Target) (string, error) {
	c.stops.Add(1)
	time.Sleep(c.takes)
	return "r-1", nil
}

func (*cloud) Describe(context.Context, importjob.Credentials, importjob.Target) (importjob.Status, error) {
	return importjob.StatusKilled, nil
}

// request is an object that nobody has looked at.
func request() *cdbv1.ImportJobStop {
	return &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "stop", UID: "1", Generation: 1},
		Spec: cdbv1.ImportJobStopSpec{
			Region: "ap-guangzhou", AsyncRequestID: "a-b",
			CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"},
		},
		Status: cdbv1.ImportJobStopStatus{ObservedGeneration: -1},
	}
}

// fixture is a Reconciler with a cloud that accepts, a budget that is open, and an API server whose faults are the test's.
type fixture struct {
	*testing.T
	*Reconciler
	cloud  *cloud
	writes atomic.Int32
	panics atomic.Int32
	mu     sync.Mutex
	fault  func(*cdbv1.ImportJobStop) error // of a status write; nil: none
	stale  *cdbv1.ImportJobStop             // what the cache returns; nil: the newest
}

func newFixture(t *testing.T) *fixture {
	scheme := runtime.NewScheme()
	_ = clientgoscheme.AddToScheme(scheme)
	_ = cdbv1.AddToScheme(scheme)
	r := &fixture{T: t, cloud: &cloud{}}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "creds"},
		Data:       map[string][]byte{"secretId": []byte("id"), "secretKey": []byte("key")},
	}
	server := fake.NewClientBuilder().WithScheme(scheme).WithObjects(request(), secret).WithStatusSubresource(&cdbv1.ImportJobStop{}).Build()
	cache := interceptor.NewClient(server, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
			if object, ok := into.(*cdbv1.ImportJobStop); ok && r.stale != nil {
				r.stale.DeepCopyInto(object)
				return nil
			}
			return c.Get(ctx, key, into, options...)
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, options ...client.SubResourceUpdateOption) error {
			if object, ok := o.(*cdbv1.ImportJobStop); ok {
				if err := r.faultOf(object); err != nil {
					return err
				}
			}
			err := c.SubResource(sub).Update(ctx, o, options...)
			if err == nil {
				r.writes.Add(1)
			}
			return err
		},
	})
	r.Reconciler = &Reconciler{
		Client: cache, APIReader: server, Cloud: r.cloud, Events: events.NewFakeRecorder(10),
		Quota:  quota.New[types.NamespacedName](func(string) int { return 20 }),
		Waited: func(importjob.Action, time.Duration) {}, Accepted: func(time.Duration) {}, Recovered: func() { r.panics.Add(1) }, SecretPoll: 5 * time.Second,
	}
	r.enqueue = func(types.NamespacedName, int) {}
	r.credentials = credentials.New(r.readSecret, r.SecretPoll)
	r.Quota.Start(func(types.NamespacedName) {})
	time.Sleep(2 * time.Second) // of the bubble's time: the budgets open
	return r
}

// fail makes status writes fail as the function says; nil heals.
func (r *fixture) fail(fault func(*cdbv1.ImportJobStop) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = fault
}

func (r *fixture) faultOf(object *cdbv1.ImportJobStop) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fault == nil {
		return nil
	}
	return r.fault(object)
}

// failOutcomes lets only intents through.
func (r *fixture) failOutcomes() {
	r.fail(func(o *cdbv1.ImportJobStop) error {
		if o.Status.RequestID != "" {
			return errDown
		}
		return nil
	})
}

func (r *fixture) reconcile() error {
	_, err := r.Reconcile(r.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(request())})
	synctest.Wait()
	return err
}

func (r *fixture) get() *cdbv1.ImportJobStop {
	object := &cdbv1.ImportJobStop{}
	if err := r.APIReader.Get(r.Context(), client.ObjectKeyFromObject(request()), object); err != nil {
		r.Fatal(err)
	}
	return object
}

func (r *fixture) want(reason string, stops, writes int) {
	r.Helper()
	if got := lifecycle.ReadyReason(r.get()); got != reason || int(r.cloud.stops.Load()) != stops || int(r.writes.Load()) != writes {
		r.Errorf("Ready is %s after %d stops and %d writes, want %s after %d and %d", got, r.cloud.stops.Load(), r.writes.Load(), reason, stops, writes)
	}
}

func TestAResyncAfterSuccessDoesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		for range 5 {
			if err := r.reconcile(); err != nil {
				t.Error(err)
			}
		}
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

func TestNothingIsSentThatIsNotWrittenDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.fail(func(*cdbv1.ImportJobStop) error { return errDown })
		for range 3 {
			if err := r.reconcile(); !errors.Is(err, errDown) {
				t.Errorf("the error is %v", err)
			}
		}
		r.want("", 0, 0)
	})
}

func TestTheWriteOfAnAnswerIsRetriedAndNotTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.failOutcomes()
		for range 3 {
			if err := r.reconcile(); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
		}
		r.want(cdbv1.ReasonStopping, 1, 1)
		r.fail(nil)
		time.Sleep(maxRetry)
		synctest.Wait()
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

// Also a process that is told to end keeps trying for as long as it may live.
func TestAShutdownWaitsForTheWriteOfAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.failOutcomes()
		ctx, cancel := context.WithCancel(t.Context())
		_, _ = r.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(request())})
		cancel()
		time.AfterFunc(5*time.Second, func() { r.fail(nil) })
		r.inFlight.drain()
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

func TestAnOldCopyInTheCacheSendsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.stale = r.get()
		for range 3 {
			if err := r.reconcile(); err != nil {
				t.Error(err)
			}
		}
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
		r.expectations.forget(client.ObjectKeyFromObject(request())) // as after a restart
		if err := r.reconcile(); err != nil {
			t.Error(err)
		}
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

// The spec changes while the call is in flight: its result is written all the same, and then the new target is looked at.
func TestAnAnswerIsWrittenOverAConflict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		conflict := apierrors.NewConflict(cdbv1.GroupVersion.WithResource("importjobstops").GroupResource(), "stop", errDown)
		r.fail(func(o *cdbv1.ImportJobStop) error {
			if o.Status.RequestID == "" {
				return nil
			}
			r.fault = nil
			return conflict
		})
		if err := r.reconcile(); err != nil {
			t.Error(err)
		}
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

// Somebody changes the object at the very moment of its turn: it looks again, and has its turn all the same.
func TestAConflictDoesNotCostTheTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		account := credentials.FingerprintOf(importjob.Credentials{SecretID: "id", SecretKey: "key"})
		rival := func(name string) *quota.Credit {
			key := quota.Key{Account: string(account[:]), Host: r.cloud.Host(lifecycle.Target(request())), Action: string(importjob.ActionStop)}
			credit, _ := r.Quota.Acquire(key, types.NamespacedName{Name: name})
			return credit
		}
		for i := range 19 {
			if rival(fmt.Sprint(i)) == nil {
				t.Fatal("the budget is not open")
			}
		}
		r.fail(func(*cdbv1.ImportJobStop) error {
			r.fault = nil
			return apierrors.NewConflict(cdbv1.GroupVersion.WithResource("importjobstops").GroupResource(), "stop", errDown)
		})
		if err := r.reconcile(); err != nil {
			t.Error(err)
		}
		if rival("late") != nil {
			t.Error("somebody else has its turn")
		}
		if err := r.reconcile(); err != nil {
			t.Error(err)
		}
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

func TestALaterAttemptOfAnotherOperatorIsNotOverwritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.failOutcomes()
		_ = r.reconcile()
		time.Sleep(time.Second)
		other := r.get()
		lifecycle.RecordAttempt(time.Now())(other)
		if err := r.APIReader.(client.Client).Status().Update(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		r.fail(nil)
		time.Sleep(maxRetry)
		synctest.Wait()
		r.want(cdbv1.ReasonStopping, 1, 1)
	})
}

func TestAShutdownWaitsForTheAnswerAndLetsNoNewCallBegin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.cloud.takes = 5 * time.Second
		_, _ = r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(request())})
		r.inFlight.drain()
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
		other := request()
		other.Name = "late"
		if err := r.APIReader.(client.Client).Create(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		_, _ = r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(other)})
		synctest.Wait()
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}

func TestWhileACallIsOutNothingElseIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t)
		r.cloud.takes = 5 * time.Second
		for range 3 {
			_ = r.reconcile()
		}
		r.want(cdbv1.ReasonStopping, 1, 1)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		r.want(cdbv1.ReasonStopAccepted, 1, 2)
	})
}
