// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"strings"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// cloudRows are about what the cloud can say of an import, and what it can quote.
var cloudRows = []row{
	{"ends of an accepted stop", false, ends},
	{"stop denied, questions denied", false, denied},
	{"import of another owner", false, foreignImport},
	{"error that quotes the credentials, in each part and form", false, func(w *fixture) { quoting(w, cdbsim.Quoting, everyPart) }},
	{"success that quotes the credentials, in each part and form", false, func(w *fixture) { quoting(w, cdbsim.QuotingSuccess, everyPart[2:]) }},
}

// The codes that may answer a stop which comes too late; the vendor does not say which.
var lateCodes = []string{
	"CdbError.ImportError", "InternalError.ImportError", "InternalError.TaskFrameError", "InvalidParameter", "InvalidParameter.InvalidAsyncRequestId",
	"FailedOperation.AsyncTaskStatusError", "OperationDenied.WrongStatus", "OperationDenied.InstanceTaskStatusError",
}

func init() {
	for _, code := range lateCodes {
		cloudRows = append(cloudRows, row{"stop comes too late after kill -9: " + code, false, func(w *fixture) {
			w.Cloud.Play(cdbsim.Fault{Action: "StopDBImportJob", Kind: cdbsim.AnswerHeld, Times: 2})
			for i := range 2 {
				name := fmt.Sprint("a-", i)
				w.Stop(name)
				w.SetImport(name, cdbsim.Import{LateCode: code})
			}
			w.Start()
			w.called(2)
			w.kill()
			w.inject("late", 2)
			w.Start()
			w.settle(2, func(o *cdbv1.ImportJobStop) bool { return harness.HasReason(o, cdbv1.ReasonAlreadyStopped) })
			w.wantCalls(4)
		}})
	}
}

// ends: what the cloud says after it accepted a stop.
func ends(w *fixture) {
	imports := map[string]struct {
		cdbsim.Import
		first, last string // reasons
	}{
		"failed":  {cdbsim.Import{EndsAs: "FAILED"}, "", cdbv1.ReasonImportStopped},
		"removed": {cdbsim.Import{EndsAs: "REMOVED"}, "", cdbv1.ReasonImportStopped},
		"success": {cdbsim.Import{EndsAs: "SUCCESS"}, "", cdbv1.ReasonImportAlreadyFinished},
		"late":    {cdbsim.Import{RunsOn: 2 * time.Second, EndsAfter: 2 * time.Second}, cdbv1.ReasonWaitingForStop, cdbv1.ReasonImportStopped},
		// These two say nothing of an end, so that the cloud is asked until it does.
		"undefined": {cdbsim.Import{EndsAs: "UNDEFINED"}, cdbv1.ReasonWaitingForStop, cdbv1.ReasonImportStopped},
		"null":      {cdbsim.Import{EndsAs: cdbsim.StatusNull}, cdbv1.ReasonWaitingForStop, cdbv1.ReasonImportStopped},
	}
	for name, i := range imports {
		w.Stop(name, func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor = cdbv1.WaitForStopped })
		w.SetImport(name, i.Import)
		w.inject("ends "+name, 1)
	}
	w.Start()
	for name, i := range imports {
		if i.first != "" {
			w.UntilReason(name, i.first)
		}
	}
	for name, status := range map[string]string{"undefined": "UNDEFINED", "null": "UNKNOWN"} {
		w.Until(name, "asked", func(o *cdbv1.ImportJobStop) bool { return o.Status.ImportStatus == status })
		w.Eventually("two questions", func() (bool, error) { return w.questions(name) >= 2, nil })
		w.SetImport(name, cdbsim.Import{Status: "KILLED"})
	}
	for name, i := range imports {
		o := w.UntilReason(name, i.last)
		if o.Status.RequestID == "" || len(w.Stops(name)) != 1 {
			w.Errorf("%s: %d calls, RequestId %q", name, len(w.Stops(name)), o.Status.RequestID)
		}
	}
}

// denied: the policy allows the stop and denies the questions. Nobody is told that a stop failed which was accepted.
func denied(w *fixture) {
	w.Cloud.SetIdentity(accountOf("creds").SecretID, cdbsim.Identity{Denied: []string{"DescribeAsyncRequestInfo"}})
	w.Stop("a", func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor = cdbv1.WaitForStopped })
	w.Stop("b")
	w.Start()
	w.inject("questions denied", 1)
	o := w.UntilReason("a", cdbv1.ReasonCredentialsRejected)
	if o.Status.RequestID == "" || o.Status.CompletionTime != nil || !strings.Contains(harness.Ready(o).Message, "cdb:DescribeAsyncRequestInfo") {
		w.Errorf("after a question that is denied the status is %+v", o.Status)
	}
	w.UntilReason("b", cdbv1.ReasonStopAccepted)
	w.Cloud.SetIdentity(accountOf("creds").SecretID, cdbsim.Identity{Denied: []string{"StopDBImportJob"}})
	w.retry("a")
	w.UntilReason("a", cdbv1.ReasonImportStopped)
	w.Stop("c")
	w.inject("stop denied", 1)
	w.UntilReason("c", cdbv1.ReasonCredentialsRejected)
	w.Cloud.SetIdentity(accountOf("creds").SecretID, cdbsim.Identity{})
	w.retry("c")
	w.UntilReason("c", cdbv1.ReasonStopAccepted)
	for _, name := range []string{"a", "b"} {
		if n := len(w.Stops(name)); n != 1 {
			w.Errorf("%d calls for %s", n, name)
		}
	}
}

// foreignImport: an account does not see what belongs to another, and the right one stops it.
func foreignImport(w *fixture) {
	w.Account("owner")
	w.Cloud.SetIdentity(accountOf("owner").SecretID, cdbsim.Identity{Owner: "another"})
	w.Stop("a")
	w.SetImport("a", cdbsim.Import{Owner: "another"})
	w.Start()
	w.inject("another owner", 1)
	w.UntilReason("a", cdbv1.ReasonImportNotFound)
	w.Update("a", harness.UsesSecret("owner"))
	w.UntilReason("a", cdbv1.ReasonStopAccepted)
}

var (
	everyPart = []cdbsim.Part{
		cdbsim.PartCode, cdbsim.PartMessage, // of an error
		cdbsim.PartRequestID, cdbsim.PartStatus, cdbsim.PartInfo, cdbsim.PartExtra, cdbsim.PartHeader, cdbsim.PartReason,
	}
	everyForm = []cdbsim.Form{cdbsim.FormRaw, cdbsim.FormGo, cdbsim.FormURL, cdbsim.FormHTML, cdbsim.FormBase64}
)

// quoting lets the first answer to each action quote the credentials, in one part and form for each object.
func quoting(w *fixture, kind cdbsim.Kind, parts []cdbsim.Part) {
	for _, part := range parts {
		for _, form := range everyForm {
			name := strings.ToLower(fmt.Sprintf("%s-%s", part, form))
			for _, action := range []string{"StopDBImportJob", "DescribeAsyncRequestInfo"} {
				w.Cloud.Play(cdbsim.Fault{Action: action, AsyncRequestID: w.ImportID(name), Kind: kind, Part: part, Form: form, Times: 1})
				w.inject(string(kind), 1)
			}
			w.Stop(name, func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor = cdbv1.WaitForStopped })
		}
	}
	w.Start()
	w.settle(len(parts)*len(everyForm), func(o *cdbv1.ImportJobStop) bool { return harness.HasReason(o, cdbv1.ReasonImportStopped) })
	w.expectNever("has a status of no meaning", func(o version) bool {
		switch o.Status.ImportStatus {
		case "", "RUNNING", "PAUSED", "KILLED", "UNKNOWN":
			return false
		}
		return true
	})
}

// retry asks for one as a person does.
func (w *fixture) retry(name string) {
	w.Helper()
	w.Update(name, func(o *cdbv1.ImportJobStop) {
		o.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: time.Now().Format(time.RFC3339Nano)}
	})
}

// questions are how often the cloud was asked how the import of a name is.
func (w *fixture) questions(name string) (n int) {
	for _, c := range w.Cloud.CallLog() {
		if c.Action == "DescribeAsyncRequestInfo" && c.AsyncRequestID == w.ImportID(name) {
			n++
		}
	}
	return n
}
