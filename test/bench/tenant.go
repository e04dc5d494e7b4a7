// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const region = "ap-guangzhou"

// tenant is a namespace with accounts of its own.
type tenant struct {
	*bench
	namespace string
}

func (b *bench) tenant(ctx context.Context) (*tenant, error) {
	b.serial++
	t := &tenant{b, fmt.Sprintf("bench-%d", b.serial)}
	return t, b.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: t.namespace}})
}

// started is a tenant with one account and a running operator.
func (b *bench) started(ctx context.Context) (*tenant, *harness.Operator, error) {
	t, err := b.tenant(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := t.account(ctx, "a"); err != nil {
		return nil, nil, err
	}
	o, err := t.start(ctx)
	return t, o, err
}

func (t *tenant) start(ctx context.Context) (*harness.Operator, error) {
	o, err := t.Run(ctx, t.program, "--namespaces="+t.namespace)
	if err != nil {
		return nil, err
	}
	// The budgets open one second after the start; an idle system is one that has been up for a while.
	time.Sleep(2 * time.Second)
	return o, nil
}

func (t *tenant) secretID(account string) string { return "AKID" + t.namespace + account }

func (t *tenant) account(ctx context.Context, name string) error {
	a := cdbsim.Account{SecretID: t.secretID(name), SecretKey: "key"}
	t.Cloud.SetAccount(a)
	return t.Client.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: name},
		StringData: map[string]string{"secretId": a.SecretID, "secretKey": a.SecretKey},
	})
}

func (t *tenant) object(account string, i int) *cdbv1.ImportJobStop {
	name := fmt.Sprintf("%s-%s-%d", t.namespace, account, i)
	return &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: name},
		Spec:       cdbv1.ImportJobStopSpec{Region: region, AsyncRequestID: name, CredentialsSecretRef: cdbv1.SecretReference{Name: account}},
	}
}

func keyOf(o *cdbv1.ImportJobStop) client.ObjectKey { return client.ObjectKeyFromObject(o) }

// create makes objects from..to, and the imports that they stop.
func (t *tenant) create(ctx context.Context, account string, from, to int, edit func(*cdbv1.ImportJobStop)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(50)
	for i := from; i < to; i++ {
		group.Go(func() error {
			o := t.object(account, i)
			t.Cloud.SetImport(cdbsim.Import{Region: region, ID: o.Name, Status: "RUNNING"})
			if err := t.Client.Create(ctx, o); err != nil || edit == nil {
				return err
			}
			edit(o)
			return t.Client.Status().Update(ctx, o)
		})
	}
	return group.Wait()
}

// finish makes an object look as one whose stop was accepted.
func finish(o *cdbv1.ImportJobStop) {
	target, now := o.Spec.Target(), metav1.Now()
	o.Status = cdbv1.ImportJobStopStatus{
		ObservedGeneration: o.Generation, Target: &target, RequestID: "5F16B25E-03C5-1D4A-090F-AA5DD5735C67", Attempts: 1,
		LastAttempt: &cdbv1.Attempt{StartTime: metav1.NowMicro(), EndTime: &metav1.MicroTime{Time: now.Time}, RequestID: "5F16B25E-03C5-1D4A-090F-AA5DD5735C67"},
		StartTime:   &now, CompletionTime: &now,
	}
	for kind, status := range map[string]metav1.ConditionStatus{
		cdbv1.ConditionReady: "True", cdbv1.ConditionAccepted: "True", cdbv1.ConditionReconciling: "False", cdbv1.ConditionStalled: "False",
	} {
		meta.SetStatusCondition(&o.Status.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: cdbv1.ReasonStopAccepted, ObservedGeneration: o.Generation,
			Message: "the cloud accepted the stop, RequestId 5F16B25E-03C5-1D4A-090F-AA5DD5735C67",
		})
	}
}

// calls are those of this tenant, and of one account unless it is empty.
func (t *tenant) requests(account string) (requests []cdbsim.Call) {
	for _, c := range t.Cloud.CallLog() {
		if c.SecretID == t.secretID(account) || (account == "" && len(c.SecretID) > len(t.secretID("")) && c.SecretID[:len(t.secretID(""))] == t.secretID("")) {
			requests = append(requests, c)
		}
	}
	return requests
}

// accepted waits until the cloud has accepted so many stops of an account, all of them for the empty name.
func (t *tenant) accepted(ctx context.Context, account string, want int) error {
	for loadOf(t.requests(account)).accepted < want {
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("%d of %d stops: %w", loadOf(t.requests(account)).accepted, want, err)
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// sample creates n objects of the account fresh one after the other, and returns how long each took.
func (t *tenant) sample(ctx context.Context, from, n int) (each []time.Duration, err error) {
	for i := range n {
		took, _, err := t.readyAfter(ctx, "fresh", from+i, from+i+1)
		if err != nil {
			return nil, err
		}
		each = append(each, took...)
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return each, nil
}

// readyAfter creates objects at once and returns how long each took, from its own creation and from that of the first.
func (t *tenant) readyAfter(ctx context.Context, account string, from, to int) (each []time.Duration, all time.Duration, err error) {
	list := &cdbv1.ImportJobStopList{}
	if err := t.Client.List(ctx, list, client.InNamespace(t.namespace), client.Limit(1)); err != nil {
		return nil, 0, err
	}
	fromNow := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: list.ResourceVersion}}
	events, err := t.Client.Watch(ctx, list, client.InNamespace(t.namespace), fromNow)
	if err != nil {
		return nil, 0, err
	}
	defer events.Stop()
	begin := time.Now()
	var sent [1 << 16]atomic.Int64
	failed := make(chan error, 1)
	go func() {
		group, ctx := errgroup.WithContext(ctx)
		for i := from; i < to; i++ {
			o := t.object(account, i)
			t.Cloud.SetImport(cdbsim.Import{Region: region, ID: o.Name, Status: "RUNNING"})
			group.Go(func() error {
				sent[i].Store(time.Now().UnixNano())
				return t.Client.Create(ctx, o)
			})
		}
		if err := group.Wait(); err != nil {
			failed <- err
		}
	}()
	byName := map[string]int{}
	for i := from; i < to; i++ {
		byName[t.object(account, i).Name] = i
	}
	for len(byName) > 0 {
		select {
		case <-ctx.Done():
			return each, 0, ctx.Err()
		case err := <-failed:
			return each, 0, err
		case e, ok := <-events.ResultChan():
			if !ok {
				return each, 0, errors.New("the watch ended")
			}
			o, _ := e.Object.(*cdbv1.ImportJobStop)
			if o == nil || !meta.IsStatusConditionTrue(o.Status.Conditions, cdbv1.ConditionReady) {
				continue
			}
			if i, waiting := byName[o.Name]; waiting {
				delete(byName, o.Name)
				each = append(each, time.Since(time.Unix(0, sent[i].Load())))
			}
		}
	}
	return each, time.Since(begin), nil
}
