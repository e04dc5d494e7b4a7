// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

const mysql = "cdb-c1nl9rpv"

// listed returns a client whose listing has these fields.
func listed(fields string) *Client {
	return &Client{transport: answering{200, "OK", "", []byte(`{"Response":{"RequestId":"r",` + fields + `}}`)}}
}

// The vendor's own example: TotalCount is a text, FileSize a number and a text, a DbName is empty, and InstanceId is another one's.
func TestListReadsTheVendorsExample(t *testing.T) {
	t.Parallel()
	page, err := listed(`"TotalCount":"2","Items":[
		{"Status":3,"Code":1,"CostTime":0,"InstanceId":"e318ecb8-863f-11e7-85a5-80fb06afab26","WorkId":"1649290","FileName":"monkey_1501490864.sql",
		 "Process":5,"CreateTime":"2017-11-09 14:26:31","FileSize":12,"Message":"lock_inst.cgi: …","JobId":16242,"DbName":"test",
		 "AsyncRequestId":"a4788d0a-df23758a-ac961e5a-af414d33"},
		{"Status":1,"Code":0,"CostTime":7,"InstanceId":"e318ecb8-863f-11e7-85a5-80fb06afab26","WorkId":"1545387","FileName":"monkey_1501490864.sql",
		 "Process":37,"CreateTime":"2017-10-18 21:18:26","FileSize":"12","Message":"","JobId":16223,"DbName":"",
		 "AsyncRequestId":"198e97de-972b1971-fb0ce76a-08ca054e"}]`).List(t.Context(), creds, job, mysql, 0)
	want := []importjob.Record{
		{AsyncRequestID: "a4788d0a-df23758a-ac961e5a-af414d33", State: importjob.RecordFailed, Percent: 5, FileName: "monkey_1501490864.sql", DatabaseName: "test", CreateTime: "2017-11-09 14:26:31"},
		{AsyncRequestID: "198e97de-972b1971-fb0ce76a-08ca054e", State: importjob.RecordRunning, Percent: 37, FileName: "monkey_1501490864.sql", CreateTime: "2017-10-18 21:18:26"},
	}
	if err != nil || page.Total != 2 || !slices.Equal(page.Records, want) {
		t.Errorf("got %+v, %v", page, err)
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("x", 128)
	signature := strings.Repeat("0123456789abcdef", 4)
	unknown := importjob.Record{State: importjob.RecordUnknown}
	with := func(edit func(*importjob.Record)) importjob.Record {
		record := unknown
		edit(&record)
		return record
	}
	state := func(s importjob.RecordState) importjob.Record { return importjob.Record{State: s} }
	percent := func(n int) importjob.Record { return with(func(r *importjob.Record) { r.Percent = n }) }
	requestID := func(id string) importjob.Record {
		return with(func(r *importjob.Record) { r.AsyncRequestID = id })
	}
	file := func(name string) importjob.Record { return with(func(r *importjob.Record) { r.FileName = name }) }
	for item, want := range map[string]importjob.Record{
		`{}`: unknown,
		`{"Status":null,"Process":null,"AsyncRequestId":null,"FileName":null,"DbName":null,"CreateTime":null,"InstanceId":null}`: unknown,
		`{"Status":{},"Process":[],"AsyncRequestId":7,"FileName":["a"],"DbName":true,"CreateTime":{"a":1}}`:                      unknown,

		`{"Status":0}`: state(importjob.RecordInitializing), `{"Status":1}`: state(importjob.RecordRunning), `{"Status":2}`: state(importjob.RecordSuccessful),
		`{"Status":3}`: state(importjob.RecordFailed), `{"Status":"1"}`: state(importjob.RecordRunning), `{"Status":4}`: unknown, `{"Status":-1}`: unknown,
		`{"Status":1.0}`: unknown, `{"Status":"running"}`: unknown, `{"Status":"01"}`: unknown, `{"Status":"1 "}`: unknown, `{"Status":true}`: unknown,

		`{"Process":37}`: percent(37), `{"Process":"37"}`: percent(37), `{"Process":37.9}`: percent(37), `{"Process":101}`: percent(100), `{"Process":-1}`: percent(0),
		`{"Process":1e999}`: percent(100), `{"Process":-1e999}`: percent(0), `{"Process":"half"}`: percent(0), `{"Process":99999999999999999999}`: percent(100),

		`{"AsyncRequestId":"a"}`: requestID("a"), `{"AsyncRequestId":"A1-b2"}`: requestID("A1-b2"), `{"AsyncRequestId":"` + id + `"}`: requestID(id),
		`{"AsyncRequestId":"` + id + `a"}`: unknown, `{"AsyncRequestId":""}`: unknown, `{"AsyncRequestId":"a b"}`: unknown, `{"AsyncRequestId":" a"}`: unknown,
		`{"AsyncRequestId":"a\n"}`: unknown, `{"AsyncRequestId":"-a"}`: unknown, `{"AsyncRequestId":"a--b"}`: unknown, `{"AsyncRequestId":"a_b"}`: unknown,
		`{"AsyncRequestId":"ä"}`: unknown, `{"AsyncRequestId":"canary-token"}`: unknown, `{"AsyncRequestId":"x` + signature + `"}`: unknown,

		`{"FileName":"shop.sql.gz"}`: file("shop.sql.gz"), `{"FileName":"a  b.sql"}`: file("a  b.sql"), `{"FileName":" a"}`: file(" a"), `{"FileName":"a "}`: file("a "),
		`{"FileName":"` + strings.Repeat("é", 128) + `"}`:  file(strings.Repeat("é", 128)),
		`{"FileName":"` + strings.Repeat("é", 128) + `x"}`: file(" " + strings.Repeat("é", 126) + "…"),
		`{"FileName":"a\tb"}`:                              file(" a b"), `{"FileName":"a\u00a0b"}`: file(" a b"), `{"FileName":"a\n"}`: file(" a"), `{"FileName":"\n"}`: unknown,
		`{"FileName":"a\ufffd"}`: file(" a"), `{"FileName":"of canary-token.sql"}`: file(" of [redacted].sql"), `{"FileName":"` + signature + `.sql"}`: file(" [redacted].sql"),

		`{"DbName":"a  b"}`:                                             with(func(r *importjob.Record) { r.DatabaseName = "a  b" }),
		`{"DbName":"a\u0007"}`:                                          with(func(r *importjob.Record) { r.DatabaseName = " a" }),
		`{"CreateTime":" 2017-11-09  14:26:31\n"}`:                      with(func(r *importjob.Record) { r.CreateTime = "2017-11-09 14:26:31" }),
		`{"CreateTime":"` + strings.Repeat("1", 63) + ` canary-token"}`: with(func(r *importjob.Record) { r.CreateTime = strings.Repeat("1", 63) + " [redacted]" }),
	} {
		page, err := listed(`"TotalCount":1,"Items":[`+item+`]`).List(t.Context(), creds, job, mysql, 0)
		if err != nil || len(page.Records) != 1 || page.Records[0] != want {
			t.Errorf("%s is %+v, %v; want %+v", item, page, err, want)
		}
	}
}

func items(n int, item string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
}

func TestPages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		offset, total, records int
		fields                 string
	}{
		{0, 0, 0, `"TotalCount":0,"Items":[]`},
		{0, 0, 0, `"TotalCount":"0","Items":null`},
		{0, 0, 0, `"TotalCount":0`},
		{0, 100, 100, `"TotalCount":100,"Items":` + items(100, "{}")},
		{0, 101, 100, `"TotalCount":101,"Items":` + items(100, "{}")},
		{100, 101, 1, `"TotalCount":"101","Items":[{}]`},
		{100, 100, 0, `"TotalCount":100,"Items":[]`},
		{200, 3, 0, `"TotalCount":3,"Items":[]`},
		{1 << 40, 3, 0, `"TotalCount":3,"Items":[]`},
	} {
		page, err := listed(test.fields).List(t.Context(), creds, job, mysql, test.offset)
		if err != nil || page.Total != test.total || len(page.Records) != test.records {
			t.Errorf("from %d on, %.50s: got %d records of %d, %v", test.offset, test.fields, len(page.Records), page.Total, err)
		}
	}
}

// What is acted on is a whole listing. A page that cannot be a part of one is an error that says why.
func TestPagesThatContradictThemselves(t *testing.T) {
	t.Parallel()
	const noTotal, noFormat = "the listing has no TotalCount that is a number of imports", "the Items of the listing do not have the format of the API"
	for _, test := range []struct {
		offset       int
		fields, want string
	}{
		{0, `"Items":[]`, noTotal},
		{0, `"TotalCount":null,"Items":[]`, noTotal},
		{0, `"TotalCount":-1,"Items":[]`, noTotal},
		{0, `"TotalCount":"-1","Items":[]`, noTotal},
		{0, `"TotalCount":1.5,"Items":[]`, noTotal},
		{0, `"TotalCount":"many","Items":[]`, noTotal},
		{0, `"TotalCount":99999999999999999999,"Items":[]`, noTotal},
		{0, `"TotalCount":{},"Items":[]`, noTotal},
		{0, `"TotalCount":1,"Items":{}`, noFormat},
		{0, `"TotalCount":1,"Items":"a"`, noFormat},
		{0, `"TotalCount":1,"Items":[5]`, noFormat},
		{0, `"TotalCount":1,"Items":["a"]`, noFormat},
		{0, `"TotalCount":200000,"Items":` + items(200_000, "{}"), "the listing has more than 100 imports on a page"},
		{0, `"TotalCount":2,"Items":[{},null]`, noFormat},
		{0, `"TotalCount":5,"Items":[]`, "the listing has 0 imports from 0 on, but its TotalCount is 5: want 5"},
		{0, `"TotalCount":5`, "the listing has 0 imports from 0 on, but its TotalCount is 5: want 5"},
		{0, `"TotalCount":5,"Items":null`, "the listing has 0 imports from 0 on, but its TotalCount is 5: want 5"},
		{0, `"TotalCount":250,"Items":` + items(99, "{}"), "the listing has 99 imports from 0 on, but its TotalCount is 250: want 100"},
		{0, `"TotalCount":250,"Items":` + items(101, "{}"), "the listing has more than 100 imports on a page"},
		{0, `"TotalCount":2,"Items":[{},{},{}]`, "the listing has 3 imports from 0 on, but its TotalCount is 2: want 2"},
		{100, `"TotalCount":3,"Items":[{},{},{}]`, "the listing has 3 imports from 100 on, but its TotalCount is 3: want 0"},
		{100, `"TotalCount":101,"Items":[{},{}]`, "the listing has 2 imports from 100 on, but its TotalCount is 101: want 1"},
	} {
		page, err := listed(test.fields).List(t.Context(), creds, job, mysql, test.offset)
		var got importjob.Error
		if e, ok := errors.AsType[*importjob.Error](err); ok {
			got = *e
		}
		want := importjob.Error{Class: importjob.Transient, Code: "ClientError.UnreadableAnswer", Message: test.want, RequestID: "r"}
		if got != want || page.Total != 0 || page.Records != nil {
			t.Errorf("from %d on, %.50s: got %+v, %v", test.offset, test.fields, page, err)
		}
	}
}

// A part of a credential can be a number.
func TestATotalCountQuotesNothing(t *testing.T) {
	t.Parallel()
	digits := importjob.Credentials{SecretID: "AKIDz8krbsJ5yKBZ", SecretKey: "Gu5t9xGAR-123456789012"}
	for _, total := range []string{"12345678", "34567890", `"123456789012"`} {
		page, err := listed(`"TotalCount":`+total).List(t.Context(), digits, job, mysql, 0)
		if err == nil || strings.Contains(err.Error(), strings.Trim(total, `"`)) || page.Total != 0 {
			t.Errorf("got %+v, %v", page, err)
		}
	}
}

// A page has up to 1 MiB, as any answer: 10 KiB for each record, of which the vendor documents none that is longer.
func TestAPageOfLongRecords(t *testing.T) {
	t.Parallel()
	page := func(size int) (importjob.Page, error) {
		item := fmt.Sprintf(`{"Status":1,"AsyncRequestId":"a","FileName":%q,"Message":%q}`, strings.Repeat("x", size), strings.Repeat(`"`, size/2))
		return listed(`"TotalCount":100,"Items":`+items(100, item)).List(t.Context(), quotable, job, mysql, 0)
	}
	got, err := page(5100)
	if err != nil || len(got.Records) != 100 || got.Records[99].AsyncRequestID != "a" || len(got.Records[99].FileName) != maxName {
		t.Errorf("1 MiB: %d records, %v", len(got.Records), err)
	}
	if _, err := page(5300); err == nil || !strings.Contains(err.Error(), "ClientError.AnswerTooLong") {
		t.Errorf("more than 1 MiB: got %v", err)
	}
}

// The request, as the vendor documents it, whatever the target's task is.
func TestTheRequestOfAListing(t *testing.T) {
	t.Parallel()
	var header http.Header
	var body []byte
	client := &Client{transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
		return answering{200, "OK", "", []byte(`{"Response":{"RequestId":"r","TotalCount":0}}`)}.RoundTrip(r)
	})}
	if _, err := client.List(t.Context(), creds, job, mysql, 300); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"X-TC-Action": "DescribeDBImportRecords", "X-TC-Version": "2017-03-20", "X-TC-Region": job.Region, "X-TC-Language": "en-US"} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	var input map[string]any
	if err := json.Unmarshal(body, &input); err != nil || len(input) != 3 || input["InstanceId"] != mysql || input["Offset"] != 300.0 || input["Limit"] != 100.0 {
		t.Errorf("the body is %s, %v", body, err)
	}
}

// checkList lists a page. It must be as the port says, and show nothing of the credentials.
func checkList(t *testing.T, client *Client, offset int) {
	t.Helper()
	page, err := client.List(t.Context(), quotable, job, mysql, offset)
	checkFits(t, err)
	if err != nil && (page.Total != 0 || page.Records != nil) {
		t.Errorf("got %+v with %v", page, err)
	}
	if want := min(max(page.Total-offset, 0), importjob.PageSize); err == nil && (page.Total < 0 || len(page.Records) != want) {
		t.Errorf("got %d records of %d from %d on", len(page.Records), page.Total, offset)
	}
	for _, record := range page.Records {
		if record.Percent < 0 || record.Percent > 100 || record.AsyncRequestID != "" && !idPattern.MatchString(record.AsyncRequestID) || !slices.Contains(states, record.State) {
			t.Errorf("got %+v", record)
		}
		for _, text := range []string{record.AsyncRequestID, record.FileName, record.DatabaseName, record.CreateTime} {
			if len(text) > maxName || !utf8.ValidString(text) || strings.ContainsFunc(text, isUnprintable) || leakOf(text) != "" {
				t.Errorf("got %q", text)
			}
		}
	}
}

var states = []importjob.RecordState{
	importjob.RecordInitializing, importjob.RecordRunning, importjob.RecordSuccessful, importjob.RecordFailed, importjob.RecordUnknown,
}

// Whatever the answer to a listing is, a call returns a page that the port allows or an error, and nothing of the credentials.
func FuzzListings(f *testing.F) {
	for _, fields := range []string{
		`"TotalCount":1,"Items":[{"Status":1,"Process":37,"AsyncRequestId":"a-1","FileName":"a.sql","DbName":"shop","CreateTime":"2017-11-09 14:26:31"}]`,
		`"TotalCount":"2","Items":[{"Status":"3","Process":null},{"DbName":"","FileName":"\u0007"}]`, `"TotalCount":0,"Items":null`, `"TotalCount":-1`,
		`"TotalCount":1,"Items":[null]`, `"TotalCount":1,"Items":[{"Status":{"a":[]},"Process":1e999,"AsyncRequestId":["a"]}]`, `"TotalCount":1,"Items":{}`,
		`"Error":{"Code":"InvalidParameter.InstanceNotFound","Message":""}`, `"TotalCount":100,"Items":` + items(100, `{"Status":1}`), `"items":[{}],"totalcount":1`,
	} {
		f.Add(0, []byte(`{"Response":{"RequestId":"r",`+fields+`}}`))
		f.Add(100, []byte(`{"Response":{"RequestId":"r",`+fields+`}}`))
	}
	f.Fuzz(func(t *testing.T, offset int, body []byte) {
		checkList(t, &Client{transport: answering{200, "OK", "application/json", body}}, max(offset, 0))
	})
}

// Whichever text of a record quotes a credential, in whichever form, it does not reach the caller. The seeds are all of these.
func FuzzQuotingListings(f *testing.F) {
	fields := []string{"FileName", "DbName", "CreateTime", "AsyncRequestId", "Status", "Process"}
	for _, form := range quotedForms(quotable) {
		for field := range fields {
			f.Add(field, "", form, "")
		}
		f.Add(0, "of ", form, ".sql")
		f.Add(1, "a"+strings.Repeat("\x00", maxName+margin-9), form, strings.Repeat("z", 5000))
	}
	f.Fuzz(func(t *testing.T, field int, before, form, after string) {
		record := map[string]string{fields[max(field, 0)%len(fields)]: before + form + after}
		body, _ := json.Marshal(map[string]any{"Response": map[string]any{"RequestId": "r", "TotalCount": 1, "Items": []any{record}}})
		checkList(t, &Client{transport: answering{200, "OK", "application/json", body}}, 0)
	})
}
