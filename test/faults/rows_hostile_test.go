// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"net/http"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/oracle"
)

// hostileRows are about what the API server, what stands before it and those who write into it can do.
var hostileRows = []row{
	{"plain 404 at the attempt", false, plain404(isAttempt)},
	{"plain 404 at the result", false, plain404(isOutcome)},
	{"plain 404 at the result and the live read after it", false, plain404(isOutcome, isLiveRead)},
	{"plain 404 at the Secret", false, plain404(isSecret)},
	{"plain 404 at the event", false, plain404(isEvent)},
	{"plain 404 at the delete of a TTL", false, plain404Delete},
	{"SIGTERM while lists are refused with 403", false, sigtermEarly(func(f *fixture) *rule { return f.proxy.refuse(http.StatusForbidden, 0, isRead) })},
	{"SIGTERM while lists are refused with 500", false, sigtermEarly(func(f *fixture) *rule { return f.proxy.refuse(http.StatusInternalServerError, 0, isRead) })},
	{"SIGTERM while lists are not answered", false, sigtermEarly(func(f *fixture) *rule { return f.proxy.add(hold, 0, isRead) })},
	{"missing Secret is told at once and comes later", false, func(f *fixture) {
		f.StopImport("a", harness.UsesSecret("late"))
		f.Start()
		started := time.Now()
		f.settle(1, func(o *cdbv1.ImportJobStop) bool { return harness.HasReason(o, cdbv1.ReasonCredentialsNotFound) })
		f.expectWarning("a", cdbv1.ReasonCredentialsNotFound, started.Add(3*time.Second))
		f.Account("late")
		arrival := time.Now()
		f.called(1)
		f.inject("missing Secret", 1)
		if after := f.Stops()[0].Time.Sub(arrival); after > 4*time.Second { // of the poll each second, and of a busy machine
			f.Errorf("called %s after the Secret had come", after)
		}
		f.settle(1, isDone)
	}},
	{"Secret comes for a hundred objects", false, func(f *fixture) {
		for i := range 100 { // more than there are credits
			f.StopImport(fmt.Sprint("a-", i), harness.UsesSecret("late"))
		}
		f.Start()
		f.settle(100, func(o *cdbv1.ImportJobStop) bool { return harness.HasReason(o, cdbv1.ReasonCredentialsNotFound) })
		f.Account("late")
		f.inject("missing Secret", 100)
		f.settle(100, isDone)
	}},
}

// plain404 lets each kind of request run into the 404 of something that is not the API, three times.
func plain404(kinds ...func(*http.Request, []byte) bool) func(*fixture) {
	return func(f *fixture) {
		var struck []*rule
		for _, kind := range kinds {
			struck = append(struck, f.proxy.add(notFound, 3, kind))
		}
		f.many("a", 3)
		f.Start()
		for _, r := range struck {
			f.hit(r, 3)
		}
		f.settle(3, isDone)
		f.wantCalls(3)
		f.expectNever("took a 404 for a missing Secret", func(o oracle.Version) bool {
			return harness.HasReason(o.ImportJobStop, cdbv1.ReasonCredentialsNotFound)
		})
	}
}

func plain404Delete(f *fixture) {
	live, deletes := f.proxy.add(notFound, 3, isLiveRead), f.proxy.add(notFound, 3, isDelete)
	for i := range 3 {
		f.StopImport(fmt.Sprint("a-", i), func(o *cdbv1.ImportJobStop) { o.Spec.TTLSecondsAfterFinished = new(int32(1)) })
	}
	f.Start()
	f.hit(live, 3)
	f.hit(deletes, 3)
	f.settle(0, func(*cdbv1.ImportJobStop) bool { return false }) // until none is left
	f.wantCalls(3)
}

// sigtermEarly ends a process that could not read its objects yet.
func sigtermEarly(spoil func(*fixture) *rule) func(*fixture) {
	return func(f *fixture) {
		r := spoil(f)
		o := f.launch()
		if r.what == hold {
			f.hit(r, 1)
		} else {
			f.hit(r, 3) // it tries again and again
		}
		o.Signal(syscall.SIGTERM)
		f.inject("SIGTERM", 1)
		select {
		case <-o.Ended():
		case <-time.After(10 * time.Second):
			f.Error("it still runs ten seconds after SIGTERM")
			o.Kill()
		}
		if err := o.Terminate(); err != nil && !f.Failed() {
			f.Errorf("it did not end well: %v", err)
		}
		f.proxy.heal()
		f.many("a", 2)
		f.Start()
		f.settle(2, isDone)
	}
}

// expectWarning waits for the Warning event of an object, which must not be later than a time.
func (f *fixture) expectWarning(name, reason string, latest time.Time) {
	f.Helper()
	f.Eventually("the event "+reason, func() (bool, error) {
		events := &eventsv1.EventList{}
		if err := env.Client.List(f.Context(), events, client.InNamespace(f.Namespace)); err != nil {
			return false, err
		}
		for _, e := range events.Items {
			if e.Regarding.Name == name && e.Reason == reason && e.Type == corev1.EventTypeWarning {
				if e.EventTime.After(latest) {
					f.Errorf("the event %s came at %s, later than %s", reason, e.EventTime, latest)
				}
				return true, nil
			}
		}
		return false, nil
	})
}

// expectNever looks at every version so far that the operator wrote.
func (f *fixture) expectNever(what string, is func(oracle.Version) bool) {
	f.Helper()
	h := f.history()
	for _, versions := range h.Versions {
		for _, o := range versions {
			if !h.IsByHand(o) && is(o) {
				f.Errorf("%s %s: %+v", o.Name, what, o.Status)
				return
			}
		}
	}
}
