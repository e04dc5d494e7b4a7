// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// ends wants this exit code, and this in what is printed, with the error.
func ends(t *testing.T, err error, code int, output fmt.Stringer, want string) {
	t.Helper()
	text := output.String()
	if err != nil {
		text += err.Error()
	}
	if exitCode(err) != code || !strings.Contains(text, want) {
		t.Errorf("exit code %d, want %d and %q:\n%s", exitCode(err), code, want, text)
	}
}

// guarded is a cluster with the policy for approvals, in which the caller has this name and these verbs. It knows of the policy what matters here;
// the security tests have the whole of it, in a real API server.
func guarded(name string, verbs []string, objects ...client.Object) client.WithWatch {
	refused := func(what string) error {
		return apierrors.NewForbidden(cdbv1.GroupVersion.WithResource("importjobstops").GroupResource(), "stop-it",
			errors.New("ValidatingAdmissionPolicy '"+cdbv1.ApprovalsPolicy+"' with binding '"+cdbv1.ApprovalsPolicy+"' denied request: "+what))
	}
	has := func(verb string) bool { return strings.Contains(strings.Join(verbs, " "), verb) }
	return interceptor.NewClient(cluster(objects...), interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			switch o := o.(type) {
			case *authenticationv1.SelfSubjectReview:
				o.Status.UserInfo.Username = name
				return nil
			case *authorizationv1.SelfSubjectAccessReview:
				o.Status.Allowed = has(o.Spec.ResourceAttributes.Verb)
				return nil
			case *cdbv1.ImportJobStop:
				if o.Annotations[cdbv1.RequestedByAnnotation] != name || (!o.Spec.Suspend && o.Annotations[cdbv1.BreakGlassByAnnotation] != name) {
					return refused("set the annotation")
				}
			}
			return c.Create(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			body, err := p.Data(o)
			a := o.GetAnnotations()
			alone := has("break-glass") && a[cdbv1.BreakGlassByAnnotation] == name && a[cdbv1.ApprovedByAnnotation] == ""
			approved := has("resume") && a[cdbv1.ApprovedByAnnotation] == name && a[cdbv1.ApprovedImportAnnotation] == "id-1" && a[cdbv1.RequestedByAnnotation] != name
			if strings.Contains(string(body), `"suspend":`) && (strings.Contains(string(body), "asyncRequestId") || !alone && !approved) {
				return refused("resuming needs")
			}
			if strings.Contains(string(body), cdbv1.RetryRequestedAtAnnotation) && !alone && a[cdbv1.ApprovedImportAnnotation] == "" {
				return refused("nobody has approved this stop")
			}
			return errors.Join(err, c.Patch(ctx, o, p, opts...))
		},
	})
}

// Where a second person is needed, yes to the preview asks for one, and no deletes it.
func TestAPreviewIsLeftToWhoApprovesIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		look        func(*cdbv1.ImportJobStop)
		verbs       []string
		input       string
		alone, wait bool
		shows       string
		code        int
		id          string // of the spec; without a code that leaves the object there, nothing is left
	}{
		"yes":                  {look: previewed(shop), input: "y\n", shows: "Request to stop it?", code: 3},
		"no":                   {look: previewed(shop), input: "n\n", shows: "deleted", code: 1},
		"one of several":       {look: previewed(stock, shop), input: "2\n", shows: "ann requested it. Somebody else, with the verb resume", code: 3, id: "id-1"},
		"nothing":              {look: previewed(), shows: "deleted", code: 1},
		"yes, and wait":        {look: previewed(shop), input: "y\n", wait: true, shows: "ann requested it. Somebody else, with the verb resume", code: 124},
		"alone":                {look: previewed(shop), verbs: []string{"break-glass"}, input: "y\n", alone: true, shows: "Stop it?", code: 0},
		"alone, of several":    {look: previewed(stock, shop), verbs: []string{"break-glass"}, input: "2\n", alone: true, shows: "resumed", code: 0, id: "id-1"},
		"alone, without verbs": {look: previewed(shop), verbs: []string{"resume"}, input: "y\n", alone: true, shows: "needs the verb break-glass", code: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := guarded("ann", test.verbs)
				play(t, c, test.look)
				o, output := console(byInstance, test.input)
				o.breakGlass, o.wait = test.alone, test.wait
				err := o.stopFound(t.Context(), c, o.object("shop"))
				ends(t, err, test.code, output, test.shows)
				is := &cdbv1.ImportJobStop{}
				gone := c.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "stop-it"}, is) != nil
				isLeft := test.code == 0 || test.code == 124 || (test.code == 3 && !test.alone)
				if gone == isLeft || is.Spec.AsyncRequestID != test.id || (isLeft && is.Spec.Suspend != (test.code != 0)) {
					t.Errorf("gone is %v, the spec %+v", gone, is.Spec)
				}
				time.Sleep(time.Minute) // what play has begun ends
			})
		})
	}
}

// Who resumes a request of somebody else sees what it is for and is asked; nobody else can.
func TestResumeApprovesWhatSomebodyElseRequested(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		who   string
		verbs []string
		edit  func(*cdbv1.ImportJobStop)
		input string
		yes   bool
		want  string
		code  int
	}{
		"yes":                {who: "bob", verbs: []string{"resume"}, input: "y\n", want: "ann requested to stop, in ap-guangzhou on cdb-shop,\n"},
		"yes beforehand":     {who: "bob", verbs: []string{"resume"}, yes: true, want: "37 %"},
		"no":                 {who: "bob", verbs: []string{"resume"}, input: "\n", want: "you said no", code: 1},
		"one's own":          {who: "Ann", verbs: []string{"resume"}, yes: true, want: "ann requested it", code: 3},
		"without the verb":   {who: "bob", yes: true, want: "kubectl stop-import resume stop-it --namespace=shop", code: 3},
		"without a preview":  {who: "bob", verbs: []string{"resume"}, edit: func(o *cdbv1.ImportJobStop) { o.Status.Import = nil }, yes: true, want: "has no preview", code: 1},
		"edited since":       {who: "bob", verbs: []string{"resume"}, edit: func(o *cdbv1.ImportJobStop) { o.Status.ObservedGeneration = 7 }, yes: true, want: "has no preview", code: 1},
		"of nobody":          {who: "bob", verbs: []string{"resume"}, edit: func(o *cdbv1.ImportJobStop) { o.Annotations = nil }, yes: true, want: "does not say who requested it", code: 3},
		"refused by the API": {who: "bob", verbs: []string{"resume"}, edit: func(o *cdbv1.ImportJobStop) { o.Status.Import.AsyncRequestID = "id-9" }, yes: true, want: "denied request", code: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := byInstance.object("shop")
			object.Annotations = map[string]string{cdbv1.RequestedByAnnotation: "ann"}
			record := shop
			record.InstanceID = "cdb-shop"
			previewed(record)(object)
			object.Status.Import = &record
			if test.edit != nil {
				test.edit(object)
			}
			c := guarded(test.who, test.verbs, object)
			o, output := console(byInstance, test.input)
			o.yes = test.yes
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				t.Fatal(err)
			}
			err := o.resume(t.Context(), c, object)
			ends(t, err, test.code, output, test.want)
			is := &cdbv1.ImportJobStop{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "stop-it"}}
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(is), is); err != nil || is.Spec.Suspend == (test.code == 0) || (is.Annotations[cdbv1.ApprovedByAnnotation] == "bob") != (test.code == 0) {
				t.Errorf("%v: suspend is %v, the annotations %v", err, is.Spec.Suspend, is.Annotations)
			}
		})
	}
}

// A retry of what nobody has approved needs a second person too, or a broken glass.
func TestARetryOfWhatNobodyApproved(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		verbs    []string
		approved bool
		alone    bool
		want     string
		code     int
		by       string
	}{
		"approved":                     {approved: true, want: "retry requested"},
		"approved, and alone":          {approved: true, alone: true, verbs: []string{"break-glass"}, want: "retry requested"},
		"not approved":                 {verbs: []string{"break-glass"}, want: "nobody has approved this stop", code: 3},
		"alone":                        {alone: true, verbs: []string{"break-glass"}, want: "retry requested", by: "zoe"},
		"alone, and without the right": {alone: true, verbs: []string{"resume"}, want: "needs the verb break-glass", code: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := withReady(byInstance.object("shop"), metav1.ConditionFalse, cdbv1.ReasonImportNotFound)
			object.Spec.Suspend = false
			if test.approved {
				object.Annotations = map[string]string{cdbv1.ApprovedByAnnotation: "bob", cdbv1.ApprovedImportAnnotation: "id-1"}
			}
			c := guarded("zoe", test.verbs, object)
			o, output := console(byInstance, "")
			o.breakGlass = test.alone
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				t.Fatal(err)
			}
			err := o.retry(t.Context(), c, object)
			ends(t, err, test.code, output, test.want)
			is := &cdbv1.ImportJobStop{}
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), is); err != nil {
				t.Fatal(err)
			}
			a := is.Annotations
			if (a[cdbv1.RetryRequestedAtAnnotation] != "") != (test.code == 0) || a[cdbv1.BreakGlassByAnnotation] != test.by {
				t.Errorf("the annotations are %v", a)
			}
		})
	}
}
