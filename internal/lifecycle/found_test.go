// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"strings"
	"testing"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

var (
	byInstance = spec(func(s *cdbv1.ImportJobStopSpec) {
		s.AsyncRequestID, s.Import = "", &cdbv1.ImportFilter{InstanceID: "cdb-1"}
	})
	byDatabase = spec(func(s *cdbv1.ImportJobStopSpec) {
		s.AsyncRequestID, s.Import = "", &cdbv1.ImportFilter{InstanceID: "cdb-1", DatabaseName: "shop"}
	})
	byFile = spec(func(s *cdbv1.ImportJobStopSpec) {
		s.AsyncRequestID, s.Import = "", &cdbv1.ImportFilter{InstanceID: "cdb-1", FileName: "shop.sql"}
	})
	guarded = spec(func(s *cdbv1.ImportJobStopSpec) {
		s.Import = &cdbv1.ImportFilter{InstanceID: "cdb-1", DatabaseName: "shop"}
	})
	pinned      = spec(func(s *cdbv1.ImportJobStopSpec) { s.AsyncRequestID = "a-b" })
	resumed     = spec(func(s *cdbv1.ImportJobStopSpec) { s.Suspend = false })
	suspendNoon = suspend(noon)
)

// record is a listed import of the file shop.sql.
func record(id string, state importjob.RecordState, database string) importjob.Record {
	return importjob.Record{AsyncRequestID: id, State: state, DatabaseName: database, FileName: "shop.sql", Percent: 37, CreateTime: "2026-01-02 11:00:00"}
}

// listed is a lookup in which each listing has these records, applied as far as it comes.
func listed(records ...importjob.Record) Change {
	return func(object *cdbv1.ImportJobStop) {
		lookup := NewLookup(object)
		r := NewResult(object, importjob.ActionList, 0.5)
		r.At = noon
		for r.Found == nil || !r.Found.IsFinal() {
			r.Found = lookup.Add(importjob.Page{Total: len(records), Records: records})
		}
		ApplyResult(object, r)
	}
}

// once is the first finding that is worth writing.
func once(pages ...importjob.Page) Change {
	return func(object *cdbv1.ImportJobStop) {
		lookup := NewLookup(object)
		r := NewResult(object, importjob.ActionList, 0.5)
		r.At = noon
		for _, page := range pages {
			r.Found = lookup.Add(page)
		}
		ApplyResult(object, r)
	}
}

func notListed(class importjob.Class) Change {
	return func(object *cdbv1.ImportJobStop) {
		r := NewResult(object, importjob.ActionList, 0.5)
		r.At, r.Err = noon, &importjob.Error{Class: class, Code: "Some.Code", Message: "no policy"}
		ApplyResult(object, r)
	}
}

func page(total int, records ...importjob.Record) importjob.Page {
	return importjob.Page{Total: total, Records: records}
}

func TestWhatALookupMeans(t *testing.T) {
	t.Parallel()
	running, done, broken := record("a-b", importjob.RecordRunning, "shop"), record("a-b", importjob.RecordSuccessful, "shop"), record("a-b", importjob.RecordFailed, "shop")
	other, nameless, strange := record("c-d", importjob.RecordInitializing, "other"), record("", importjob.RecordRunning, "shop"), record("e-f", importjob.RecordUnknown, "shop")
	newest := record("e-f", importjob.RecordSuccessful, "new")
	newest.CreateTime = "2026-01-02 11:30:00"
	timeless := other
	timeless.CreateTime = ""
	many := page(maxRecords+1, running)
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		next   importjob.Action // empty: nothing more, or not yet
		ready  string
		says   string
	}{
		"new":                      {after(byInstance), importjob.ActionList, " ", ""},
		"one":                      {after(byInstance, listed(running)), importjob.ActionStop, "Unknown Stopping", "shop.sql into shop on cdb-1 is running, 37 %"},
		"one of this database":     {after(byDatabase, listed(running, other, strange)), importjob.ActionStop, "Unknown Stopping", "instanceId cdb-1, databaseName shop"},
		"one of this file":         {after(byFile, listed(running)), importjob.ActionStop, "Unknown Stopping", "instanceId cdb-1, fileName shop.sql"},
		"into no known database":   {after(byInstance, listed(record("a-b", importjob.RecordRunning, ""))), importjob.ActionStop, "Unknown Stopping", "shop.sql on cdb-1 is running"},
		"none":                     {after(byDatabase, listed(other, done)), "", "False ImportNotFound", "the newest of 2 on cdb-1"},
		"none, the newest first":   {after(byDatabase, listed(newest, other)), "", "False ImportNotFound", "of 2026-01-02 11:30:00"},
		"none, of no known time":   {after(byDatabase, listed(timeless)), "", "False ImportNotFound", "shop.sql of unknown, which"},
		"none, the newest last":    {after(byDatabase, listed(other, newest)), "", "False ImportNotFound", "of 2026-01-02 11:30:00"},
		"no records":               {after(byInstance, listed()), "", "False ImportNotFound", "cdb-1 has no import records"},
		"none yet":                 {after(byInstance, once(page(0))), "", "Unknown RetryScheduled", "looking once more"},
		"several":                  {after(byInstance, listed(running, other)), "", "False ImportAmbiguous", "2 running imports match"},
		"without an id":            {after(byInstance, listed(nameless)), "", "Unknown RetryScheduled", "without an id"},
		"keeps changing":           {after(byInstance, once(page(1, running), page(2, running, other), page(1, running))), "", "Unknown RetryScheduled", "keeps changing"},
		"too many":                 {after(byInstance, once(many)), "", "False InvalidRequest", "at most 20000"},
		"found, an attempt":        {after(byInstance, listed(running), attempt), importjob.ActionStop, "Unknown Stopping", "attempt 1"},
		"found, accepted":          {after(byInstance, listed(running), attempt, accept), "", "True StopAccepted", "r-1"},
		"found, over":              {after(byInstance, listed(running), attempt, stopAnswered(importjob.Ambiguous)), importjob.ActionDescribe, "Unknown RetryScheduled", ""},
		"found, then pinned":       {after(byInstance, listed(running), pinned), importjob.ActionStop, "Unknown Stopping", ""},
		"found, then another":      {after(byInstance, listed(running), elsewhere), "", "Unknown Stopping", ""},
		"by Flux":                  {after(byInstance, byFlux, listed(running), RequirePin(noon)), "", "False ImportNotPinned", "set spec.asyncRequestId to a-b"},
		"by Flux, pinned":          {after(byInstance, byFlux, listed(running), RequirePin(noon), pinned), importjob.ActionStop, "False ImportNotPinned", ""},
		"guard passed":             {after(guarded, listed(running, other)), importjob.ActionStop, "Unknown Stopping", "37 %"},
		"guard of another":         {after(guarded, listed(record("a-b", importjob.RecordRunning, "other"))), "", "False ImportMismatch", "does not match"},
		"guard without database":   {after(guarded, listed(record("a-b", importjob.RecordRunning, ""))), "", "False ImportMismatch", "does not match"},
		"guard, not there":         {after(guarded, listed(other)), "", "False ImportMismatch", "no import has the id a-b"},
		"guard, not there yet":     {after(guarded, once(page(1, other))), "", "Unknown RetryScheduled", "looking once more"},
		"guard, successful":        {after(guarded, listed(done)), "", "False ImportAlreadyFinished", "successful"},
		"guard, failed":            {after(guarded, listed(broken)), importjob.ActionDescribe, "Unknown Stopping", "asking the cloud"},
		"guard, failed, killed":    {after(guarded, listed(broken), described(importjob.StatusKilled)), "", "True AlreadyStopped", ""},
		"guard, failed, but runs":  {after(guarded, listed(broken), described(importjob.StatusRunning)), "", "Unknown RetryScheduled", "not over"},
		"guard, mismatch, removed": {after(guarded, listed(other), byDatabase), "", "False ImportMismatch", ""},
		"not allowed":              {after(byInstance, notListed(importjob.Rejected)), "", "False CredentialsRejected", "qcs::cdb:$region:$account:instanceId/cdb-1"},
		"no such instance":         {after(byInstance, notListed(importjob.NotFound)), "", "False ImportNotFound", "check import.instanceId"},
		"not answered":             {after(byInstance, notListed(importjob.Transient)), "", "Unknown RetryScheduled", "cannot be listed"},
		"a lost record":            {after(byInstance, func(o *cdbv1.ImportJobStop) { RecordAttempt(noon)(o) }), "", "Unknown Stopping", ""},
		"preview, not looked at":   {after(byInstance, hold, suspendNoon), importjob.ActionList, "Unknown Suspended", "held back"},
		"preview":                  {after(byInstance, hold, suspendNoon, listed(running)), "", "Unknown Suspended", "held back; shop.sql into shop on cdb-1 is running, 37 %"},
		"preview of several":       {after(byInstance, hold, suspendNoon, listed(running, other)), "", "Unknown Suspended", "2 running imports"},
		"preview of none":          {after(byInstance, hold, suspendNoon, listed()), "", "Unknown Suspended", "no import records"},
		"preview, failed":          {after(guarded, hold, suspendNoon, listed(broken)), "", "Unknown Suspended", "failed (matched by instanceId cdb-1, databaseName shop): there is nothing to stop"},
		"preview, not allowed":     {after(byInstance, hold, suspendNoon, notListed(importjob.Rejected)), "", "Unknown Suspended", "cdb:DescribeDBImportRecords"},
		"preview, no Secret":       {after(byInstance, hold, suspendNoon, WaitForCredentials(noon, "no Secret")), "", "Unknown Suspended", "no Secret"},
		"preview, resumed":         {after(byInstance, hold, suspendNoon, listed(running), resumed), importjob.ActionStop, "Unknown Suspended", ""},
		"preview, over, resumed":   {after(byInstance, hold, suspendNoon, listed(running), tryAgain, suspendNoon, listed(done), resumed), importjob.ActionDescribe, "Unknown Suspended", ""},
		"preview again":            {after(byInstance, hold, suspendNoon, listed(running), tryAgain, suspendNoon), importjob.ActionList, "Unknown Suspended", ""},
		"preview of an id":         {after(hold, suspendNoon), importjob.ActionDescribe, "Unknown Suspended", ""},
	} {
		ready := readyOf(&test.object.Status)
		if got := string(ready.Status) + " " + ready.Reason; got != test.ready || !strings.Contains(ready.Message, test.says) {
			t.Errorf("%s: Ready is %s: %s; want %s: %s", name, got, ready.Message, test.ready, test.says)
		}
		if got := Next(test.object, noon, false).Action; got != test.next {
			t.Errorf("%s: next is %q, want %q", name, got, test.next)
		}
	}
}

func TestThePreviewOfAnID(t *testing.T) {
	t.Parallel()
	object := after(hold, suspendNoon)
	r := NewResult(object, importjob.ActionDescribe, 0)
	r.At, r.Status = noon, importjob.StatusRunning
	ApplyResult(object, r)
	ready := readyOf(&object.Status)
	if ready.Reason != cdbv1.ReasonSuspended || !strings.Contains(ready.Message, "a-b is RUNNING") || object.Status.StartTime != nil {
		t.Errorf("%+v", object.Status)
	}
	if step := Next(object, noon.Add(time.Hour), false); step.Action != "" {
		t.Errorf("it is looked at again: %s", step.Action)
	}
	resumed(object)
	if r.Belongs(object) {
		t.Error("a preview is written into an object that was resumed")
	}
}

// Another leader has frozen another import meanwhile, or found the same.
func TestAFindingDoesNotReplaceAnother(t *testing.T) {
	t.Parallel()
	object := after(byInstance)
	r := NewResult(object, importjob.ActionList, 0)
	if !r.Belongs(object) {
		t.Error("a finding does not belong to the object that it was looked for")
	}
	listed(record("c-d", importjob.RecordRunning, "shop"))(object)
	if r.Belongs(object) {
		t.Error("a finding replaces the import that is frozen")
	}
}

func TestWhatIsFoundIsInStatus(t *testing.T) {
	t.Parallel()
	object := after(byInstance, listed(record("a-b", importjob.RecordRunning, "shop")))
	want := cdbv1.ImportRecord{
		AsyncRequestID: "a-b", InstanceID: "cdb-1", DatabaseName: "shop", FileName: "shop.sql", ProgressPercent: 37,
		State: cdbv1.ImportRunning, CreateTime: "2026-01-02 11:00:00", ObservedTime: secondTime(noon),
	}
	if got := *object.Status.Import; got != want && (got.ObservedTime == nil || !got.ObservedTime.Equal(want.ObservedTime)) {
		t.Errorf("%+v", got)
	}
	if got := object.Status.Target.AsyncRequestID; got != "a-b" {
		t.Errorf("status.target names %q", got)
	}
	many := make([]importjob.Record, maxCandidates+1)
	for i := range many {
		many[i] = record("a-"+string(rune('a'+i)), importjob.RecordRunning, "shop")
	}
	if got := len(after(byInstance, listed(many...)).Status.Candidates); got != maxCandidates {
		t.Errorf("%d candidates", got)
	}
}
