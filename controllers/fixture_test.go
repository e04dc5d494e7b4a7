// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
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
	stops, lists atomic.Int32
	takes        time.Duration
	listed       []importjob.Record
	stopped      importjob.Target // of the latest stop
	refuses      string           // a SecretId that it does not know
	fails        int32            // so many stops fail at first
}

func (*cloud) Host(importjob.Target) string { return "cloud" }

func (c *cloud) Stop(_ context.Context, _ importjob.Credentials, target importjob.Target) (string, error) {
	if c.stopped = target; c.stops.Add(1) <= c.fails {
		return "", &importjob.Error{Class: importjob.Transient, Code: "InternalError"}
	}
	time.Sleep(c.takes)
	return "r-1", nil
}

func (c *cloud) List(_ context.Context, creds importjob.Credentials, _ importjob.Target, _ string, offset int) (importjob.Page, error) {
	c.lists.Add(1)
	if creds.SecretID == c.refuses {
		return importjob.Page{}, &importjob.Error{Class: importjob.Rejected, Code: "AuthFailure.SecretIdNotFound"}
	}
	to := min(offset+importjob.PageSize, len(c.listed))
	return importjob.Page{Total: len(c.listed), Records: c.listed[offset:to]}, nil
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
		Quota:  quota.New[types.NamespacedName](func(string) int { return 20 }, 0),
		Waited: func(importjob.Action, time.Duration) {}, Accepted: func(time.Duration) {}, Recovered: func() { r.panics.Add(1) }, SecretPoll: 5 * time.Second,
	}
	r.enqueue = func(types.NamespacedName, int) {}
	r.credentials = credentials.New(r.readSecret, r.SecretPoll, r.followCredentials)
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

// failOutcomes lets only attempts through.
func (r *fixture) failOutcomes() {
	r.fail(func(o *cdbv1.ImportJobStop) error {
		if o.Status.RequestID != "" {
			return errDown
		}
		return nil
	})
}

func (r *fixture) reconcile() error {
	err := r.reconcileNamed(client.ObjectKeyFromObject(request()))
	synctest.Wait()
	return err
}

func (r *fixture) reconcileNamed(key types.NamespacedName) error {
	_, err := r.Reconcile(r.Context(), ctrl.Request{NamespacedName: key})
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
