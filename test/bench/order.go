// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// newcomers come at once when an operator with many waiting objects was killed and is back.
func (b *bench) newcomers(ctx context.Context) error {
	t, first, err := b.started(ctx)
	if err != nil {
		return err
	}
	defer first.Kill()
	if err := t.create(ctx, "a", 0, 520); err != nil {
		return err
	}
	first.Kill()
	earlier := len(t.requests("a"))
	second, err := t.Run(ctx)
	if err != nil {
		return err
	}
	defer second.Kill()
	const newest = 620
	if err := t.create(ctx, "a", 520, newest); err != nil {
		return err
	}
	if err := t.accepted(ctx, "a", newest); err != nil {
		return err
	}
	ranks, err := t.ranks(ctx)
	if err != nil {
		return err
	}
	requests := t.requests("a")
	waited := t.served(requests[earlier:])
	count, places := overtaken(waited, func(a, b string) int { return ranks[a].created.Compare(ranks[b].created) })
	l := loadOf(requests)
	b.row("500 waiting, kill -9, 100 newcomers at once", "fewer than 20 overtaken by younger ones, window kept", count < 20 && l.refused == 0 && l.worst <= 20,
		"%d of %d overtaken, by %d places at the most; %d refused, %d in the worst second", count, len(waited), places, l.refused, l.worst)
	return nil
}

// rank says who is next among the objects of a namespace.
type rank struct {
	created time.Time
	name    string
}

func (r rank) compare(other rank) int {
	return cmp.Or(r.created.Compare(other.created), strings.Compare(r.name, other.name))
}

// ranks of the objects of a namespace, by their names.
func (t crowd) ranks(ctx context.Context) (map[string]rank, error) {
	objects, err := t.objects(ctx)
	ranks := map[string]rank{}
	for _, o := range objects {
		ranks[o.Name] = rank{o.CreationTimestamp.Time, o.Name}
	}
	return ranks, err
}

// objects of the namespace.
func (t crowd) objects(ctx context.Context) ([]cdbv1.ImportJobStop, error) {
	list := &cdbv1.ImportJobStopList{}
	err := t.Client.List(ctx, list, client.InNamespace(t.Namespace))
	return list.Items, err
}

// served are the names of the objects in the order in which the cloud accepted their stops.
func (t crowd) served(requests []cdbsim.Call) (names []string) {
	requests = slices.SortedFunc(slices.Values(requests), func(a, b cdbsim.Call) int { return a.Time.Compare(b.Time) })
	for _, c := range requests {
		if c.Action == "StopDBImportJob" && c.Code == "" {
			names = append(names, strings.TrimPrefix(c.AsyncRequestID, t.ImportID("")))
		}
	}
	return names
}

// overtaken returns how many had somebody before them who comes after them in order, and by how many places one was overtaken at the most.
func overtaken(names []string, order func(a, b string) int) (count, places int) {
	for i, name := range names {
		before := 0
		for _, other := range names[:i] {
			if order(other, name) > 0 {
				before++
			}
		}
		if before > 0 {
			count++
		}
		places = max(places, before)
	}
	return count, places
}

// namespaces is how long 50 objects of a namespace take while another one has 5,000 waiting for the same account.
func (b *bench) namespaces(ctx context.Context) error {
	many, err := b.newCrowd(ctx, "a")
	if err != nil {
		return err
	}
	few, err := b.newCrowd(ctx)
	if err != nil {
		return err
	}
	if err := few.Client.Create(ctx, few.Secret("a", many.AccountOf("a"))); err != nil {
		return err
	}
	o, err := many.start(ctx, "--namespaces="+many.Namespace+","+few.Namespace)
	if err != nil {
		return err
	}
	defer o.Kill()
	if err := many.create(ctx, "a", 0, 5000); err != nil {
		return err
	}
	if err := harness.Pause(ctx, 5*time.Second); err != nil {
		return err
	}
	const n = 50
	begin := time.Now()
	if err := few.create(ctx, "a", 0, n); err != nil {
		return err
	}
	half := n * (time.Second + latency) / 10 // ten of the 20 credits
	bounded, stop := context.WithTimeout(ctx, 12*half)
	defer stop()
	_ = few.acceptedOf(bounded, few.CallLog, n)
	l := loadOf(few.CallLog())
	took := l.last.Sub(begin)
	if l.accepted < n {
		took = time.Since(begin)
	}
	b.row("namespaces with 5,000 and 50 objects on one account", "the 50 are done within 1.2 × the time of their half of the quota", l.accepted == n && took <= half*6/5,
		"%d done after %.1f s, %.1f × the %.1f s of their half", l.accepted, took.Seconds(), took.Seconds()/half.Seconds(), half.Seconds())
	return nil
}

// renewals replaces the credentials of a Secret three times while a queue waits. The cloud goes on to accept the earlier ones, as with
// temporary credentials, and counts all of them together.
func (b *bench) renewals(ctx context.Context) error {
	t, err := b.newCrowd(ctx)
	if err != nil {
		return err
	}
	account := func(i int) cdbsim.Account {
		a := t.AccountOf("a")
		return cdbsim.Account{SecretID: fmt.Sprintf("%s%d", a.SecretID, i), SecretKey: fmt.Sprintf("%s-%d", a.SecretKey, i), Token: fmt.Sprintf("token-%d-of-%s", i, t.Namespace)}
	}
	for i := range 4 {
		t.Cloud.SetIdentity(account(i).SecretID, cdbsim.Identity{SubAccount: t.Namespace})
		t.Cloud.SetAccount(account(i))
	}
	if err := t.Client.Create(ctx, t.Secret("a", account(0))); err != nil {
		return err
	}
	o, err := t.start(ctx)
	if err != nil {
		return err
	}
	defer o.Kill()
	const n = 400
	if err := t.create(ctx, "a", 0, n); err != nil {
		return err
	}
	earlier := len(t.CallLog())
	for i := 1; i < 4; i++ {
		if err := harness.Pause(ctx, 3*time.Second); err != nil {
			return err
		}
		if err := t.Client.Update(ctx, t.Secret("a", account(i))); err != nil {
			return err
		}
	}
	if err := t.acceptedOf(ctx, t.CallLog, n); err != nil {
		return err
	}
	ranks, err := t.ranks(ctx)
	if err != nil {
		return err
	}
	requests := t.CallLog()
	l := loadOf(requests)
	_, places := overtaken(t.served(requests[earlier:]), func(a, b string) int { return ranks[a].compare(ranks[b]) })
	b.row("three renewals of a token under a full queue", "20 in the worst second, 0 refused, order kept (nobody overtaken by 20 or more)",
		l.worst <= 20 && l.refused == 0 && l.repeated == 0 && places < 20, "%d in the worst second, %d refused, nobody overtaken by more than %d", l.worst, l.refused, places)
	return nil
}
