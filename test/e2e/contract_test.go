// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

func TestWrongManifestsAreRefused(t *testing.T) {
	f := newFixture(t)
	const right = "apiVersion: cdb.tencentcloud.com/v1alpha1\nkind: ImportJobStop\nmetadata: {name: wrong}\nspec: "
	for name, test := range map[string]struct{ spec, message string }{
		"no region":                   {`{asyncRequestId: a-b, credentialsSecretRef: {name: c}}`, "spec.region: Required"},
		"blank id":                    {`{region: ap-guangzhou, asyncRequestId: " ", credentialsSecretRef: {name: c}}`, "as in 434e366f"},
		"multi-line id":               {`{region: ap-guangzhou, asyncRequestId: "a\nb", credentialsSecretRef: {name: c}}`, "in one line"},
		"not a region":                {`{region: Guangzhou, asyncRequestId: a-b, credentialsSecretRef: {name: c}}`, "as in ap-guangzhou"},
		"unknown site":                {`{region: ap-guangzhou, asyncRequestId: a-b, site: Mars, credentialsSecretRef: {name: c}}`, `"China", "International"`},
		"Secret in another namespace": {`{region: ap-guangzhou, asyncRequestId: a-b, credentialsSecretRef: {name: other/c}}`, "must be the name of a Secret"},
		"namespace of a Secret":       {`{region: ap-guangzhou, asyncRequestId: a-b, credentialsSecretRef: {name: c, namespace: other}}`, `unknown field "spec.credentialsSecretRef.namespace"`},
		"unknown field":               {`{region: ap-guangzhou, asyncRequestId: a-b, regoin: x, credentialsSecretRef: {name: c}}`, `unknown field "spec.regoin"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			output, err := env.Kubectl(t.Context(), strings.NewReader(right+test.spec), "apply", "--validate=strict", "-n", f.Namespace, "-f", "-")
			if err == nil || !strings.Contains(output, test.message) {
				t.Errorf("kubectl said %q (%v), want %q in it", output, err, test.message)
			}
		})
	}
}

func TestNewObjectIsInProgress(t *testing.T) {
	f := newFixture(t)
	f.StopImport("new")
	o := f.Get("new")
	if o.Status.ObservedGeneration != -1 || kstatusOf(t, o) != status.InProgressStatus {
		t.Errorf("a new object has the status %+v", o.Status)
	}
}

func TestAccepted(t *testing.T) {
	f := newFixture(t)
	f.account()
	f.start()
	f.StopImport("a")
	o := f.UntilReason("a", cdbv1.ReasonStopAccepted)
	call := f.wantCalls("a", 1)[0]
	wantPhase(t, o, status.CurrentStatus)
	if o.Status.RequestID != call.RequestID || o.Status.Attempts != 1 || !strings.Contains(harness.Ready(o).Message, call.RequestID) {
		t.Errorf("status %+v does not tell of %+v", o.Status, call)
	}

	before := o.ResourceVersion
	o.Labels = map[string]string{"some": "label"}
	o.Spec.CredentialsSecretRef.Name = "another"
	f.Must(env.Client.Update(t.Context(), o))
	o = f.UntilReason("a", cdbv1.ReasonStopAccepted)
	if o.ResourceVersion == before {
		t.Error("the change was not seen")
	}
	if err := f.Operator.Terminate(); err != nil {
		t.Errorf("the operator did not stop well: %v", err)
	}
	f.start()
	f.StopImport("b", func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = f.ImportID("b") })
	f.UntilReason("b", cdbv1.ReasonStopAccepted)
	f.wantCalls("a", 1)

	o = f.Get("a")
	o.Spec.AsyncRequestID = f.ImportID("c")
	if err := env.Client.Update(t.Context(), o); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "this object is the record of what was done") {
		t.Errorf("the target of an accepted stop could be changed: %v", err)
	}
}

// A target that was refused can be corrected: nothing was done to it.
func TestTargetIsCorrected(t *testing.T) {
	f := newFixture(t)
	f.account()
	f.start()
	f.Create(f.Object("a")) // which the cloud does not know
	f.UntilReason("a", cdbv1.ReasonImportNotFound)
	f.SetImport("right", cdbsim.Import{})
	f.Update("a", func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = f.ImportID("right") })
	o := f.UntilReason("a", cdbv1.ReasonStopAccepted)
	if o.Status.Target.AsyncRequestID != f.ImportID("right") || o.Status.Attempts != 1 {
		t.Errorf("the status is %+v", o.Status)
	}
	f.wantCalls("right", 1)
}

// What somebody writes into a status is taken as it is, and the operator lives.
func TestStatusByHand(t *testing.T) {
	f := newFixture(t)
	f.account()
	f.start()
	f.SetImport("a", cdbsim.Import{Status: "KILLED"})
	f.Create(f.Object("a", func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor, o.Spec.Suspend = cdbv1.WaitForStopped, true }))
	f.UntilReason("a", cdbv1.ReasonSuspended)
	patch := fmt.Sprintf(`{"status": {"requestId": "6EF60BEC-0242-43AF-BB20-270359FB54A7", "target": {"region": %q, "asyncRequestId": %q, "site": "China"}, "lastAttempt": null, "conditions": null}}`, harness.Region, f.ImportID("a"))
	for _, args := range [][]string{
		{"--subresource=status", "--type=merge", "-p", patch},
		{"--type=merge", "-p", `{"spec": {"suspend": false}}`},
	} {
		env.MustKubectl(t, append([]string{"patch", "ijs", "a", "-n", f.Namespace}, args...)...)
	}
	wantPhase(t, f.UntilReason("a", cdbv1.ReasonImportStopped), status.CurrentStatus)
	f.wantCalls("a", 0)
	f.StopImport("b") // which the same process stops
	f.UntilReason("b", cdbv1.ReasonStopAccepted)
}

func TestErrorCodes(t *testing.T) {
	f := newFixture(t)
	f.account()
	f.start()
	for code, want := range map[string]struct{ ready, accepted string }{
		"InternalError.TaskFrameError":           {cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportError},
		"InvalidParameter":                       {cdbv1.ReasonInvalidRequest, cdbv1.ReasonInvalidRequest},
		"InvalidParameter.InvalidAsyncRequestId": {cdbv1.ReasonImportNotFound, cdbv1.ReasonImportNotFound},
		"CdbError.ImportError":                   {cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportError},
		"InternalError.ImportError":              {cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportError},
		"RequestLimitExceeded.UinLimitExceeded":  {cdbv1.ReasonRetryScheduled, cdbv1.ReasonThrottled},
		"AuthFailure.SignatureExpire":            {cdbv1.ReasonRetryScheduled, cdbv1.ReasonCloudError},
		"AuthFailure.UnauthorizedOperation":      {cdbv1.ReasonCredentialsRejected, cdbv1.ReasonCredentialsRejected},
		"OperationDenied.UserHasNoStrategy":      {cdbv1.ReasonCredentialsRejected, cdbv1.ReasonCredentialsRejected},
		"UnsupportedRegion":                      {cdbv1.ReasonInvalidRequest, cdbv1.ReasonInvalidRequest},
		"Never.HeardOf":                          {cdbv1.ReasonRetryScheduled, cdbv1.ReasonCloudError},
	} {
		name := strings.ToLower(strings.ReplaceAll(code, ".", "-"))
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			f := harness.In(t, f.Tenant)
			f.SetImport(name, cdbsim.Import{Status: "KILLED"})
			env.Cloud.Play(cdbsim.Fault{Action: "StopDBImportJob", AsyncRequestID: f.ImportID(name), Code: code})
			f.Create(f.Object(name))
			o := f.UntilReason(name, want.ready)
			switch want.ready {
			case cdbv1.ReasonRetryScheduled:
				wantPhase(t, o, status.InProgressStatus)
			case cdbv1.ReasonAlreadyStopped:
				wantPhase(t, o, status.CurrentStatus)
			default:
				wantPhase(t, o, status.FailedStatus)
			}
			a := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionAccepted)
			if a == nil || a.Status != "False" || a.Reason != want.accepted || !strings.Contains(a.Message, code) {
				t.Errorf("Accepted is %+v", a)
			}
			if want.accepted == cdbv1.ReasonThrottled && o.Status.Attempts != 0 {
				t.Errorf("a refusal by the quota counts as %d attempts", o.Status.Attempts)
			}
		})
	}
}

func TestImportThatEndedByItself(t *testing.T) {
	f := newFixture(t)
	f.account()
	f.SetImport("done", cdbsim.Import{Status: "SUCCESS"})
	f.start()
	f.Create(f.Object("done"))
	wantPhase(t, f.UntilReason("done", cdbv1.ReasonImportAlreadyFinished), status.FailedStatus)
}

func TestWaitForStopped(t *testing.T) {
	f := newFixture(t)
	f.account()
	f.SetImport("slow", cdbsim.Import{Status: "RUNNING", EndsAfter: time.Second})
	f.start()
	f.Create(f.Object("slow", func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor = cdbv1.WaitForStopped }))
	wantPhase(t, f.UntilReason("slow", cdbv1.ReasonWaitingForStop), status.InProgressStatus)
	wantPhase(t, f.UntilReason("slow", cdbv1.ReasonImportStopped), status.CurrentStatus)
	f.wantCalls("slow", 1)
}

func TestSuspend(t *testing.T) {
	f := newFixture(t)
	f.account()
	f.start()
	f.StopImport("held", func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true })
	wantPhase(t, f.UntilReason("held", cdbv1.ReasonSuspended), status.InProgressStatus)
	f.wantCalls("held", 0)
	f.Update("held", func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = false })
	f.UntilReason("held", cdbv1.ReasonStopAccepted)
}

func TestCredentials(t *testing.T) {
	f := newFixture(t)
	f.start()
	f.StopImport("late")
	wantPhase(t, f.UntilReason("late", cdbv1.ReasonCredentialsNotFound), status.InProgressStatus)
	account := f.account()
	f.UntilReason("late", cdbv1.ReasonStopAccepted)

	rotated := cdbsim.Account{SecretID: account.SecretID, SecretKey: "rotated", Token: account.Token}
	env.Cloud.SetAccount(rotated)
	f.StopImport("rotated")
	wantPhase(t, f.UntilReason("rotated", cdbv1.ReasonCredentialsRejected), status.FailedStatus)
	f.Must(env.Client.Update(t.Context(), f.Secret("creds", rotated)))
	f.UntilReason("rotated", cdbv1.ReasonStopAccepted)
}
