// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const (
	namespace = "phases"
	region    = "ap-guangzhou"
)

// verdict is what every tool must make of a phase.
type verdict string

const (
	inProgress verdict = "in progress"
	done       verdict = "done"
	failed     verdict = "failed"
	held       verdict = "held" // in progress, for tools that know no better
)

// phase is a row of the status contract, and how to bring an object there.
type phase struct {
	name   string
	reason string // of Ready
	verdict
	prepare func(*harness.Environment, *cdbv1.ImportJobStop)
}

// fault plays an answer of the cloud, or the lack of one, for the object's import.
func fault(f cdbsim.Fault) func(*harness.Environment, *cdbv1.ImportJobStop) {
	return func(e *harness.Environment, o *cdbv1.ImportJobStop) {
		f.Action, f.AsyncRequestID = "StopDBImportJob", o.Spec.AsyncRequestID
		e.Cloud.Play(f)
	}
}

func importIn(status string, endsAfter time.Duration, waitFor cdbv1.WaitFor) func(*harness.Environment, *cdbv1.ImportJobStop) {
	return func(e *harness.Environment, o *cdbv1.ImportJobStop) {
		e.Cloud.SetImport(cdbsim.Import{Region: region, ID: o.Spec.AsyncRequestID, Status: status, EndsAfter: endsAfter})
		o.Spec.WaitFor = waitFor
	}
}

func edit(edit func(*cdbv1.ImportJobStop)) func(*harness.Environment, *cdbv1.ImportJobStop) {
	return func(_ *harness.Environment, o *cdbv1.ImportJobStop) { edit(o) }
}

var phases = []phase{
	{"not-seen-yet", "", inProgress, edit(func(*cdbv1.ImportJobStop) {})},
	{"waiting-for-quota", cdbv1.ReasonWaitingForQuota, inProgress, edit(func(o *cdbv1.ImportJobStop) { o.Spec.CredentialsSecretRef.Name = "busy" })},
	{"calling", cdbv1.ReasonStopping, inProgress, fault(cdbsim.Fault{Kind: cdbsim.Hang})},
	{"will-retry", cdbv1.ReasonRetryScheduled, inProgress, fault(cdbsim.Fault{Code: "InternalError.TaskFrameError"})},
	{"no-credentials", cdbv1.ReasonCredentialsNotFound, inProgress, edit(func(o *cdbv1.ImportJobStop) { o.Spec.CredentialsSecretRef.Name = "missing" })},
	{"credentials-rejected", cdbv1.ReasonCredentialsRejected, failed, fault(cdbsim.Fault{Code: "AuthFailure.UnauthorizedOperation"})},
	{"invalid", cdbv1.ReasonInvalidRequest, failed, fault(cdbsim.Fault{Code: "InvalidParameter"})},
	{"not-found", cdbv1.ReasonImportNotFound, failed, fault(cdbsim.Fault{Code: "InvalidParameter.InvalidAsyncRequestId"})},
	{"cannot-ask", cdbv1.ReasonImportError, failed, func(e *harness.Environment, o *cdbv1.ImportJobStop) {
		fault(cdbsim.Fault{Code: "CdbError.ImportError"})(e, o)
		e.Cloud.Play(cdbsim.Fault{Action: "DescribeAsyncRequestInfo", AsyncRequestID: o.Spec.AsyncRequestID, Code: "UnauthorizedOperation"})
	}},
	{"deadline", cdbv1.ReasonDeadlineExceeded, failed, func(e *harness.Environment, o *cdbv1.ImportJobStop) {
		fault(cdbsim.Fault{Code: "InternalError"})(e, o)
		o.Spec.ActiveDeadlineSeconds = new(int32(1))
	}},
	{"accepted", cdbv1.ReasonStopAccepted, done, importIn("RUNNING", 0, "")},
	{"still-ending", cdbv1.ReasonWaitingForStop, inProgress, importIn("RUNNING", time.Hour, cdbv1.WaitForStopped)},
	{"ended", cdbv1.ReasonImportStopped, done, importIn("RUNNING", time.Second, cdbv1.WaitForStopped)},
	{"already-stopped", cdbv1.ReasonAlreadyStopped, done, importIn("KILLED", 0, "")},
	{"finished-by-itself", cdbv1.ReasonImportAlreadyFinished, failed, importIn("SUCCESS", 0, "")},
	{"suspended", cdbv1.ReasonSuspended, held, edit(func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true })},
	{"changed-not-seen", cdbv1.ReasonStopAccepted, inProgress, importIn("RUNNING", 0, "")},
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
			if err := until(ctx, e, o, p.reason); err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
		}
		if p.reason == cdbv1.ReasonWaitingForQuota {
			busy.Kill() // it stays in line
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

// accounts creates two Secrets, and in a namespace of its own a line that takes a minute.
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
	for i := range 60 {
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
	changed := objects["changed-not-seen"]
	changed.Spec.AsyncRequestID = "another"
	return e.Client.Update(ctx, changed)
}

func object(name string) *cdbv1.ImportJobStop {
	return &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       cdbv1.ImportJobStopSpec{Region: region, AsyncRequestID: name, CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"}},
	}
}

func until(ctx context.Context, e *harness.Environment, o *cdbv1.ImportJobStop, reason string) error {
	got := ""
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		if err := e.Client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return false, err
		}
		if c := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady); c != nil {
			got = c.Reason
		}
		return got == reason, nil
	})
	if err != nil {
		return fmt.Errorf("the reason is %q, want %q: %w", got, reason, err)
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
