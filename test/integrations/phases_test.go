// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const (
	namespace = "phases"
	region    = "ap-guangzhou"
)

// health is what every tool must make of a phase.
type health string

const (
	inProgress health = "in progress"
	done       health = "done"
	failed     health = "failed"
	held       health = "held" // in progress, for tools that know no better
)

// phase is a row of the status contract, and how to bring an object there.
type phase struct {
	name   string
	reason string // of Ready
	health
	accepted string // status and reason of the condition Accepted; empty: there is none
	prepare  func(*harness.Environment, *cdbv1.ImportJobStop)
	then     *step
}

// step is what happens to an object that has come somewhere.
type step struct {
	when string // the reason of Ready by then
	last bool   // when no operator looks any more
	do   func(context.Context, *harness.Environment, *cdbv1.ImportJobStop) error
}

// ready is the status of Ready that the health of a phase goes with, as long as the operator has seen the spec.
func (p phase) ready() metav1.ConditionStatus {
	switch {
	case p.health == failed:
		return metav1.ConditionFalse
	case p.health == done || p.name == "changed-not-seen":
		return metav1.ConditionTrue
	}
	return metav1.ConditionUnknown
}

// finished: nothing makes the operator go on but an edit or a requested retry.
func (p phase) finished() bool {
	goesOn := p.reason == cdbv1.ReasonCredentialsNotFound || p.reason == cdbv1.ReasonCredentialsRejected
	return p.ready() == metav1.ConditionTrue || p.health == failed && !goesOn
}

// fault plays an answer of the cloud, or the lack of one, for the object's import.
func fault(f cdbsim.Fault) func(*harness.Environment, *cdbv1.ImportJobStop) {
	return func(e *harness.Environment, o *cdbv1.ImportJobStop) {
		f.Action, f.AsyncRequestID = "StopDBImportJob", o.Spec.AsyncRequestID
		e.Cloud.Play(f)
	}
}

func importIn(status string, endsAfter time.Duration, waitFor cdbv1.WaitFor) func(*harness.Environment, *cdbv1.ImportJobStop) {
	return importThatEnds(status, "", endsAfter, waitFor)
}

func importThatEnds(status, as string, after time.Duration, waitFor cdbv1.WaitFor) func(*harness.Environment, *cdbv1.ImportJobStop) {
	return func(e *harness.Environment, o *cdbv1.ImportJobStop) {
		e.Cloud.SetImport(cdbsim.Import{Region: region, ID: o.Spec.AsyncRequestID, Status: status, EndsAfter: after, EndsAs: as})
		o.Spec.WaitFor = waitFor
	}
}

func edit(edit func(*cdbv1.ImportJobStop)) func(*harness.Environment, *cdbv1.ImportJobStop) {
	return func(_ *harness.Environment, o *cdbv1.ImportJobStop) { edit(o) }
}

func secret(name string) func(*harness.Environment, *cdbv1.ImportJobStop) {
	return edit(func(o *cdbv1.ImportJobStop) { o.Spec.CredentialsSecretRef.Name = name })
}

// change of the spec by a person.
func change(edit func(*cdbv1.ImportJobStopSpec)) func(context.Context, *harness.Environment, *cdbv1.ImportJobStop) error {
	return func(ctx context.Context, e *harness.Environment, o *cdbv1.ImportJobStop) error {
		return retry.RetryOnConflict(retry.DefaultRetry, func() error {
			if err := e.Client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
				return err
			}
			edit(&o.Spec)
			return e.Client.Update(ctx, o)
		})
	}
}

// panicked is what the operator writes after it has recovered from a panic, which nothing from outside brings about.
func panicked(ctx context.Context, e *harness.Environment, o *cdbv1.ImportJobStop) error {
	if err := e.Client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
		return err
	}
	lifecycle.InternalError(time.Now())(o)
	return e.Client.Status().Update(ctx, o)
}

const (
	isAccepted = "True StopAccepted"
	isUnknown  = "Unknown OutcomeUnknown"
)

// afterOneSecond gives up an object that was tried at least once.
var afterOneSecond = &step{when: cdbv1.ReasonRetryScheduled, do: change(func(s *cdbv1.ImportJobStopSpec) { s.ActiveDeadlineSeconds = new(int32(1)) })}

var phases = []phase{
	{"not-seen-yet", "", inProgress, "", edit(func(*cdbv1.ImportJobStop) {}), nil},
	{"waiting-for-quota", cdbv1.ReasonWaitingForQuota, inProgress, "", secret("busy"), nil},
	{"calling", cdbv1.ReasonStopping, inProgress, "", fault(cdbsim.Fault{Kind: cdbsim.Hang}), nil},
	{"will-retry", cdbv1.ReasonRetryScheduled, inProgress, "False CloudError", fault(cdbsim.Fault{Code: "InternalError"}), nil},
	{"outcome-unknown", cdbv1.ReasonRetryScheduled, inProgress, isUnknown, fault(cdbsim.Fault{Kind: cdbsim.Reset}), nil},
	{"no-credentials", cdbv1.ReasonCredentialsNotFound, inProgress, "", secret("missing"), nil},
	{"no-credentials-for-long", cdbv1.ReasonCredentialsNotFound, failed, "", secret("missing"), &step{when: cdbv1.ReasonCredentialsNotFound, do: forThreeMinutes}},
	{"credentials-rejected", cdbv1.ReasonCredentialsRejected, failed, "False CredentialsRejected", fault(cdbsim.Fault{Code: "AuthFailure.UnauthorizedOperation"}), nil},
	{"invalid", cdbv1.ReasonInvalidRequest, failed, "False InvalidRequest", fault(cdbsim.Fault{Code: "InvalidParameter"}), nil},
	{"not-found", cdbv1.ReasonImportNotFound, failed, "False ImportNotFound", fault(cdbsim.Fault{Code: "InvalidParameter.InvalidAsyncRequestId"}), nil},
	{"cannot-ask", cdbv1.ReasonImportError, failed, "False ImportError", func(e *harness.Environment, o *cdbv1.ImportJobStop) {
		fault(cdbsim.Fault{Code: "CdbError.ImportError"})(e, o)
		e.Cloud.Play(cdbsim.Fault{Action: "DescribeAsyncRequestInfo", AsyncRequestID: o.Spec.AsyncRequestID, Code: "UnauthorizedOperation"})
	}, nil},
	{"internal-error", cdbv1.ReasonInternalError, failed, isAccepted, importIn("RUNNING", time.Hour, cdbv1.WaitForStopped), &step{cdbv1.ReasonWaitingForStop, true, panicked}},
	{"deadline", cdbv1.ReasonDeadlineExceeded, failed, "False DeadlineExceeded", fault(cdbsim.Fault{Code: "InternalError"}), afterOneSecond},
	{"deadline-outcome-unknown", cdbv1.ReasonDeadlineExceeded, failed, isUnknown, fault(cdbsim.Fault{Kind: cdbsim.Reset}), afterOneSecond},
	{"accepted", cdbv1.ReasonStopAccepted, done, isAccepted, importIn("RUNNING", 0, ""), nil},
	{"still-ending", cdbv1.ReasonWaitingForStop, inProgress, isAccepted, importIn("RUNNING", time.Hour, cdbv1.WaitForStopped), nil},
	{"ended", cdbv1.ReasonImportStopped, done, isAccepted, importIn("RUNNING", time.Second, cdbv1.WaitForStopped), nil},
	{"ended-as-failed", cdbv1.ReasonImportStopped, done, isAccepted, importThatEnds("RUNNING", "FAILED", 0, cdbv1.WaitForStopped), nil},
	{"ran-to-its-end", cdbv1.ReasonImportAlreadyFinished, failed, isAccepted, importThatEnds("RUNNING", "SUCCESS", 0, cdbv1.WaitForStopped), nil},
	{"already-stopped", cdbv1.ReasonAlreadyStopped, done, "False ImportError", importIn("KILLED", 0, ""), nil},
	{"finished-by-itself", cdbv1.ReasonImportAlreadyFinished, failed, "False ImportError", importIn("SUCCESS", 0, ""), nil},
	{"suspended", cdbv1.ReasonSuspended, held, "", edit(func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true }), nil},
	{
		"suspended-when-accepted", cdbv1.ReasonSuspended, held, isAccepted, importIn("RUNNING", time.Hour, cdbv1.WaitForStopped),
		&step{when: cdbv1.ReasonWaitingForStop, do: change(func(s *cdbv1.ImportJobStopSpec) { s.Suspend = true })},
	},
	{
		"changed-not-seen", cdbv1.ReasonStopAccepted, inProgress, isAccepted, importIn("RUNNING", 0, ""),
		&step{cdbv1.ReasonStopAccepted, true, change(func(s *cdbv1.ImportJobStopSpec) { s.WaitFor = cdbv1.WaitForStopped })},
	},
}

// record brings an object into each phase, by the real operator, and returns them as the real API server tells them.
func record(ctx context.Context, e *harness.Environment, program string) (map[string]*cdbv1.ImportJobStop, error) {
	if err := e.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
		return nil, err
	}
	if err := accounts(ctx, e); err != nil {
		return nil, err
	}
	operator, err := e.Run(ctx, program, "--namespaces="+namespace, "--requests-per-second=100")
	if err != nil {
		return nil, err
	}
	defer operator.Kill()
	busy, err := e.Run(ctx, program, "--namespaces="+namespace+"-busy", "--requests-per-second=1")
	if err != nil {
		return nil, err
	}
	defer busy.Kill()
	objects := map[string]*cdbv1.ImportJobStop{}
	for _, p := range phases {
		if p.reason == "" || p.reason == cdbv1.ReasonStopping {
			continue
		}
		if objects[p.name], err = p.create(ctx, e); err != nil {
			return nil, err
		}
	}
	for _, p := range phases {
		if o := objects[p.name]; o != nil {
			if err := p.reach(ctx, e, o); err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
		}
		if p.reason == cdbv1.ReasonWaitingForQuota {
			busy.Kill() // it stays in the queue
		}
	}
	return objects, passing(ctx, e, operator, objects)
}

// create makes the object of a phase.
func (p phase) create(ctx context.Context, e *harness.Environment) (*cdbv1.ImportJobStop, error) {
	o := object(p.name)
	p.prepare(e, o)
	if p.reason == cdbv1.ReasonWaitingForQuota {
		o.Namespace = namespace + "-busy"
		if err := somebodyWaits(ctx, e); err != nil { // and some are before it then
			return nil, err
		}
	}
	return o, e.Client.Create(ctx, o)
}

// reach waits until the object is in its phase, as far as it gets there while an operator looks.
func (p phase) reach(ctx context.Context, e *harness.Environment, o *cdbv1.ImportJobStop) error {
	if p.then != nil {
		if err := until(ctx, e, o, p.then.when); err != nil || p.then.last {
			return err
		}
		if err := p.then.do(ctx, e, o); err != nil {
			return err
		}
	}
	return untilReady(ctx, e, o, p.reason, p.ready())
}

// lineLength is how many wait for the quota: two minutes' worth, longer than recording all phases takes.
const lineLength = 2400

// accounts creates two Secrets, and in a namespace of its own a long line.
func accounts(ctx context.Context, e *harness.Environment) error {
	e.Cloud.SetAccount(cdbsim.Account{SecretID: "AKIDbusy", SecretKey: "key"})
	creds := map[string]string{"secretId": harness.Account.SecretID, "secretKey": harness.Account.SecretKey}
	if err := e.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace + "-busy"}}); err != nil {
		return err
	}
	for _, s := range []*corev1.Secret{
		{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "creds"}, StringData: creds},
		{ObjectMeta: metav1.ObjectMeta{Namespace: namespace + "-busy", Name: "busy"}, StringData: map[string]string{"secretId": "AKIDbusy", "secretKey": "key"}},
	} {
		if err := e.Client.Create(ctx, s); err != nil {
			return err
		}
	}
	for i := range lineLength {
		if err := e.Client.Create(ctx, inLine(i)); err != nil {
			return err
		}
	}
	return nil
}

func inLine(i int) *cdbv1.ImportJobStop {
	o := object(fmt.Sprint("in-line-", i))
	o.Namespace, o.Spec.CredentialsSecretRef.Name = namespace+"-busy", "busy"
	return o
}

func somebodyWaits(ctx context.Context, e *harness.Environment) error {
	return wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		list := &cdbv1.ImportJobStopList{}
		err := e.Client.List(ctx, list, client.InNamespace(namespace+"-busy"))
		return slices.ContainsFunc(list.Items, func(o cdbv1.ImportJobStop) bool {
			ready := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady)
			return ready != nil && ready.Reason == cdbv1.ReasonWaitingForQuota
		}), err
	})
}

// passing are the phases that would not last: of a call that is out, and of objects that the operator has not looked at.
func passing(ctx context.Context, e *harness.Environment, operator *harness.Operator, objects map[string]*cdbv1.ImportJobStop) error {
	for _, p := range phases {
		if p.reason != cdbv1.ReasonStopping {
			continue
		}
		o, err := p.create(ctx, e)
		if err != nil {
			return err
		}
		objects[p.name] = o
		if err := until(ctx, e, o, p.reason); err != nil {
			return err
		}
	}
	operator.Kill()
	o := object("not-seen-yet")
	objects["not-seen-yet"] = o
	if err := e.Client.Create(ctx, o); err != nil {
		return err
	}
	for _, p := range phases {
		if p.then != nil && p.then.last {
			if err := p.then.do(ctx, e, objects[p.name]); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
	}
	return nil
}

func object(name string) *cdbv1.ImportJobStop {
	return &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       cdbv1.ImportJobStopSpec{Region: region, AsyncRequestID: name, CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"}},
	}
}

func until(ctx context.Context, e *harness.Environment, o *cdbv1.ImportJobStop, reason string) error {
	return untilReady(ctx, e, o, reason, "")
}

// untilReady waits for a reason of Ready, and for its status unless that is empty.
func untilReady(ctx context.Context, e *harness.Environment, o *cdbv1.ImportJobStop, reason string, status metav1.ConditionStatus) error {
	got := metav1.Condition{}
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		if err := e.Client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return false, err
		}
		if c := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady); c != nil {
			got = *c
		}
		return got.Reason == reason && (status == "" || got.Status == status), nil
	})
	if err != nil {
		return fmt.Errorf("ready is %q %q, want %q %q: %w", got.Status, got.Reason, status, reason, err)
	}
	return nil
}

// Every reason of Ready that there is has its phase here.
func TestEveryReasonHasAPhase(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range phases {
		seen[p.reason] = true
	}
	for _, reason := range reasons(t) {
		if !seen[reason] {
			t.Errorf("no phase has the reason %s", reason)
		}
	}
}

// triad is Ready, Reconciling and Stalled as the status contract has them.
func (p phase) triad() map[string]string {
	want := map[string]string{
		cdbv1.ConditionReady: string(p.ready()), cdbv1.ConditionReconciling: "False", cdbv1.ConditionStalled: "False",
	}
	switch p.ready() {
	case metav1.ConditionUnknown:
		want[cdbv1.ConditionReconciling] = "True"
	case metav1.ConditionFalse:
		want[cdbv1.ConditionStalled] = "True"
	}
	return want
}

// The conditions of each phase are those of the status contract: always three of them together, each with the generation that it speaks of.
func TestTheConditionsOfEachPhase(t *testing.T) {
	t.Parallel()
	for _, p := range phases {
		o := &cdbv1.ImportJobStop{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(recorded[p.name].Object, o); err != nil {
			t.Fatal(err)
		}
		if p.reason == "" {
			if len(o.Status.Conditions) > 0 || o.Status.ObservedGeneration != -1 {
				t.Errorf("%s: the status is %+v", p.name, o.Status)
			}
			continue
		}
		got, accepted := map[string]string{}, ""
		for _, c := range o.Status.Conditions {
			if c.ObservedGeneration != o.Status.ObservedGeneration {
				t.Errorf("%s: %s speaks of generation %d, the status of %d", p.name, c.Type, c.ObservedGeneration, o.Status.ObservedGeneration)
			}
			if c.Type == cdbv1.ConditionAccepted {
				accepted = string(c.Status) + " " + c.Reason
				continue
			}
			got[c.Type] = string(c.Status)
		}
		if diff := cmp.Diff(p.triad(), got); diff != "" || accepted != p.accepted {
			t.Errorf("%s: Accepted is %q, want %q; the others: %s", p.name, accepted, p.accepted, diff)
		}
		if ready := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady); ready.Reason != p.reason {
			t.Errorf("%s: the reason is %s", p.name, ready.Reason)
		}
		if (o.Status.CompletionTime != nil) != p.finished() || (o.Status.ObservedGeneration == o.Generation) == (p.name == "changed-not-seen") {
			t.Errorf("%s: completionTime %v, generation %d of %d", p.name, o.Status.CompletionTime, o.Status.ObservedGeneration, o.Generation)
		}
	}
}
