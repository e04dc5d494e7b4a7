// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
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
	prepare  preparation
	then     *step
}

// preparation of an object and of its import, before the object is created.
type preparation func(*harness.Tenant, *cdbv1.ImportJobStop)

// action on an object that exists.
type action func(ctx context.Context, n *harness.Tenant, name string) error

// step is what happens to an object that has come somewhere.
type step struct {
	when string // the reason of Ready by then
	last bool   // when no operator looks any more
	do   action
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
func fault(f cdbsim.Fault) preparation {
	return func(n *harness.Tenant, o *cdbv1.ImportJobStop) {
		f.Action, f.AsyncRequestID = "StopDBImportJob", o.Spec.AsyncRequestID
		n.Cloud.Play(f)
	}
}

func importIn(status string, endsAfter time.Duration, waitFor cdbv1.WaitFor) preparation {
	return importThatEnds(status, "", endsAfter, waitFor)
}

func importThatEnds(status, as string, after time.Duration, waitFor cdbv1.WaitFor) preparation {
	return func(n *harness.Tenant, o *cdbv1.ImportJobStop) {
		n.Cloud.SetImport(cdbsim.Import{Region: harness.Region, ID: o.Spec.AsyncRequestID, Status: status, EndsAfter: after, EndsAs: as})
		o.Spec.WaitFor = waitFor
	}
}

// onInstance lists the object's import on an instance, and asks for it by both.
func onInstance(id string) preparation {
	return func(n *harness.Tenant, o *cdbv1.ImportJobStop) {
		n.Cloud.SetImport(cdbsim.Import{
			Region: harness.Region, ID: o.Spec.AsyncRequestID, InstanceID: id, DatabaseName: "shop", FileName: "shop.sql.gz", Percent: 37, Status: "RUNNING",
		})
		o.Spec.Import = &cdbv1.ImportFilter{InstanceID: id}
	}
}

func edit(edit func(*cdbv1.ImportJobStop)) preparation {
	return func(_ *harness.Tenant, o *cdbv1.ImportJobStop) { edit(o) }
}

// change of the spec by a person.
func change(edit func(*cdbv1.ImportJobStopSpec)) action {
	return func(ctx context.Context, n *harness.Tenant, name string) error {
		return n.Update(ctx, name, func(o *cdbv1.ImportJobStop) { edit(&o.Spec) })
	}
}

// panicked is what the operator writes after it has recovered from a panic, which nothing from outside brings about.
func panicked(ctx context.Context, n *harness.Tenant, name string) error {
	o, err := n.Get(ctx, name)
	if err != nil {
		return err
	}
	lifecycle.InternalError(time.Now())(o)
	return n.Client.Status().Update(ctx, o)
}

// forThreeMinutes makes an object as old as that, and its wait as long. The operator takes no wait for older than its object, whose
// creation the API server lets nobody change: so it is written into etcd.
func forThreeMinutes(ctx context.Context, n *harness.Tenant, name string) error {
	stored, err := n.Stored(ctx, name)
	if err != nil {
		return err
	}
	content := map[string]any{}
	if err := json.Unmarshal(stored, &content); err != nil {
		return err
	}
	then := time.Now().Add(-3 * time.Minute).UTC().Format(time.RFC3339)
	if err := errors.Join(
		unstructured.SetNestedField(content, then, "metadata", "creationTimestamp"),
		unstructured.SetNestedField(content, then, "status", "waitingSince"),
	); err != nil {
		return err
	}
	changed, err := json.Marshal(content)
	if err != nil {
		return err
	}
	return n.Store(ctx, name, changed)
}

const (
	isAccepted = "True StopAccepted"
	isUnknown  = "Unknown OutcomeUnknown"
)

// afterOneSecond gives up an object that was tried at least once.
var afterOneSecond = &step{when: cdbv1.ReasonRetryScheduled, do: change(func(s *cdbv1.ImportJobStopSpec) { s.ActiveDeadlineSeconds = new(int32(1)) })}

var phases = []phase{
	{"not-seen-yet", "", inProgress, "", edit(func(*cdbv1.ImportJobStop) {}), nil},
	{"waiting-for-quota", cdbv1.ReasonWaitingForQuota, inProgress, "", edit(harness.UsesSecret("busy")), nil},
	{"calling", cdbv1.ReasonStopping, inProgress, "", fault(cdbsim.Fault{Kind: cdbsim.Hang}), nil},
	{"will-retry", cdbv1.ReasonRetryScheduled, inProgress, "False CloudError", fault(cdbsim.Fault{Code: "InternalError"}), nil},
	{"outcome-unknown", cdbv1.ReasonRetryScheduled, inProgress, isUnknown, fault(cdbsim.Fault{Kind: cdbsim.Reset}), nil},
	{"no-credentials", cdbv1.ReasonCredentialsNotFound, inProgress, "", edit(harness.UsesSecret("missing")), nil},
	{"no-credentials-for-long", cdbv1.ReasonCredentialsNotFound, failed, "", edit(harness.UsesSecret("missing")), &step{when: cdbv1.ReasonCredentialsNotFound, do: forThreeMinutes}},
	{"credentials-rejected", cdbv1.ReasonCredentialsRejected, failed, "False CredentialsRejected", fault(cdbsim.Fault{Code: "AuthFailure.UnauthorizedOperation"}), nil},
	{"invalid", cdbv1.ReasonInvalidRequest, failed, "False InvalidRequest", fault(cdbsim.Fault{Code: "InvalidParameter"}), nil},
	{"not-found", cdbv1.ReasonImportNotFound, failed, "False ImportNotFound", fault(cdbsim.Fault{Code: "InvalidParameter.InvalidAsyncRequestId"}), nil},
	{"cannot-ask", cdbv1.ReasonImportError, failed, "False ImportError", func(n *harness.Tenant, o *cdbv1.ImportJobStop) {
		fault(cdbsim.Fault{Code: "CdbError.ImportError"})(n, o)
		n.Cloud.Play(cdbsim.Fault{Action: "DescribeAsyncRequestInfo", AsyncRequestID: o.Spec.AsyncRequestID, Code: "InvalidParameter"})
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
	{"several-match", cdbv1.ReasonImportAmbiguous, failed, "", func(n *harness.Tenant, o *cdbv1.ImportJobStop) {
		onInstance("cdb-several")(n, o)
		n.Cloud.SetImport(cdbsim.Import{Region: harness.Region, ID: "another-running", InstanceID: "cdb-several", Status: "RUNNING"})
		o.Spec.AsyncRequestID = ""
	}, nil},
	{"of-another-instance", cdbv1.ReasonImportMismatch, failed, "", func(n *harness.Tenant, o *cdbv1.ImportJobStop) {
		onInstance("cdb-mismatch")(n, o)
		o.Spec.Import.DatabaseName = "other"
	}, nil},
	{"not-pinned", cdbv1.ReasonImportNotPinned, failed, "", func(n *harness.Tenant, o *cdbv1.ImportJobStop) {
		onInstance("cdb-unpinned")(n, o)
		o.Spec.AsyncRequestID, o.Labels = "", map[string]string{"velero.io/restore-name": "last-night"}
	}, nil},
	{"found", cdbv1.ReasonStopAccepted, done, isAccepted, func(n *harness.Tenant, o *cdbv1.ImportJobStop) {
		onInstance("cdb-found")(n, o)
		o.Spec.AsyncRequestID = ""
	}, nil},
	{"preview", cdbv1.ReasonSuspended, held, "", func(n *harness.Tenant, o *cdbv1.ImportJobStop) {
		onInstance("cdb-preview")(n, o)
		o.Spec.AsyncRequestID, o.Spec.Suspend = "", true
	}, nil},
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
