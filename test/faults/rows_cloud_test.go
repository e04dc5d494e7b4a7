// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"strings"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/oracle"
)

// cloudRows are about what the cloud can say of an import, and what it can quote.
var cloudRows = []row{
	{"ends of an accepted stop", false, ends},
	{"stop denied, questions denied", false, denied},
	{"import of another owner", false, foreignImport},
	{"error that quotes the credentials, in each part and form", false, func(f *fixture) { quoting(f, cdbsim.Quoting, everyPart) }},
	{"success that quotes the credentials, in each part and form", false, func(f *fixture) { quoting(f, cdbsim.QuotingSuccess, everyPart[2:]) }},
}

// The codes that may answer a stop which comes too late; the vendor does not say which.
var lateCodes = []string{
	"CdbError.ImportError", "InternalError.ImportError", "InternalError.TaskFrameError", "InvalidParameter", "InvalidParameter.InvalidAsyncRequestId",
	"FailedOperation.AsyncTaskStatusError", "OperationDenied.WrongStatus", "OperationDenied.InstanceTaskStatusError",
}

func init() {
	for _, code := range lateCodes {
		cloudRows = append(cloudRows, row{"stop comes too late after kill -9: " + code, false, func(f *fixture) {
			f.Cloud.Play(cdbsim.Fault{Action: "StopDBImportJob", Kind: cdbsim.AnswerHeld, Times: 2})
			for i := range 2 {
				name := fmt.Sprint("a-", i)
				f.StopImport(name)
				f.SetImport(name, cdbsim.Import{LateCode: code})
			}
			f.Start()
			f.called(2)
			f.kill()
			f.inject("late", 2)
			f.Start()
			f.settle(2, func(o *cdbv1.ImportJobStop) bool { return harness.HasReason(o, cdbv1.ReasonAlreadyStopped) })
			f.wantCalls(4)
		}})
	}
}

// ends: what the cloud says after it accepted a stop.
func ends(f *fixture) {
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
		f.StopImport(name, func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor = cdbv1.WaitForStopped })
		f.SetImport(name, i.Import)
		f.inject("ends "+name, 1)
	}
	f.Start()
	for name, i := range imports {
		if i.first != "" {
			f.UntilReason(name, i.first)
		}
	}
	for name, status := range map[string]string{"undefined": "UNDEFINED", "null": "UNKNOWN"} {
		f.Until(name, "asked", func(o *cdbv1.ImportJobStop) bool { return o.Status.ImportStatus == status })
		f.Eventually("two questions", func() (bool, error) { return f.questions(name) >= 2, nil })
		f.SetImport(name, cdbsim.Import{Status: "KILLED"})
	}
	for name, i := range imports {
		o := f.UntilReason(name, i.last)
		if o.Status.RequestID == "" || len(f.Stops(name)) != 1 {
			f.Errorf("%s: %d calls, RequestId %q", name, len(f.Stops(name)), o.Status.RequestID)
		}
	}
}

// denied: the policy allows the stop and denies the questions. Nobody is told that a stop failed which was accepted.
func denied(f *fixture) {
	f.Cloud.SetIdentity(accountOf("creds").SecretID, cdbsim.Identity{Denied: []string{"DescribeAsyncRequestInfo"}})
	f.StopImport("a", func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor = cdbv1.WaitForStopped })
	f.StopImport("b")
	f.Start()
	f.inject("questions denied", 1)
	o := f.UntilReason("a", cdbv1.ReasonCredentialsRejected)
	if o.Status.RequestID == "" || o.Status.CompletionTime != nil || !strings.Contains(harness.Ready(o).Message, "cdb:DescribeAsyncRequestInfo") {
		f.Errorf("after a question that is denied the status is %+v", o.Status)
	}
	f.UntilReason("b", cdbv1.ReasonStopAccepted)
	f.Cloud.SetIdentity(accountOf("creds").SecretID, cdbsim.Identity{Denied: []string{"StopDBImportJob"}})
	f.retry("a")
	f.UntilReason("a", cdbv1.ReasonImportStopped)
	f.StopImport("c")
	f.inject("stop denied", 1)
	f.UntilReason("c", cdbv1.ReasonCredentialsRejected)
	f.Cloud.SetIdentity(accountOf("creds").SecretID, cdbsim.Identity{})
	f.retry("c")
	f.UntilReason("c", cdbv1.ReasonStopAccepted)
	for _, name := range []string{"a", "b"} {
		if n := len(f.Stops(name)); n != 1 {
			f.Errorf("%d calls for %s", n, name)
		}
	}
}

// foreignImport: an account does not see what belongs to another, and the right one stops it.
func foreignImport(f *fixture) {
	f.Account("owner")
	f.Cloud.SetIdentity(accountOf("owner").SecretID, cdbsim.Identity{Owner: "another"})
	f.StopImport("a")
	f.SetImport("a", cdbsim.Import{Owner: "another"})
	f.Start()
	f.inject("another owner", 1)
	f.UntilReason("a", cdbv1.ReasonImportNotFound)
	f.Update("a", harness.UsesSecret("owner"))
	f.UntilReason("a", cdbv1.ReasonStopAccepted)
}

var (
	everyPart = []cdbsim.Part{
		cdbsim.PartCode, cdbsim.PartMessage, // of an error
		cdbsim.PartRequestID, cdbsim.PartStatus, cdbsim.PartInfo, cdbsim.PartExtra, cdbsim.PartHeader, cdbsim.PartReason,
	}
	everyForm = []cdbsim.Form{cdbsim.FormRaw, cdbsim.FormGo, cdbsim.FormURL, cdbsim.FormHTML, cdbsim.FormBase64}
)

// quoting lets the first answer to each action quote the credentials, in one part and form for each object.
func quoting(f *fixture, kind cdbsim.Kind, parts []cdbsim.Part) {
	for _, part := range parts {
		for _, form := range everyForm {
			name := strings.ToLower(fmt.Sprintf("%s-%s", part, form))
			for _, action := range []string{"StopDBImportJob", "DescribeAsyncRequestInfo"} {
				f.Cloud.Play(cdbsim.Fault{Action: action, AsyncRequestID: f.ImportID(name), Kind: kind, Part: part, Form: form, Times: 1})
				f.inject(string(kind), 1)
			}
			f.StopImport(name, func(o *cdbv1.ImportJobStop) { o.Spec.WaitFor = cdbv1.WaitForStopped })
		}
	}
	f.Start()
	f.settle(len(parts)*len(everyForm), func(o *cdbv1.ImportJobStop) bool { return harness.HasReason(o, cdbv1.ReasonImportStopped) })
	f.expectNever("has a status of no meaning", func(o oracle.Version) bool {
		switch o.Status.ImportStatus {
		case "", "RUNNING", "PAUSED", "KILLED", "UNKNOWN":
			return false
		}
		return true
	})
}

// retry asks for one as a person does.
func (f *fixture) retry(name string) {
	f.Helper()
	f.Update(name, func(o *cdbv1.ImportJobStop) {
		o.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: time.Now().Format(time.RFC3339Nano)}
	})
}

// questions are how often the cloud was asked how the import of a name is.
func (f *fixture) questions(name string) (n int) {
	for _, c := range f.Cloud.CallLog() {
		if c.Action == "DescribeAsyncRequestInfo" && c.AsyncRequestID == f.ImportID(name) {
			n++
		}
	}
	return n
}
