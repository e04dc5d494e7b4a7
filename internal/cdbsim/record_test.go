// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

func TestARecordIsLikeTheVendors(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{InstanceID: mysql, DatabaseName: "shop", FileName: "shop.sql.gz", FileSize: 1 << 40, Percent: 37, CreateTime: start})
	total, records, _ := c.listed(0, 100, start.Add(90*time.Second))
	want := map[string]any{
		"Status": 1, "Code": 0, "CostTime": 90, "InstanceId": records[0]["InstanceId"], "WorkId": "0", "JobId": 0, "FileName": "shop.sql.gz",
		"FileSize": "1099511627776", "Process": 37, "CreateTime": "2023-11-15 06:13:20", "Message": "", "DbName": "shop", "AsyncRequestId": task,
	}
	if total != 1 || len(records) != 1 || !maps.Equal(records[0], want) {
		t.Errorf("got %v records: %v", total, records)
	}
	if id := fmt.Sprint(records[0]["InstanceId"]); len(id) != 36 || strings.Contains(id, "cdb") {
		t.Errorf("the InstanceId is %s", id)
	}
}

// What a record says of the status over time, after a stop that was accepted.
func TestTheStatusOfARecord(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, test := range map[string]struct {
		i    Import
		want []any // before the stop, and after 0, 1, 2, … seconds
	}{
		"stopped":                   {Import{}, []any{1, 3}},
		"that had not begun":        {Import{Status: "INITIAL"}, []any{0, 3}},
		"that waits for its window": {Import{Status: "UNDEFINED"}, []any{0, 3}},
		"that runs on":              {Import{RunsOn: s, EndsAfter: s}, []any{1, 1, 1, 3}},
		"that ends successfully":    {Import{RunsOn: s, EndsAs: "SUCCESS"}, []any{1, 1, 2}},
		"that fails":                {Import{EndsAs: "FAILED"}, []any{1, 3}},
		"that is removed":           {Import{EndsAs: "REMOVED"}, []any{1, 3}},
		"null":                      {Import{EndsAs: StatusNull}, []any{1, nil}},
		"with a late record":        {Import{RunsOn: s, RecordLag: 2 * s}, []any{1, 1, 1, 1, 3}},
		"late and successful":       {Import{EndsAs: "SUCCESS", RecordLag: s}, []any{1, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.i.InstanceID, test.i.CreateTime = mysql, start
			c := newCaller(t, test.i)
			for n, want := range test.want {
				at := start.Add(time.Duration(max(n-1, 0)) * s)
				if n == 1 {
					c.want(stop, at, "")
				}
				if _, records, code := c.listed(0, 100, at); code != "" || len(records) != 1 || records[0]["Status"] != want {
					t.Errorf("at step %d: %v %s, want status %v", n, records, code, want)
				}
			}
		})
	}
}

func TestARecordOfAnImportThatEndedByItself(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{InstanceID: mysql, Percent: 37, RecordLag: time.Hour})
	i := Import{Region: region, ID: task, InstanceID: mysql, Status: "SUCCESS", Percent: 37, RecordLag: time.Hour}
	before, _, _ := c.status(time.Now())
	c.cloud.SetImport(i)
	late, percent, createTime := c.status(time.Now())
	if before != 1 || late != 1 || percent != 37 {
		t.Errorf("it said %v, and then %v with %v %%", before, late, percent)
	}
	done, percent, unchanged := c.status(time.Now().Add(time.Hour))
	if done != 2 || percent != 100 || unchanged != createTime {
		t.Errorf("an hour later it says %v with %v %%, created at %v, before at %v", done, percent, unchanged, createTime)
	}
}

// status is what the one record says at a time of the cloud's clock.
func (c *caller) status(at time.Time) (status, percent, createTime any) {
	c.Helper()
	_, records, code := c.listed(0, 100, at)
	if len(records) != 1 {
		c.Fatalf("%d records, %s", len(records), code)
	}
	return records[0]["Status"], records[0]["Process"], records[0]["CreateTime"]
}

func TestARecordCanLackAndHaveAnything(t *testing.T) {
	t.Parallel()
	fields := map[string]any{"AsyncRequestId": Omit, "DbName": nil, "Status": 7, "FileName": []string{"a"}}
	c := newCaller(t, Import{InstanceID: mysql, CreateTime: start, DatabaseName: "shop", FileName: "a", Record: fields})
	fields["Status"] = 1 // the simulator keeps a copy
	_, records, _ := c.listed(0, 100, start)
	_, found := records[0]["AsyncRequestId"]
	if name, listed := records[0]["DbName"]; found || !listed || name != nil || records[0]["Status"] != 7 || fmt.Sprint(records[0]["FileName"]) != "[a]" {
		t.Errorf("got %v", records)
	}
}
