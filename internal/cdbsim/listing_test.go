// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// listed is what one call of DescribeDBImportRecords answers.
func (c *caller) listed(offset, limit int, at time.Time) (total any, records []map[string]any, code string) {
	r, body := c.requestWith(list, fmt.Sprintf(`{"InstanceId":%q,"Offset":%d,"Limit":%d}`, mysql, offset, limit), at)
	call, output, _ := c.cloud.handle(r, body, at)
	records, _ = output["Items"].([]map[string]any)
	return output["TotalCount"], records, call.Code
}

// ids of the records of one page.
func (c *caller) ids(offset int, at time.Time) (ids []string) {
	c.Helper()
	_, records, code := c.listed(offset, maxLimit, at)
	if code != "" {
		c.Errorf("the listing from %d on answers %s", offset, code)
	}
	for _, record := range records {
		ids = append(ids, fmt.Sprint(record["AsyncRequestId"]))
	}
	return ids
}

// runs adds imports to the instance, the first of which is the newest.
func (c *caller) runs(n int) {
	for i := range n {
		c.cloud.SetImport(Import{Region: region, ID: "import-" + strconv.Itoa(i), InstanceID: mysql, Status: "RUNNING", CreateTime: start.Add(-time.Duration(i) * time.Second)})
	}
}

func TestPagesOfAListing(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{})
	c.runs(230)
	var all []string
	for offset := 0; offset < 400; offset += 100 {
		all = append(all, c.ids(offset, start)...)
	}
	if len(all) != 230 || all[0] != "import-0" || all[229] != "import-229" || len(slices.Compact(slices.Sorted(slices.Values(all)))) != 230 {
		t.Errorf("%d records: %v", len(all), all)
	}
	if total, records, _ := c.listed(225, 3, start); total != 230 || len(records) != 3 || records[0]["AsyncRequestId"] != "import-225" {
		t.Errorf("got %v of %v", records, total)
	}
	c.cloud.SetInstance(Instance{Region: region, ID: mysql, TotalAsText: true})
	if total, records, _ := c.listed(0, 100, start); total != "230" || len(records) != 100 {
		t.Errorf("the TotalCount is %#v", total)
	}
}

func TestParametersOfAListing(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"InstanceId":"cdb-c1nl9rpv"}`:                         "",
		`{"InstanceId":"cdb-c1nl9rpv","Offset":0,"Limit":1}`:    "",
		`{"InstanceId":"cdb-c1nl9rpv","Offset":-1}`:             "InvalidParameter",
		`{"InstanceId":"cdb-c1nl9rpv","Limit":0}`:               "InvalidParameter",
		`{"InstanceId":"cdb-c1nl9rpv","Limit":101}`:             "InvalidParameter",
		`{"InstanceId":"cdb-c1nl9rpv","Offset":"0"}`:            "InvalidParameter",
		`{"InstanceId":" "}`:                                    "InvalidParameter",
		`{"AsyncRequestId":"` + task + `"}`:                     "InvalidParameter",
		`{"InstanceId":"cdb-nowhere"}`:                          "InvalidParameter.InstanceNotFound",
		`{"InstanceId":"e318ecb8-863f-11e7-85a5-80fb06afab26"}`: "InvalidParameter.InstanceNotFound",
	} {
		c := newCaller(t, Import{})
		c.runs(30)
		r, sent := c.requestWith(list, body, start)
		call, output, _ := c.cloud.handle(r, sent, start)
		if call.Code != want {
			t.Errorf("%s answers %q, want %q", body, call.Code, want)
		}
		if records, _ := output["Items"].([]map[string]any); body == `{"InstanceId":"cdb-c1nl9rpv"}` && len(records) != 20 {
			t.Errorf("%d records by default", len(records))
		}
	}
}

func TestAnInstanceBelongsToARegionAndAMainAccount(t *testing.T) {
	t.Parallel()
	const none = "InvalidParameter.InstanceNotFound"
	c := newCaller(t, Import{})
	c.cloud.SetInstance(Instance{Region: region, ID: mysql, Owner: "100001"})
	owner := c.as("AKIDtwo", Identity{Owner: "100001"})
	owner.want(list, start, "")
	c.want(list, start, none)
	owner.region = "ap-shanghai"
	owner.want(list, start, none)
}

func TestARecordAppearsLate(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{InstanceID: mysql, CreateTime: start, ListedAfter: 5 * time.Second})
	if early, late := c.ids(0, start.Add(5*time.Second-1)), c.ids(0, start.Add(5*time.Second)); len(early) != 0 || len(late) != 1 {
		t.Errorf("%v, then %v", early, late)
	}
}

// An import that changes keeps its place, and one that goes to another instance leaves its old one.
func TestAnImportIsListedOnce(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{})
	c.runs(5)
	c.cloud.SetImport(Import{Region: region, ID: "import-3", InstanceID: mysql, Status: "SUCCESS"})
	if got := strings.Join(c.ids(0, start), " "); got != "import-0 import-1 import-2 import-3 import-4" {
		t.Errorf("after a change: %s", got)
	}
	c.cloud.SetImport(Import{Region: region, ID: "import-1", InstanceID: "cdb-another", Status: "RUNNING"})
	c.cloud.SetImport(Import{Region: region, ID: "import-2", Status: "RUNNING"})
	if got := strings.Join(c.ids(0, start), " "); got != "import-0 import-3 import-4" {
		t.Errorf("after two have gone: %s", got)
	}
}

// With Moved, two pages that are read one after the other overlap and leave a record out, each time another one.
func TestRecordsMoveBetweenPages(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{})
	c.runs(200)
	c.cloud.Play(Fault{Kind: Moved})
	c.want(stop, start, "")
	var missed []string
	for range 2 {
		seen := map[string]bool{}
		for _, id := range append(c.ids(0, start), c.ids(100, start)...) {
			seen[id] = true
		}
		for i := range 200 {
			if id := "import-" + strconv.Itoa(i); !seen[id] {
				missed = append(missed, id)
			}
		}
	}
	if len(missed) != 2 || missed[0] == missed[1] {
		t.Errorf("missed %v", missed)
	}
	if log := c.cloud.CallLog(); log[0].Fault != "" || log[1].Fault != "moved" || log[1].Code != "" || log[2].Offset != 100 || log[2].InstanceID != mysql {
		t.Errorf("the log is %+v", log[:3])
	}
}

// With Changed, no two calls list the same imports that run.
func TestAListingThatChangesWithEachPage(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{InstanceID: mysql, CreateTime: start, Status: "SUCCESS", FileName: "shop.sql.gz"})
	c.cloud.Play(Fault{Kind: Changed, Times: 2})
	running := map[string]bool{}
	for range 2 {
		total, records, _ := c.listed(0, 100, start)
		if total != 2 || records[0]["Status"] != 1 || records[0]["FileName"] != "shop.sql.gz" || records[1]["AsyncRequestId"] != task {
			t.Errorf("got %v: %v", total, records)
		}
		running[fmt.Sprint(records[0]["AsyncRequestId"])] = true
	}
	if got := c.ids(0, start); len(running) != 2 || running[task] || len(got) != 1 {
		t.Errorf("%v ran; then %v", running, got)
	}
}

// A fault can be that of one instance and of its later pages: an endpoint that hangs at page three.
func TestAFaultOfALaterPage(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{})
	c.runs(250)
	c.cloud.Play(Fault{InstanceID: mysql, FromOffset: 200, Code: "InternalError", Times: 1})
	c.cloud.Play(Fault{InstanceID: "cdb-another", Code: "InternalError"})
	c.want(stop, start, "")
	for _, offset := range []int{0, 100} {
		if _, _, code := c.listed(offset, 100, start); code != "" {
			t.Errorf("from %d on: %q", offset, code)
		}
	}
	for _, want := range []string{"InternalError", ""} {
		if _, _, code := c.listed(200, 100, start); code != want {
			t.Errorf("page three: %q, want %q", code, want)
		}
	}
}

func TestTheQuotaOfListings(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{InstanceID: mysql})
	c.cloud.SetIdentity(c.account.SecretID, Identity{SubAccount: "alice"})
	same := c.as("AKIDtwo", Identity{SubAccount: "alice"})
	for range 50 {
		c.want(list, start, "")
		same.want(list, start, "")
	}
	same.want(list, start.Add(time.Second-1), "RequestLimitExceeded")
	c.want(stop, start, "")
	c.want(list, start.Add(time.Second), "")
	if got := c.cloud.messageOf("RequestLimitExceeded", Call{Action: list}); !strings.Contains(got, "`100`") {
		t.Errorf("the message is %q", got)
	}
}

func TestAPolicyOfInstances(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{InstanceID: mysql, Owner: "100001"})
	one := c.as("AKIDone", Identity{Owner: "100001", Instances: []string{"cdb-another"}})
	one.want(list, start, "UnauthorizedOperation")
	one.want(stop, start, "")
	const want = "you are not authorized to perform operation (cdb:DescribeDBImportRecords) resource (qcs::cdb:ap-guangzhou:uin/100001:instanceId/cdb-c1nl9rpv) has no permission"
	if got := c.cloud.messageOf("UnauthorizedOperation", Call{SecretID: "AKIDone", Action: list, Region: region, InstanceID: mysql}); got != want {
		t.Errorf("the message is %q", got)
	}
	c.as("AKIDone", Identity{Owner: "100001", Instances: []string{"cdb-another", mysql}}).want(list, start, "")
	c.as("AKIDone", Identity{Owner: "100001", Denied: []string{list}}).want(list, start, "UnauthorizedOperation")
}

// Over HTTP: the answer, a fault that does nothing of what was asked, and the log.
func TestAListingOverHTTP(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{InstanceID: mysql, FileName: "shop.sql.gz"})
	body := func() string {
		r, _ := c.request(list, time.Now())
		w := httptest.NewRecorder()
		c.cloud.ServeHTTP(w, r)
		return w.Body.String()
	}
	if got := body(); !strings.Contains(got, `"TotalCount":1`) || !strings.Contains(got, `"FileName":"shop.sql.gz"`) {
		t.Errorf("answered %s", got)
	}
	c.cloud.Play(Fault{Action: list, Kind: HTML, Times: 1})
	if got := body(); strings.Contains(got, "shop.sql.gz") || !strings.Contains(got, "captive portal") {
		t.Errorf("answered %s", got)
	}
	c.cloud.Play(Fault{Kind: QuotingSuccess, Part: PartRecords, Form: FormRaw})
	if got := body(); !strings.Contains(got, `"TotalCount":1`) || strings.Count(got, "AKIDone") < 5 || strings.Contains(got, "shop.sql.gz") {
		t.Errorf("answered %s", got)
	}
	w := httptest.NewRecorder()
	c.cloud.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if log := w.Body.String(); strings.Count(log, `"InstanceID":"cdb-c1nl9rpv"`) != 3 || strings.Count(log, `"Fault":"html"`) != 1 {
		t.Errorf("the log is %s", log)
	}
}

// 10,000 records are made and read in a moment, whatever their order.
func TestTenThousandRecords(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{})
	c.runs(10_000)
	seen := map[string]bool{}
	for page := range 100 {
		for _, id := range c.ids(100*page, start.Add(time.Duration(page/50)*time.Second)) {
			seen[id] = true
		}
	}
	if len(seen) != 10_000 {
		t.Errorf("%d records", len(seen))
	}
}
