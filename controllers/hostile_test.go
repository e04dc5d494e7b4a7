// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/credentials"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

// hostile is a fixture whose live reads can fail, too.
type hostile struct {
	*fixture
	server client.WithWatch
	live   func(client.Object) error // nil: none fails
}

func newHostile(t *testing.T) *hostile {
	h := &hostile{fixture: newFixture(t)}
	h.server, _ = h.APIReader.(client.WithWatch)
	h.APIReader = interceptor.NewClient(h.server, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
			h.mu.Lock()
			fault := h.live
			h.mu.Unlock()
			if fault != nil {
				if err := fault(into); err != nil {
					return err
				}
			}
			return c.Get(ctx, key, into, options...)
		},
	})
	return h
}

// failLive makes live reads fail as the function says; nil heals.
func (h *hostile) failLive(fault func(client.Object) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.live = fault
}

// put changes the object on the API server, its spec and metadata first, then its status.
func (h *hostile) put(edit func(*cdbv1.ImportJobStop)) {
	h.Helper()
	object := h.get()
	edit(object)
	status := object.Status
	err := h.server.Update(h.Context(), object)
	if err == nil {
		object.Status = status
		err = h.server.Status().Update(h.Context(), object)
	}
	if err != nil {
		h.Fatal(err)
	}
}

// settle reconciles as often as the queue would, and lets a minute pass.
func (h *hostile) settle() {
	for range 20 {
		_ = h.reconcile()
		time.Sleep(3 * time.Second)
	}
	synctest.Wait()
}

// restart is another process: it remembers nothing.
func (h *hostile) restart() {
	h.expectations, h.inFlight = expectations{}, inFlight{}
	h.credentials = credentials.New(h.readSecret, h.SecretPoll, h.followCredentials)
	h.Quota = quota.New[types.NamespacedName](func(string) int { return 20 }, 0)
	h.Quota.Start(func(types.NamespacedName) {})
	time.Sleep(2 * time.Second)
}

func (h *hostile) wantPanics(n int) {
	h.Helper()
	if got := int(h.panics.Load()); got != n {
		h.Errorf("%d panics were counted, want %d", got, n)
	}
}

func (h *hostile) budget() quota.Key {
	account := credentials.FingerprintOf(importjob.Credentials{SecretID: "id", SecretKey: "key"})
	return quota.Key{Account: string(account[:]), Host: "cloud", Action: string(importjob.ActionStop)}
}

// rivals take credits of the object's account until there are none, and return what they took.
func (h *hostile) rivals() (credits []*quota.Credit) {
	for i := 0; ; i++ {
		credit, _ := h.Quota.Acquire(h.budget(), types.NamespacedName{Name: fmt.Sprint(i)}, quota.Rank{})
		if credit == nil {
			h.Quota.Leave(types.NamespacedName{Name: fmt.Sprint(i)})
			return credits
		}
		credits = append(credits, credit)
	}
}

// A restore, or a person, leaves a status that no operator writes.
func TestAnAcceptedObjectWithoutAnAttemptIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.put(func(o *cdbv1.ImportJobStop) {
			o.Spec.WaitFor = cdbv1.WaitForStopped
			target := o.Spec.Target()
			o.Status = cdbv1.ImportJobStopStatus{RequestID: "r-0", Target: &target}
		})
		h.settle()
		h.want(cdbv1.ReasonImportStopped, 0, 2)
		h.wantPanics(0)
	})
}

// port is a cloud that panics in the methods that are set.
type port struct {
	*cloud
	inHost, inStop, inDescribe bool
}

func (p *port) Host(target importjob.Target) string {
	if p.inHost {
		panic("host")
	}
	return p.cloud.Host(target)
}

func (p *port) Stop(ctx context.Context, c importjob.Credentials, target importjob.Target) (string, error) {
	id, err := p.cloud.Stop(ctx, c, target)
	if p.inStop {
		panic(c)
	}
	return id, err
}

func (p *port) List(ctx context.Context, c importjob.Credentials, target importjob.Target, instance string, offset int) (importjob.Page, error) {
	return p.cloud.List(ctx, c, target, instance, offset)
}

func (p *port) Describe(ctx context.Context, c importjob.Credentials, target importjob.Target) (importjob.Status, error) {
	if p.inDescribe {
		var nothing *importjob.Target
		target.Region = nothing.Region
	}
	return p.cloud.Describe(ctx, c, target)
}

func TestAPanicInAStopIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.Cloud = &port{cloud: h.cloud, inStop: true}
		_ = h.reconcile()
		h.wantPanics(1)
		h.want(cdbv1.ReasonRetryScheduled, 1, 2)
		accepted := meta.FindStatusCondition(h.get().Status.Conditions, cdbv1.ConditionAccepted)
		if accepted == nil || accepted.Status != metav1.ConditionUnknown {
			t.Errorf("Accepted is %v, want Unknown", accepted)
		}
		h.Cloud = h.cloud
		h.settle()
		h.want(cdbv1.ReasonStopAccepted, 2, 4)
	})
}

func TestAPanicInAQuestionStopsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.put(func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor = cdbv1.WaitForStopped })
		h.Cloud = &port{cloud: h.cloud, inDescribe: true}
		_ = h.reconcile()
		time.Sleep(3 * time.Second)
		_ = h.reconcile()
		h.wantPanics(1)
		h.want(cdbv1.ReasonWaitingForStop, 1, 3)
		h.Cloud = h.cloud
		h.settle()
		h.want(cdbv1.ReasonImportStopped, 1, 4)
	})
}

func TestAPanicInADecisionIsToldAndARetryGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.Cloud = &port{cloud: h.cloud, inHost: true}
		h.settle()
		h.wantPanics(1)
		h.want(cdbv1.ReasonInternalError, 0, 1)
		h.Cloud = h.cloud
		h.put(func(o *cdbv1.ImportJobStop) {
			o.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: "now"}
		})
		h.settle()
		h.want(cdbv1.ReasonStopAccepted, 1, 4)
	})
}
