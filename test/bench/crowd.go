// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// crowd is a tenant whose accounts have many objects each.
type crowd struct{ *harness.Tenant }

// newCrowd has these accounts, and no objects.
func (b *bench) newCrowd(ctx context.Context, accounts ...string) (crowd, error) {
	t, err := b.NewTenant(ctx, "bench-")
	for _, account := range accounts {
		if err == nil {
			err = t.CreateAccount(ctx, account)
		}
	}
	return crowd{t}, err
}

// bareIn is a crowd where the bare client runs instead of the operator.
func (b *bench) bareIn(t crowd) crowd {
	same := *t.Tenant
	same.Environment = b.bare
	return crowd{&same}
}

// started has the account a and an operator that runs.
func (b *bench) started(ctx context.Context) (crowd, *harness.Operator, error) {
	t, err := b.newCrowd(ctx, "a")
	if err != nil {
		return t, nil, err
	}
	o, err := t.start(ctx)
	return t, o, err
}

// start also waits until the budgets are open, a second after the start: an idle system is one that has been up for a while.
func (t crowd) start(ctx context.Context, flags ...string) (*harness.Operator, error) {
	o, err := t.Run(ctx, flags...)
	if err != nil {
		return nil, err
	}
	if err := harness.Pause(ctx, 2*time.Second); err != nil {
		o.Kill()
		return nil, err
	}
	return o, nil
}

// nameOf the object with a number among those of an account.
func nameOf(account string, i int) string { return fmt.Sprintf("%s-%d", account, i) }

// create makes the objects from..to of an account, and the imports that they stop.
func (t crowd) create(ctx context.Context, account string, from, to int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(50)
	for i := from; i < to; i++ {
		group.Go(func() error { return t.StopImport(ctx, nameOf(account, i), harness.UsesSecret(account)) })
	}
	return group.Wait()
}

// requests are the calls of an account.
func (t crowd) requests(account string) []cdbsim.Call {
	id := t.AccountOf(account).SecretID
	return slices.DeleteFunc(t.CallLog(), func(c cdbsim.Call) bool { return c.SecretID != id })
}

// accepted waits until the cloud has accepted so many stops of an account.
func (t crowd) accepted(ctx context.Context, account string, want int) error {
	return t.acceptedOf(ctx, func() []cdbsim.Call { return t.requests(account) }, want)
}

// acceptedOf waits until so many of some requests are accepted stops.
func (t crowd) acceptedOf(ctx context.Context, requests func() []cdbsim.Call, want int) error {
	for loadOf(requests()).accepted < want {
		if err := harness.Pause(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("%d of %d stops: %w", loadOf(requests()).accepted, want, err)
		}
	}
	return nil
}

// sample creates n objects of an account one after the other, and returns how long each took.
func (t crowd) sample(ctx context.Context, account string, from, n int) (each []time.Duration, err error) {
	for i := from; i < from+n; i++ {
		took, _, err := t.readyAfter(ctx, account, i, i+1)
		if err != nil {
			return nil, err
		}
		each = append(each, took...)
		if err := harness.Pause(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return each, nil
}

// readyAfter creates objects at once and returns how long each took, from its own creation and from that of the first.
func (t crowd) readyAfter(ctx context.Context, account string, from, to int) (each []time.Duration, all time.Duration, err error) {
	list := &cdbv1.ImportJobStopList{}
	if err := t.Client.List(ctx, list, client.InNamespace(t.Namespace), client.Limit(1)); err != nil {
		return nil, 0, err
	}
	fromNow := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: list.ResourceVersion}}
	changes, err := t.Client.Watch(ctx, list, client.InNamespace(t.Namespace), fromNow)
	if err != nil {
		return nil, 0, err
	}
	defer changes.Stop()
	names, sent, begin := make([]string, to-from), make([]time.Time, to-from), time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for i := range names {
		names[i] = nameOf(account, from+i)
		group.Go(func() error {
			sent[i] = time.Now()
			return t.StopImport(ctx, names[i], harness.UsesSecret(account))
		})
	}
	ready, err := untilReady(ctx, changes, names)
	all = time.Since(begin)
	if err := errors.Join(group.Wait(), err); err != nil {
		return nil, 0, err
	}
	for i, name := range names {
		each = append(each, ready[name].Sub(sent[i]))
	}
	return each, all, nil
}

// untilReady returns when each object became Ready.
func untilReady(ctx context.Context, changes watch.Interface, names []string) (map[string]time.Time, error) {
	ready := map[string]time.Time{}
	for len(ready) < len(names) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case e, ok := <-changes.ResultChan():
			if !ok {
				return nil, errors.New("the watch ended")
			}
			o, _ := e.Object.(*cdbv1.ImportJobStop)
			if o != nil && ready[o.Name].IsZero() && slices.Contains(names, o.Name) && meta.IsStatusConditionTrue(o.Status.Conditions, cdbv1.ConditionReady) {
				ready[o.Name] = time.Now()
			}
		}
	}
	return ready, nil
}
