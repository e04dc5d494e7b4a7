// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const (
	namespace     = "phases"
	busyNamespace = "phases-busy" // of the object that waits for the quota
	waiting       = 200           // objects before it, of which one goes each second
)

// recorder brings an object into each phase, by the real operator.
type recorder struct{ quiet, busy *harness.Tenant }

// record returns the objects as the real API server tells them, by phase.
func record(ctx context.Context, e *harness.Environment) (map[string]*unstructured.Unstructured, error) {
	r, err := newRecorder(ctx, e)
	if err != nil {
		return nil, err
	}
	if err := r.reachAll(ctx); err != nil {
		return nil, err
	}
	objects := map[string]*unstructured.Unstructured{}
	return objects, r.each(ctx, phases, func(ctx context.Context, p phase) error {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(cdbv1.GroupVersion.WithKind("ImportJobStop"))
		objects[p.name] = u
		return e.Client.Get(ctx, r.tenantOf(p).Key(p.name), u)
	})
}

// newRecorder creates two tenants, and in one of them a long queue.
func newRecorder(ctx context.Context, e *harness.Environment) (r recorder, err error) {
	if r.quiet, err = e.NewTenant(ctx, namespace); err != nil {
		return r, err
	}
	if r.busy, err = e.NewTenant(ctx, busyNamespace); err != nil {
		return r, err
	}
	if err := errors.Join(r.quiet.CreateAccount(ctx, "creds"), r.busy.CreateAccount(ctx, "busy")); err != nil {
		return r, err
	}
	for i := range waiting {
		if err := e.Client.Create(ctx, r.busy.Object(fmt.Sprint("waiting-", i), harness.UsesSecret("busy"))); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r recorder) tenantOf(p phase) *harness.Tenant {
	if p.reason == cdbv1.ReasonWaitingForQuota {
		return r.busy
	}
	return r.quiet
}

// reachAll brings all phases about. Those that would not last come at the end: a call in flight, and what the operator has not looked at.
func (r recorder) reachAll(ctx context.Context) error {
	operator, err := r.quiet.Run(ctx, "--requests-per-second=100")
	if err != nil {
		return err
	}
	defer operator.Kill()
	busy, err := r.busy.Run(ctx, "--requests-per-second=1")
	if err != nil {
		return err
	}
	defer busy.Kill()
	var lasting, calling, unseen, last []phase
	for _, p := range phases {
		switch p.reason {
		case "":
			unseen = append(unseen, p)
		case cdbv1.ReasonStopping:
			calling = append(calling, p)
		default:
			lasting = append(lasting, p)
		}
		if p.then != nil && p.then.last {
			last = append(last, p)
		}
	}
	for _, some := range [][]phase{lasting, calling} {
		if err := r.each(ctx, some, r.create); err != nil {
			return err
		}
		if err := r.each(ctx, some, r.reach); err != nil {
			return err
		}
	}
	operator.Kill()
	if err := r.each(ctx, unseen, r.create); err != nil {
		return err
	}
	return r.each(ctx, last, func(ctx context.Context, p phase) error { return p.then.do(ctx, r.tenantOf(p), p.name) })
}

// each does something for some phases, within a minute for each.
func (r recorder) each(ctx context.Context, some []phase, do func(context.Context, phase) error) error {
	for _, p := range some {
		bounded, cancel := context.WithTimeout(ctx, time.Minute)
		err := do(bounded, p)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// create makes the object of a phase.
func (r recorder) create(ctx context.Context, p phase) error {
	n := r.tenantOf(p)
	o := object(n, p.name)
	p.prepare(n, o)
	if n == r.busy { // some are before it then
		if err := untilReady(ctx, n, fmt.Sprint("waiting-", waiting-1), p.reason, p.ready()); err != nil {
			return err
		}
	}
	return n.Client.Create(ctx, o)
}

// reach waits until the object is in its phase, as far as it gets there while an operator looks.
func (r recorder) reach(ctx context.Context, p phase) error {
	n := r.tenantOf(p)
	if p.then != nil {
		if err := untilReady(ctx, n, p.name, p.then.when, ""); err != nil || p.then.last {
			return err
		}
		if err := p.then.do(ctx, n, p.name); err != nil {
			return err
		}
	}
	return untilReady(ctx, n, p.name, p.reason, p.ready())
}

// object stops the import of its own name, which people see in columns and in recorded files.
func object(n *harness.Tenant, name string) *cdbv1.ImportJobStop {
	return n.Object(name, func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = name })
}

// untilReady waits for a reason of Ready, and for its status unless that is empty.
func untilReady(ctx context.Context, n *harness.Tenant, name, reason string, status metav1.ConditionStatus) error {
	_, err := n.Until(ctx, name, fmt.Sprint(status, " ", reason), func(o *cdbv1.ImportJobStop) bool {
		return harness.HasReason(o, reason) && (status == "" || harness.Ready(o).Status == status)
	})
	return err
}
