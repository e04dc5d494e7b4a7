// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

var asked = arguments{id: "A-b", region: "ap-guangzhou", secret: "creds"}

func cluster(objects ...client.Object) client.WithWatch {
	scheme := runtime.NewScheme()
	_ = cdbv1.AddToScheme(scheme)
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&cdbv1.ImportJobStop{}).Build()
}

func TestTheEndDecides(t *testing.T) {
	t.Parallel()
	const needsYou = "it needs you, and then goes on by itself: "
	for _, test := range []struct {
		reason   string
		status   metav1.ConditionStatus
		finished bool
		want     string // of the error; empty: done
	}{
		{cdbv1.ReasonStopAccepted, metav1.ConditionTrue, true, ""},
		{cdbv1.ReasonAlreadyStopped, metav1.ConditionTrue, true, ""},
		{cdbv1.ReasonImportNotFound, metav1.ConditionFalse, true, "ImportNotFound: it was so; see " + cdbv1.RemediesPage + "#importnotfound"},
		{cdbv1.ReasonInternalError, metav1.ConditionFalse, true, "InternalError: it was so; see " + cdbv1.RemediesPage + "#internalerror"},
		{cdbv1.ReasonCredentialsRejected, metav1.ConditionFalse, false, needsYou + "CredentialsRejected: it was so; see " + cdbv1.RemediesPage + "#credentialsrejected"},
		{cdbv1.ReasonCredentialsNotFound, metav1.ConditionFalse, false, needsYou + "CredentialsNotFound: it was so; see " + cdbv1.RemediesPage + "#credentialsnotfound"},
		{cdbv1.ReasonCredentialsNotFound, metav1.ConditionUnknown, false, "timed out"},
		{cdbv1.ReasonRetryScheduled, metav1.ConditionUnknown, false, "timed out"},
		{cdbv1.ReasonSuspended, metav1.ConditionUnknown, false, "timed out"},
	} {
		t.Run(test.reason+"/"+string(test.status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				object := asked.object("shop")
				c, output := cluster(), &bytes.Buffer{}
				if err := create(t.Context(), c, output, object); err != nil {
					t.Fatal(err)
				}
				time.AfterFunc(time.Second, func() {
					o := object.DeepCopy()
					message := "it was so; see " + cdbv1.RemediesPage + "#" + strings.ToLower(test.reason)
					meta.SetStatusCondition(&o.Status.Conditions, metav1.Condition{Type: cdbv1.ConditionReady, Status: test.status, Reason: test.reason, Message: message})
					o.Status.ObservedGeneration = o.Generation
					if test.finished {
						o.Status.CompletionTime = &metav1.Time{Time: time.Now()}
					}
					if err := c.Status().Update(t.Context(), o); err != nil {
						t.Error(err)
					}
				})
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errTimedOut)
				defer cancel()
				err := follow(ctx, c, newProgress(output), object)
				if (err == nil) != (test.want == "") || (err != nil && err.Error() != test.want) {
					t.Errorf("the end is %v, want %q", err, test.want)
				}
				if !strings.Contains(output.String(), "stop-a-b created\n") || strings.Count(output.String(), test.reason+": it was so; ") != 1 {
					t.Errorf("it shows %q", output)
				}
			})
		})
	}
}

func TestOneThatExistsIsFollowedUnlessItDoesSomethingElse(t *testing.T) {
	t.Parallel()
	c, output := cluster(asked.object("shop")), &bytes.Buffer{}
	if err := create(t.Context(), c, output, asked.object("shop")); err != nil || !strings.Contains(output.String(), "exists") {
		t.Errorf("%v %q", err, output)
	}
	for want, edit := range map[string]func(*arguments){
		"stops A-b in ap-guangzhou: give another --name":     func(w *arguments) { w.region = "ap-shanghai" },
		`'{"spec":{"credentialsSecretRef":{"name":"new"}}}'`: func(w *arguments) { w.secret = "new" },
		`'{"spec":{"waitFor":"Stopped"}}'`:                   func(w *arguments) { w.untilStopped = true },
	} {
		other := asked
		other.name = "stop-a-b"
		edit(&other)
		if err := create(t.Context(), c, output, other.object("shop")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}
}

func execute(args ...string) (string, error) {
	output := &bytes.Buffer{}
	command := newCommand(genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: output, ErrOut: output})
	command.SetArgs(args)
	command.SetOut(output)
	err := command.Execute()
	return output.String(), err
}

func TestDryRunPrintsWhatCanBeCommitted(t *testing.T) {
	t.Parallel()
	output, err := execute("A-b", "--region=ap-guangzhou", "--secret=creds", "--until-stopped", "-n", "shop", "--dry-run", "-o", "yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := &cdbv1.ImportJobStop{}
	if err := yaml.UnmarshalStrict([]byte(output), got); err != nil {
		t.Fatal(err)
	}
	if got.Kind != "ImportJobStop" || got.Namespace != "shop" || got.Spec.WaitFor != cdbv1.WaitForStopped || strings.Contains(output, "status") || strings.Contains(output, "null") {
		t.Errorf("it printed\n%s", output)
	}
}

func TestWrongFlagsSayWhatIsRight(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"give one ASYNC_REQUEST_ID": {"--region=r", "--secret=s"},
		`"region" not set`:          {"a", "--secret=s"},
		"give yaml or json":         {"a", "--region=r", "--secret=s", "--dry-run", "-o", "xml"},
		"goes with --dry-run":       {"a", "--region=r", "--secret=s", "-o", "yaml"},
	} {
		if _, err := execute(args...); err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, errTimedOut) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
}

// kubectl's commands say what they do, show examples, explain their own options and end with their usage.
func TestHelpReadsAsKubectlsOwn(t *testing.T) {
	t.Parallel()
	output := &bytes.Buffer{}
	command := newCommand(genericiooptions.IOStreams{Out: output, ErrOut: output})
	command.SetOut(output)
	command.SetArgs([]string{"--help"})
	if err := command.Execute(); err != nil {
		t.Fatal(err)
	}
	text := output.String()
	for _, part := range []string{
		"Stop a data import", "\n\nExamples:\n  # ", "\n\nOptions:\n    --dry-run=false:\n\t", "    --region='':\n\t", "    --wait=false:\n\t",
		"\n\nUsage:\n  kubectl stop-import ASYNC_REQUEST_ID ", "    --context='':\n\t",
	} {
		_, after, ok := strings.Cut(text, part)
		if !ok {
			t.Fatalf("no %q, or not in its place, in\n%s", part, output)
		}
		text = after
	}
}
