// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func after(seconds int) *metav1.Time {
	return &metav1.Time{Time: noon.Add(time.Duration(seconds) * time.Second)}
}

func microAfter(seconds int) *metav1.MicroTime { return &metav1.MicroTime{Time: after(seconds).Time} }

// inShop is an object whose story is told.
func inShop(edit ...func(*cdbv1.ImportJobStop)) *cdbv1.ImportJobStop {
	o := byInstance.object("shop")
	o.CreationTimestamp = *after(0)
	for _, e := range edit {
		e(o)
	}
	return o
}

func TestStory(t *testing.T) {
	t.Parallel()
	foundShop := func(o *cdbv1.ImportJobStop) {
		previewed(shop)(o)
		o.Status.Import.ObservedTime = after(2)
	}
	sent := func(o *cdbv1.ImportJobStop) {
		o.Spec.Suspend, o.Spec.AsyncRequestID, o.Status.Attempts = false, "id-1", 1
		o.Status.LastAttempt = &cdbv1.Attempt{StartTime: *microAfter(9)}
	}
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   []string // its lines
	}{
		"found": {inShop(foundShop), []string{
			"asked  2026-11-25T12:00:00Z  stop the import on cdb-c1nl9rpv in ap-guangzhou, with the Secret creds",
			"found  2026-11-25T12:00:02Z  id-1, shop.sql.gz into shop, running, 37 %",
			"", "Suspended: it was so; see " + cdbv1.RemediesPage + "#suspended",
			"", "Let it go on with", "  kubectl stop-import resume stop-it --namespace=shop",
		}},
		"ended": {inShop(foundShop, sent, func(o *cdbv1.ImportJobStop) {
			withReady(o, metav1.ConditionTrue, cdbv1.ReasonImportStopped)
			o.Status.LastAttempt.EndTime, o.Status.LastAttempt.RequestID, o.Status.RequestID = microAfter(10), "R-1", "R-1"
			o.Status.CompletionTime, o.Status.ImportStatus = after(15), "KILLED"
		}), []string{
			"asked     2026-11-25T12:00:00Z  stop the import id-1 on cdb-c1nl9rpv in ap-guangzhou, with the Secret creds",
			"found     2026-11-25T12:00:02Z  id-1, shop.sql.gz into shop, running, 37 %",
			"sent      2026-11-25T12:00:09Z  attempt 1, RequestId R-1",
			"accepted  -                     RequestId R-1",
			"ended     2026-11-25T12:00:15Z  the import is KILLED",
			"", "ImportStopped: it was so; see " + cdbv1.RemediesPage + "#importstopped",
		}},
		"outcome unknown": {inShop(sent, func(o *cdbv1.ImportJobStop) {
			withReady(o, metav1.ConditionUnknown, cdbv1.ReasonRetryScheduled)
			o.Status.NextAttemptTime = microAfter(20)
		}), []string{
			"asked  2026-11-25T12:00:00Z  stop the import id-1 on cdb-c1nl9rpv in ap-guangzhou, with the Secret creds",
			"sent   2026-11-25T12:00:09Z  attempt 1, no answer is known: it may have stopped the import",
			"next   2026-11-25T12:00:20Z  the operator goes on",
			"", "RetryScheduled: it was so; see " + cdbv1.RemediesPage + "#retryscheduled",
			"", "The operator goes on by itself. To go on at once, try it again with", "  kubectl stop-import retry stop-it --namespace=shop",
		}},
		"queued": {inShop(func(o *cdbv1.ImportJobStop) {
			withReady(o, metav1.ConditionUnknown, cdbv1.ReasonWaitingForQuota)
			o.Spec.Suspend, o.Status.WaitingSince, o.Status.NextAttemptTime = false, after(3), microAfter(30)
		}), []string{
			"asked   2026-11-25T12:00:00Z  stop the import on cdb-c1nl9rpv in ap-guangzhou, with the Secret creds",
			"queued  2026-11-25T12:00:03Z  for the cloud's quota, its turn is expected at 2026-11-25T12:00:30Z",
			"", "WaitingForQuota: it was so; see " + cdbv1.RemediesPage + "#waitingforquota",
			"", "Nothing is to be done: the operator goes on by itself.",
		}},
		"several": {inShop(previewed(shop, stock)), []string{
			"asked  2026-11-25T12:00:00Z  stop the import on cdb-c1nl9rpv in ap-guangzhou, with the Secret creds",
			"found  -                     2 that match, of which none is stopped:",
			"       -                     id-1, shop.sql.gz into shop, running, 37 %",
			"       -                     id-2, stock.sql.gz, initializing, 5 %",
			"", "Suspended: it was so; see " + cdbv1.RemediesPage + "#suspended",
			"", "Name the one that is to be stopped:",
			`  kubectl patch ijs stop-it --namespace=shop --type=merge --patch='{"spec":{"asyncRequestId":"id-1","suspend":false}}'`,
			`  kubectl patch ijs stop-it --namespace=shop --type=merge --patch='{"spec":{"asyncRequestId":"id-2","suspend":false}}'`,
		}},
		"not seen": {inShop(func(o *cdbv1.ImportJobStop) { o.Generation, o.Status.ObservedGeneration = 1, -1 }), []string{
			"asked  2026-11-25T12:00:00Z  stop the import on cdb-c1nl9rpv in ap-guangzhou, with the Secret creds",
			"", "The operator has not seen the spec as it is now.",
			"", "If this lasts: is the operator running, and does it watch the namespace shop?",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, strings.Split(strings.TrimSuffix(story(test.object), "\n"), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever is not done says what to do, and only what never changes says no retry.
func TestEveryReasonHasARemedy(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, reason := range cdbv1.ReadyReasons() {
		o := withReady(inShop(), metav1.ConditionUnknown, reason)
		text := remedyOf(o)
		if text == "" || remedyOf(withReady(inShop(), metav1.ConditionTrue, reason)) != "" {
			t.Errorf("%s: %q", reason, text)
		}
		seen[reason] = text
	}
	if text := seen[cdbv1.ReasonImportAlreadyFinished]; strings.Contains(text, "stop-import retry") {
		t.Errorf("a retry would do nothing: %s", text)
	}
	if text := seen[cdbv1.ReasonCredentialsRejected]; !strings.Contains(text, "Secret creds") {
		t.Error(text)
	}
}

// The verbs refuse what would do nothing, and say why.
func TestVerbs(t *testing.T) {
	t.Parallel()
	accept := func(o *cdbv1.ImportJobStop) {
		withReady(o, metav1.ConditionTrue, cdbv1.ReasonStopAccepted)
		o.Spec.Suspend, o.Status.RequestID = false, "R-1"
	}
	fail := func(reason string) func(*cdbv1.ImportJobStop) {
		return func(o *cdbv1.ImportJobStop) {
			withReady(o, metav1.ConditionFalse, reason)
			o.Spec.Suspend, o.Status.CompletionTime = false, after(3)
		}
	}
	wait := func(o *cdbv1.ImportJobStop) {
		withReady(o, metav1.ConditionUnknown, cdbv1.ReasonRetryScheduled)
		o.Spec.Suspend = false
	}
	for _, test := range []struct {
		verb, name string
		object     *cdbv1.ImportJobStop
		fails      string // in the error; empty: done
		is         func(*cdbv1.ImportJobStop) bool
	}{
		{"retry", "failed", inShop(fail(cdbv1.ReasonImportNotFound)), "", func(o *cdbv1.ImportJobStop) bool { return o.Annotations[cdbv1.RetryRequestedAtAnnotation] != "" }},
		{"retry", "done", inShop(accept), "is done: StopAccepted", nil},
		{"retry", "ran to its end", inShop(fail(cdbv1.ReasonImportAlreadyFinished)), "no retry changes that", nil},
		{"suspend", "waits", inShop(wait), "", func(o *cdbv1.ImportJobStop) bool { return o.Spec.Suspend }},
		{"suspend", "accepted", inShop(accept), "was accepted, RequestId R-1", nil},
		{"resume", "found", inShop(previewed(shop)), "", func(o *cdbv1.ImportJobStop) bool { return !o.Spec.Suspend && o.Spec.AsyncRequestID == "id-1" }},
		{"resume", "edited since", inShop(previewed(shop), func(o *cdbv1.ImportJobStop) { o.Generation = 2 }), "", func(o *cdbv1.ImportJobStop) bool { return !o.Spec.Suspend && o.Spec.AsyncRequestID == "" }},
		{"resume", "several", inShop(previewed(shop, stock)), `"asyncRequestId":"id-2"`, nil},
		{"resume", "waits", inShop(wait), "is not suspended", nil},
		{"resume", "failed", inShop(fail(cdbv1.ReasonImportNotFound)), "has failed: ImportNotFound", nil},
	} {
		t.Run(test.verb+" "+test.name, func(t *testing.T) {
			t.Parallel()
			c := cluster(test.object)
			o, output := console(arguments{}, "")
			object := &cdbv1.ImportJobStop{}
			key := client.ObjectKeyFromObject(test.object)
			if err := c.Get(t.Context(), key, object); err != nil {
				t.Fatal(err)
			}
			before := object.DeepCopy()
			verbs := map[string]func() error{
				"retry":   func() error { return o.retry(t.Context(), c, object) },
				"suspend": func() error { return o.suspend(t.Context(), c, object) },
				"resume":  func() error { return o.resume(t.Context(), c, object) },
			}
			err := verbs[test.verb]()
			if (err == nil) != (test.fails == "") || (err != nil && !strings.Contains(err.Error(), test.fails)) {
				t.Fatalf("%v, want %q", err, test.fails)
			}
			if err := c.Get(t.Context(), key, object); err != nil {
				t.Fatal(err)
			}
			switch {
			case test.fails != "" && object.ResourceVersion != before.ResourceVersion:
				t.Errorf("it was written: %+v", object.Spec)
			case test.fails == "" && (!test.is(object) || !strings.Contains(output.String(), "stop-it ")):
				t.Errorf("%+v\n%s", object, output)
			}
		})
	}
}

// A retry that is waited for does not end by the failure of before.
func TestRetryWaitsForItsOwnEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cluster(withReady(inShop(func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = false }), metav1.ConditionFalse, cdbv1.ReasonImportNotFound))
		object := &cdbv1.ImportJobStop{}
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "stop-it"}, object); err != nil {
			t.Fatal(err)
		}
		play(t, c, func(o *cdbv1.ImportJobStop) {
			o.Status.LastHandledRetryAt = o.Annotations[cdbv1.RetryRequestedAtAnnotation]
			withReady(o, metav1.ConditionUnknown, cdbv1.ReasonRetryScheduled)
		})
		time.AfterFunc(time.Second/2, func() { // a watch of the real API server begins with the object as it is
			if err := c.Patch(context.Background(), inShop(), client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`))); err != nil {
				t.Error(err)
			}
		})
		o, output := console(arguments{}, "")
		o.wait = true
		if err := o.retry(t.Context(), c, object); err != nil || !strings.Contains(output.String(), "StopAccepted: ") {
			t.Errorf("%v\n%s", err, output)
		}
	})
}

// A retry of a preview that is waited for ends with the new preview.
func TestRetryOfAPreviewEndsWithThePreview(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cluster(inShop(previewed()))
		object := &cdbv1.ImportJobStop{}
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "stop-it"}, object); err != nil {
			t.Fatal(err)
		}
		play(t, c, func(o *cdbv1.ImportJobStop) {
			o.Status.LastHandledRetryAt = o.Annotations[cdbv1.RetryRequestedAtAnnotation]
			previewed(shop)(o)
		})
		o, output := console(arguments{}, "")
		o.wait = true
		if err := o.retry(t.Context(), c, object); err != nil || !strings.Contains(output.String(), "Suspended: ") {
			t.Errorf("%v\n%s", err, output)
		}
	})
}
