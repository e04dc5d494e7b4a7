// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

func TestWrongManifestsAreRefused(t *testing.T) {
	n := newTenant(t)
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
			output, err := env.Kubectl(t.Context(), strings.NewReader(right+test.spec), "apply", "--validate=strict", "-n", n.namespace, "-f", "-")
			if err == nil || !strings.Contains(output, test.message) {
				t.Errorf("kubectl said %q (%v), want %q in it", output, err, test.message)
			}
		})
	}
}

func TestNewObjectIsInProgress(t *testing.T) {
	n := newTenant(t)
	n.stop("new")
	o := n.get("new")
	if o.Status.ObservedGeneration != -1 || kstatusOf(t, o) != status.InProgressStatus {
		t.Errorf("a new object has the status %+v", o.Status)
	}
}

func TestAccepted(t *testing.T) {
	n := newTenant(t)
	n.account()
	n.running("a")
	n.start()
	n.stop("a")
	o := n.untilReason("a", cdbv1.ReasonStopAccepted)
	call := n.wantCalls("a", 1)[0]
	wantPhase(t, o, status.CurrentStatus)
	if o.Status.RequestID != call.RequestID || o.Status.Attempts != 1 || !strings.Contains(ready(o).Message, call.RequestID) {
		t.Errorf("status %+v does not tell of %+v", o.Status, call)
	}

	before := o.ResourceVersion
	o.Labels = map[string]string{"some": "label"}
	o.Spec.CredentialsSecretRef.Name = "another"
	if err := env.Client.Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	o = n.untilReason("a", cdbv1.ReasonStopAccepted)
	if o.ResourceVersion == before {
		t.Error("the change was not seen")
	}
	if err := n.operator.Terminate(); err != nil {
		t.Errorf("the operator did not stop well: %v", err)
	}
	n.start()
	n.running("b")
	n.stop("b", func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = n.id("b") })
	n.untilReason("b", cdbv1.ReasonStopAccepted)
	n.wantCalls("a", 1)

	o = n.get("a")
	o.Spec.AsyncRequestID = n.id("c")
	if err := env.Client.Update(t.Context(), o); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "this object is the record of what was done") {
		t.Errorf("the target of an accepted stop could be changed: %v", err)
	}
}

// A target that was refused can be corrected: nothing was done to it.
func TestTargetIsCorrected(t *testing.T) {
	n := newTenant(t)
	n.account()
	n.start()
	n.stop("a") // which the cloud does not know
	o := n.untilReason("a", cdbv1.ReasonImportNotFound)
	n.running("right")
	o.Spec.AsyncRequestID = n.id("right")
	if err := env.Client.Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	o = n.untilReason("a", cdbv1.ReasonStopAccepted)
	if o.Status.Target.AsyncRequestID != n.id("right") || o.Status.Attempts != 1 {
		t.Errorf("the status is %+v", o.Status)
	}
	n.wantCalls("right", 1)
}

// What somebody writes into a status is taken as it is, and the operator lives.
func TestStatusByHand(t *testing.T) {
	n := newTenant(t)
	n.account()
	n.start()
	env.Cloud.SetImport(cdbsim.Import{Region: region, ID: n.id("a"), Status: "KILLED"})
	n.stop("a", func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor, o.Spec.Suspend = cdbv1.WaitForStopped, true })
	n.untilReason("a", cdbv1.ReasonSuspended)
	patch := fmt.Sprintf(`{"status": {"requestId": "6EF60BEC-0242-43AF-BB20-270359FB54A7", "target": {"region": %q, "asyncRequestId": %q, "site": "China"}, "lastAttempt": null, "conditions": null}}`, region, n.id("a"))
	for _, args := range [][]string{
		{"--subresource=status", "--type=merge", "-p", patch},
		{"--type=merge", "-p", `{"spec": {"suspend": false}}`},
	} {
		if output, err := env.Kubectl(t.Context(), nil, append([]string{"patch", "ijs", "a", "-n", n.namespace}, args...)...); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}
	wantPhase(t, n.untilReason("a", cdbv1.ReasonImportStopped), status.CurrentStatus)
	n.wantCalls("a", 0)
	n.running("b") // which the same process stops
	n.stop("b")
	n.untilReason("b", cdbv1.ReasonStopAccepted)
}

func TestErrorCodes(t *testing.T) {
	n := newTenant(t)
	n.account()
	n.start()
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
			env.Cloud.SetImport(cdbsim.Import{Region: region, ID: n.id(name), Status: "KILLED"})
			env.Cloud.Play(cdbsim.Fault{Action: "StopDBImportJob", AsyncRequestID: n.id(name), Code: code})
			n.stop(name)
			o := n.untilReason(name, want.ready)
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
	n := newTenant(t)
	n.account()
	env.Cloud.SetImport(cdbsim.Import{Region: region, ID: n.id("done"), Status: "SUCCESS"})
	n.start()
	n.stop("done")
	wantPhase(t, n.untilReason("done", cdbv1.ReasonImportAlreadyFinished), status.FailedStatus)
}

func TestWaitForStopped(t *testing.T) {
	n := newTenant(t)
	n.account()
	env.Cloud.SetImport(cdbsim.Import{Region: region, ID: n.id("slow"), Status: "RUNNING", EndsAfter: time.Second})
	n.start()
	n.stop("slow", func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor = cdbv1.WaitForStopped })
	wantPhase(t, n.untilReason("slow", cdbv1.ReasonWaitingForStop), status.InProgressStatus)
	wantPhase(t, n.untilReason("slow", cdbv1.ReasonImportStopped), status.CurrentStatus)
	n.wantCalls("slow", 1)
}

func TestSuspend(t *testing.T) {
	n := newTenant(t)
	n.account()
	n.running("held")
	n.start()
	n.stop("held", func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true })
	o := n.untilReason("held", cdbv1.ReasonSuspended)
	wantPhase(t, o, status.InProgressStatus)
	n.wantCalls("held", 0)
	o.Spec.Suspend = false
	if err := env.Client.Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	n.untilReason("held", cdbv1.ReasonStopAccepted)
}

func TestCredentials(t *testing.T) {
	n := newTenant(t)
	n.running("late")
	n.start()
	n.stop("late")
	wantPhase(t, n.untilReason("late", cdbv1.ReasonCredentialsNotFound), status.InProgressStatus)
	account := n.account()
	n.untilReason("late", cdbv1.ReasonStopAccepted)

	n.running("rotated")
	env.Cloud.SetAccount(cdbsim.Account{SecretID: account.SecretID, SecretKey: "rotated", Token: account.Token})
	n.stop("rotated")
	wantPhase(t, n.untilReason("rotated", cdbv1.ReasonCredentialsRejected), status.FailedStatus)
	secret := &corev1.Secret{}
	if err := env.Client.Get(t.Context(), client.ObjectKey{Namespace: n.namespace, Name: "creds"}, secret); err != nil {
		t.Fatal(err)
	}
	secret.Data["secretKey"] = []byte("rotated")
	if err := env.Client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	n.untilReason("rotated", cdbv1.ReasonStopAccepted)
}
