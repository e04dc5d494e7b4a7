// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// The simulated cloud checks signature, parameters and quota, and shares no code with the client.
func TestListOfTheSimulatedCloud(t *testing.T) {
	t.Parallel()
	cloud, client := simulate(t)
	cloud.SetInstance(cdbsim.Instance{Region: job.Region, ID: mysql, TotalAsText: true})
	for i := range 230 {
		cloud.SetImport(cdbsim.Import{
			Region: job.Region, ID: fmt.Sprintf("import-%d", i), InstanceID: mysql, DatabaseName: "shop", FileName: fmt.Sprintf("%d.sql", i), Percent: i % 100,
			Status: "RUNNING", CreateTime: time.Unix(int64(1_700_000_000-i), 0),
		})
	}
	var all []importjob.Record
	for _, offset := range []int{0, 100, 200, 300} {
		page, err := client.List(t.Context(), creds, job, mysql, offset)
		if err != nil || page.Total != 230 {
			t.Fatalf("from %d on: %d in all, %v", offset, page.Total, err)
		}
		all = append(all, page.Records...)
	}
	want := importjob.Record{AsyncRequestID: "import-137", State: importjob.RecordRunning, Percent: 37, FileName: "137.sql", DatabaseName: "shop", CreateTime: "2023-11-15 06:11:03"}
	if len(all) != 230 || all[137] != want {
		t.Errorf("%d records; got %+v, want %+v", len(all), all[137], want)
	}
}

func TestErrorsOfAListing(t *testing.T) {
	t.Parallel()
	cloud, client := simulate(t)
	cloud.SetInstance(cdbsim.Instance{Region: job.Region, ID: mysql})
	listError := func(instance string) importjob.Error {
		_, err := client.List(t.Context(), creds, job, instance, 0)
		got, ok := errors.AsType[*importjob.Error](err)
		if !ok {
			t.Fatalf("%s: got %v", instance, err)
		}
		got.RequestID = ""
		return *got
	}
	if got, want := listError("cdb-nowhere"), (importjob.Error{Class: importjob.NotFound, Code: "InvalidParameter.InstanceNotFound", Message: "The instance does not exist."}); got != want {
		t.Errorf("an instance that does not exist: got %+v", got)
	}
	for code, want := range map[string]importjob.Class{
		"OperationDenied.UserHasNoStrategy": importjob.Rejected, "UnauthorizedOperation": importjob.Rejected, "InvalidParameter": importjob.Terminal,
		"RequestLimitExceeded": importjob.Throttled, "InternalError": importjob.Transient,
	} {
		cloud.Play(cdbsim.Fault{Action: "DescribeDBImportRecords", Code: code, Times: 1})
		if got := listError(mysql); got.Class != want || got.Code != code {
			t.Errorf("%s: got %+v", code, got)
		}
	}
	cloud.SetIdentity(creds.SecretID, cdbsim.Identity{Owner: "100001", Instances: []string{"cdb-another"}})
	if got := listError(mysql); got.Class != importjob.Rejected || !strings.Contains(got.Message, "resource (qcs::cdb:ap-guangzhou:uin/100001:instanceId/cdb-c1nl9rpv)") {
		t.Errorf("a policy for another instance: got %+v", got)
	}
}

// Every fault of an answer is one of a page, too.
func TestFaultsOfAListing(t *testing.T) {
	t.Parallel()
	for kind, code := range map[cdbsim.Kind]string{
		cdbsim.HTTPError: "ClientError.HTTPStatus503", cdbsim.HTML: "ClientError.UnreadableAnswer", cdbsim.Truncated: "ClientError.UnreadableAnswer",
		cdbsim.Huge: "ClientError.AnswerTooLong", cdbsim.Reset: "ClientError.NetworkError", cdbsim.Redirect: "ClientError.HTTPStatus307",
	} {
		_, client := simulate(t, cdbsim.Fault{Kind: kind, InstanceID: mysql, Location: "http://127.0.0.1:1/"})
		_, err := client.List(t.Context(), creds, job, mysql, 0)
		if e, ok := errors.AsType[*importjob.Error](err); !ok || e.Class != importjob.Transient || e.Code != code {
			t.Errorf("%s: got %v, want %s", kind, err, code)
		}
	}
}

// An endpoint that hangs at page three fails that page, and the pages before it were read.
func TestAPageThatHangs(t *testing.T) {
	t.Parallel()
	cloud, client := simulate(t, cdbsim.Fault{Kind: cdbsim.Hang, InstanceID: mysql, FromOffset: 200})
	for i := range 201 {
		cloud.SetImport(cdbsim.Import{Region: job.Region, ID: fmt.Sprint(i), InstanceID: mysql, Status: "RUNNING"})
	}
	for offset, want := range map[int]int{0: 100, 100: 100} {
		if page, err := client.List(t.Context(), creds, job, mysql, offset); err != nil || len(page.Records) != want {
			t.Errorf("from %d on: %d records, %v", offset, len(page.Records), err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := client.List(ctx, creds, job, mysql, 200)
	if e, ok := errors.AsType[*importjob.Error](err); !ok || e.Class != importjob.Transient || e.Code != "ClientError.Timeout" {
		t.Errorf("page three: got %v", err)
	}
}
