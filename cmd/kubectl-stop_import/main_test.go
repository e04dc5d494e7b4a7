// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
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

// console returns options whose input is a person's at a terminal, and what is printed.
func console(w arguments, input string) (*options, *bytes.Buffer) {
	output := &bytes.Buffer{}
	reader := strings.NewReader(input)
	return &options{
		IOStreams: genericiooptions.IOStreams{In: reader, Out: output, ErrOut: output}, arguments: w, printing: newPrinting(), timeout: time.Minute,
		isTerminal: func(stream any) bool { return stream == any(reader) },
	}, output
}

// withReady sets Ready, for the spec as it is.
func withReady(o *cdbv1.ImportJobStop, status metav1.ConditionStatus, reason string) *cdbv1.ImportJobStop {
	message := "it was so; see " + cdbv1.RemediesPage + "#" + strings.ToLower(reason)
	o.Status.ObservedGeneration = o.Generation
	meta.SetStatusCondition(&o.Status.Conditions, metav1.Condition{Type: cdbv1.ConditionReady, Status: status, Reason: reason, Message: message})
	return o
}

func TestTheEndDecides(t *testing.T) {
	t.Parallel()
	const needsYou, hasFailed = "needs you, and then goes on by itself: ", "has failed: "
	for _, test := range []struct {
		reason   string
		status   metav1.ConditionStatus
		finished bool
		want     string // in the error; empty: done
		code     int
	}{
		{cdbv1.ReasonStopAccepted, metav1.ConditionTrue, true, "", 0},
		{cdbv1.ReasonAlreadyStopped, metav1.ConditionTrue, true, "", 0},
		{cdbv1.ReasonImportNotFound, metav1.ConditionFalse, true, hasFailed + "ImportNotFound: it was so; see " + cdbv1.RemediesPage + "#importnotfound", 1},
		{cdbv1.ReasonInternalError, metav1.ConditionFalse, true, hasFailed + "InternalError: it was so; see " + cdbv1.RemediesPage + "#internalerror", 1},
		{cdbv1.ReasonCredentialsRejected, metav1.ConditionFalse, false, needsYou + "CredentialsRejected: it was so; see " + cdbv1.RemediesPage + "#credentialsrejected", 1},
		{cdbv1.ReasonCredentialsNotFound, metav1.ConditionFalse, false, needsYou + "CredentialsNotFound: it was so; see " + cdbv1.RemediesPage + "#credentialsnotfound", 1},
		{cdbv1.ReasonCredentialsNotFound, metav1.ConditionUnknown, false, "timed out", 124},
		{cdbv1.ReasonRetryScheduled, metav1.ConditionUnknown, false, "timed out", 124},
		{cdbv1.ReasonSuspended, metav1.ConditionUnknown, false, "timed out", 124},
	} {
		t.Run(test.reason+"/"+string(test.status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := cluster()
				o, output := console(asked, "")
				o.wait = true
				time.AfterFunc(time.Second, func() {
					object := asked.object("shop")
					_ = c.Get(context.Background(), client.ObjectKeyFromObject(object), object)
					withReady(object, test.status, test.reason)
					if test.finished {
						now := metav1.Now()
						object.Status.CompletionTime = &now
					}
					if err := c.Status().Update(context.Background(), object); err != nil {
						t.Error(err)
					}
				})
				err := o.stopByID(t.Context(), c, asked.object("shop"))
				if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) || exitCode(err) != test.code {
					t.Errorf("the end is %v, exit code %d, want %q", err, exitCode(err), test.want)
				}
				if !strings.Contains(output.String(), "stop-a-b created\n") || strings.Count(output.String(), test.reason+": it was so; ") != 1 {
					t.Errorf("it shows %q", output)
				}
			})
		})
	}
}

// Without --wait too, 0 means that the object does what is wanted and has not failed.
func TestOneThatExistsWillDoUnlessItFailedOrDoesSomethingElse(t *testing.T) {
	t.Parallel()
	there := asked
	there.name = "stop-a-b"
	for name, test := range map[string]struct {
		edit   func(*arguments)
		object *cdbv1.ImportJobStop
		want   string // in the error; empty: it will do
	}{
		"the same":        {object: asked.object("shop")},
		"done":            {object: withReady(asked.object("shop"), metav1.ConditionTrue, cdbv1.ReasonStopAccepted)},
		"on its way":      {object: withReady(asked.object("shop"), metav1.ConditionUnknown, cdbv1.ReasonRetryScheduled)},
		"failed":          {object: withReady(asked.object("shop"), metav1.ConditionFalse, cdbv1.ReasonImportNotFound), want: "kubectl stop-import retry stop-a-b --namespace=shop"},
		"suspended":       {object: func() *cdbv1.ImportJobStop { o := asked.object("shop"); o.Spec.Suspend = true; return o }(), want: "kubectl stop-import resume stop-a-b --namespace=shop"},
		"being deleted":   {object: leaving(asked.object("shop")), want: "stop-a-b is being deleted, and the operator sends no stop for it; it goes when example.com/backup have been removed"},
		"another region":  {edit: func(w *arguments) { w.region = "ap-shanghai" }, object: asked.object("shop"), want: "stops the import A-b in ap-guangzhou: give another --name"},
		"another guard":   {edit: func(w *arguments) { w.instance = "cdb-x" }, object: asked.object("shop"), want: "give another --name"},
		"another Secret":  {edit: func(w *arguments) { w.secret = "new" }, object: asked.object("shop"), want: `'{"spec":{"credentialsSecretRef":{"name":"new"}}}'`},
		"to the very end": {edit: func(w *arguments) { w.untilStopped = true }, object: asked.object("shop"), want: `'{"spec":{"waitFor":"Stopped"}}'`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := there
			if test.edit != nil {
				test.edit(&w)
			}
			o, output := console(w, "")
			err := o.stopByID(t.Context(), cluster(test.object), w.object("shop"))
			if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
			if err == nil && !strings.Contains(output.String(), "stop-a-b exists") {
				t.Errorf("it shows %q", output)
			}
		})
	}
}

// leaving is an object that was deleted and that somebody's finalizer keeps.
func leaving(o *cdbv1.ImportJobStop) *cdbv1.ImportJobStop {
	now := metav1.Now()
	o.DeletionTimestamp, o.Finalizers = &now, []string{"example.com/backup"}
	return o
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
	for _, args := range [][]string{{"A-b", "--until-stopped"}, {"--instance=cdb-c1nl9rpv", "--database=shop", "--until-stopped"}} {
		output, err := execute(append(args, "--region=ap-guangzhou", "--secret=creds", "-n", "shop", "--dry-run=client", "-o", "yaml")...)
		if err != nil {
			t.Fatal(err)
		}
		got := &cdbv1.ImportJobStop{}
		if err := yaml.UnmarshalStrict([]byte(output), got); err != nil {
			t.Fatal(err)
		}
		if got.Kind != "ImportJobStop" || got.Namespace != "shop" || got.Spec.WaitFor != cdbv1.WaitForStopped || got.Spec.Suspend != (got.Spec.AsyncRequestID == "") ||
			strings.Contains(output, "status") || strings.Contains(output, "null") {
			t.Errorf("it printed\n%s", output)
		}
	}
}

// The flags are those of kubectl create, with its values.
func TestPrintFlags(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{
		"--dry-run":                            "importjobstop.cdb.tencentcloud.com/stop-a-b created (dry run)\n",
		"--dry-run=client":                     "importjobstop.cdb.tencentcloud.com/stop-a-b created (dry run)\n",
		"--dry-run=client -o name":             "importjobstop.cdb.tencentcloud.com/stop-a-b\n",
		"--dry-run=client -o json":             "\"name\": \"stop-a-b\"",
		"--dry-run=client -o yaml":             "kind: ImportJobStop\n",
		"--dry-run=client -o jsonpath={.kind}": "ImportJobStop",
	} {
		args := append([]string{"A-b", "--region=r-r", "--secret=s", "-n", "shop"}, strings.Fields(flags)...)
		if output, err := execute(args...); err != nil || !strings.Contains(output, want) {
			t.Errorf("%s: %v: %q, want %q", flags, err, output, want)
		}
	}
}

func TestWrongFlagsSayWhatIsRight(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"give an ASYNC_REQUEST_ID, or":      {"--region=r", "--secret=s"},
		"give one ASYNC_REQUEST_ID, not 2":  {"a", "b", "--region=r", "--secret=s"},
		"go with --instance":                {"a", "--file=f", "--region=r", "--secret=s"},
		`"region" not set`:                  {"a", "--secret=s"},
		"allowed formats are":               {"a", "--region=r", "--secret=s", "-o", "xml"},
		`give "none", "server" or "client"`: {"a", "--region=r", "--secret=s", "--dry-run=true"},
		"accepts 1 arg":                     {"status"},
		"ASYNC_REQUEST_ID is empty":         {"", "--instance=cdb-x", "--region=r", "--secret=s"},
		"--instance is empty":               {"a", "--instance=", "--region=r", "--secret=s"},
		"--database is empty":               {"--instance=cdb-x", "--database=", "--region=r", "--secret=s"},
		"--file is empty":                   {"--instance=cdb-x", "--file=", "--region=r", "--secret=s"},
		"--site is empty":                   {"a", "--site=", "--region=r", "--secret=s"},
	} {
		if _, err := execute(args...); err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != exitFailed {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for want, err := range map[int]error{
		0: nil, 1: errNo, 124: fmt.Errorf("%w: it goes on", errTimedOut), 130: fmt.Errorf("creating: %w", context.Canceled),
	} {
		if got := exitCode(err); got != want {
			t.Errorf("%v: exit code %d, want %d", err, got, want)
		}
	}
	if got := exitCode(fmt.Errorf("%w: it goes on", errInterrupted)); got != 130 {
		t.Errorf("exit code %d after Ctrl-C", got)
	}
}

// kubectl's commands say what they do, show examples, explain their own options and end with their usage.
func TestHelpReadsAsKubectlsOwn(t *testing.T) {
	t.Parallel()
	for command, parts := range map[string][]string{
		"": {
			"Stop a data import", "Exit codes: 0 when", "\n\nExamples:\n  # ", "\n\nAvailable Commands:\n  resume ", "  status ", "\n\nOptions:\n", "    --dry-run='none':\n\t",
			"    -o, --output='':\n\t", "    --region='':\n\t", "    --wait=false:\n\t", "\n\nUsage:\n  kubectl stop-import (ASYNC_REQUEST_ID | --instance=INSTANCE) ", "    --context='':\n\t",
		},
		"retry":  {"Try a stop again", "\n\nExamples:\n  kubectl stop-import retry stop-", "\n\nOptions:\n", "    --wait=false:\n\t", "\n\nUsage:\n  kubectl stop-import retry NAME\n", "    --context='':\n\t"},
		"status": {"Tell what happened", "\n\nUsage:\n  kubectl stop-import status NAME\n", "    --context='':\n\t"},
	} {
		output, err := execute(append(strings.Fields(command), "--help")...)
		if err != nil {
			t.Fatal(err)
		}
		text := output
		for _, part := range parts {
			_, after, ok := strings.Cut(text, part)
			if !ok {
				t.Fatalf("%s: no %q, or not in its place, in\n%s", command, part, output)
			}
			text = after
		}
	}
}

// kubectl completes a plugin by what it answers to __complete.
func TestCompletion(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"resume\t":      {""},
		"client\n":      {"a", "--dry-run="},
		"yaml\n":        {"a", "-o", ""},
		"International": {"a", "--site", ""},
	} {
		if output, err := execute(append([]string{"__complete"}, args...)...); err != nil || !strings.Contains(output, want) || !strings.Contains(output, ":4\n") {
			t.Errorf("%q: %v: %q, want %q", args, err, output, want)
		}
	}
}
