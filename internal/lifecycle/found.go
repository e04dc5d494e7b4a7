// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"fmt"
	"strings"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

const (
	// recordDelay is after which time an import that is not listed is looked for once more: records can appear late.
	recordDelay = 10 * time.Second
	// maxCandidates is how many of several imports that match are in status.
	maxCandidates = 10
)

// applyList writes what the listing of an instance said, or why there is none.
func applyList(object *cdbv1.ImportJobStop, r *Result) {
	begin(object, r.At)
	found := r.Found
	if r.Err != nil {
		applyNoListing(object, r)
		return
	}
	instance := object.Spec.Target().Import.InstanceID
	switch found.certainty {
	case nothingYet:
		tell(object, r.At, progressing, cdbv1.ReasonRetryScheduled, recordDelay, notListedText(found)+"; looking once more, since records can appear late")
	case unsteady:
		tell(object, r.At, progressing, cdbv1.ReasonRetryScheduled, listBackoff(found.unsteady, r), fmt.Sprintf(
			"the list of the imports on %s keeps changing while the operator reads it; nothing is sent, reading it again", instance))
	case tooMany:
		tell(object, r.At, failed, cdbv1.ReasonInvalidRequest, 0, fmt.Sprintf(
			"%s has %d import records, and the operator reads at most %d; set spec.asyncRequestId and remove spec.import", instance, found.total, maxRecords))
	default:
		if found.target.AsyncRequestID == "" {
			applySearch(object, r)
		} else {
			applyCheck(object, r)
		}
	}
}

// applySearch freezes the one import that was found, and stops none if there are several.
func applySearch(object *cdbv1.ImportJobStop, r *Result) {
	found := r.Found
	switch {
	case found.isNothing():
		tell(object, r.At, failed, cdbv1.ReasonImportNotFound, 0, notListedText(found))
	case len(found.matches) > 1:
		tell(object, r.At, failed, cdbv1.ReasonImportAmbiguous, 0, fmt.Sprintf(
			"%d running imports match %s, so nothing is sent; status.candidates lists them: set spec.asyncRequestId to one of them", len(found.matches), filters(object)))
		for _, match := range found.matches[:min(len(found.matches), maxCandidates)] {
			object.Status.Candidates = append(object.Status.Candidates, *recordOf(object, r, &match))
		}
	case found.matches[0].AsyncRequestID == "":
		tell(object, r.At, progressing, cdbv1.ReasonRetryScheduled, recordDelay, fmt.Sprintf(
			"%s, but the cloud lists it without an id; looking again", recordInWords(object, &found.matches[0])))
	default:
		keepFound(object, r, &found.matches[0])
	}
}

// applyCheck compares the import that has the id with the filter.
func applyCheck(object *cdbv1.ImportJobStop, r *Result) {
	found, id := r.Found, r.Found.target.AsyncRequestID
	if found.isNothing() {
		tell(object, r.At, failed, cdbv1.ReasonImportMismatch, 0, notListedText(found)+"; nothing is sent")
		return
	}
	if !isMatch(found.target.Import, found.record) {
		tell(object, r.At, failed, cdbv1.ReasonImportMismatch, 0, fmt.Sprintf(
			"%s has the id %s, and does not match %s; nothing is sent", recordInWords(object, found.record), id, filters(object)))
		return
	}
	keepFound(object, r, found.record)
}

// keepFound freezes an import: from now on, this one is meant and no other.
func keepFound(object *cdbv1.ImportJobStop, r *Result, record *importjob.Record) {
	status := &object.Status
	status.Target.AsyncRequestID, status.Import = record.AsyncRequestID, recordOf(object, r, record)
	message := fmt.Sprintf("%s (matched by %s)", recordInWords(object, record), filters(object))
	switch {
	case record.State == importjob.RecordSuccessful:
		tell(object, r.At, failed, cdbv1.ReasonImportAlreadyFinished, 0, message+": there is nothing to stop")
	case record.State == importjob.RecordFailed && object.Spec.Suspend:
		tell(object, r.At, progressing, cdbv1.ReasonSuspended, 0, message+": there is nothing to stop")
	case record.State == importjob.RecordFailed:
		tell(object, r.At, progressing, cdbv1.ReasonStopping, 0, message+": asking the cloud how it ended")
	case object.Spec.Suspend:
		tell(object, r.At, progressing, cdbv1.ReasonSuspended, 0, message+"; set spec.suspend to false to stop it")
	default:
		tell(object, r.At, progressing, cdbv1.ReasonStopping, 0, message+": stopping it")
	}
}

// tell says what a look at the import found. The Ready of a suspended object stays Suspended: its message is a preview.
func tell(object *cdbv1.ImportJobStop, at time.Time, p phase, reason string, delay time.Duration, message string) {
	status := &object.Status
	status.NextAttemptTime, status.Candidates = nil, nil
	if delay > 0 {
		status.NextAttemptTime = microTime(at.Add(delay))
	}
	if object.Spec.Suspend {
		status.StartTime = nil
		if reason != cdbv1.ReasonCredentialsNotFound && reason != cdbv1.ReasonCredentialsRejected {
			status.WaitingSince = nil
		} else if status.WaitingSince == nil || readyOf(status).Reason != cdbv1.ReasonSuspended {
			status.WaitingSince = secondTime(at)
		}
		setPhase(object, progressing, cdbv1.ReasonSuspended, "held back; "+message, at)
		return
	}
	setPhase(object, p, reason, message, at)
}

// applyNoListing goes on where the imports cannot be listed.
func applyNoListing(object *cdbv1.ImportJobStop, r *Result) {
	instance := object.Spec.Target().Import.InstanceID
	message := fmt.Sprintf("the imports on %s cannot be listed: %s", instance, r.Err.Error())
	switch r.Err.Class {
	case importjob.Rejected:
		tell(object, r.At, stalled, cdbv1.ReasonCredentialsRejected, CredentialsRetry, message+fmt.Sprintf(
			`; allow the action cdb:DescribeDBImportRecords on qcs::cdb:$region:$account:instanceId/%s, or correct the Secret`, instance))
	case importjob.NotFound, importjob.Terminal:
		tell(object, r.At, failed, reasonOf(r.Err.Class), 0, message+"; check import.instanceId, region, site and account")
	default:
		tell(object, r.At, progressing, cdbv1.ReasonRetryScheduled, listBackoff(r.Attempt, r), message)
	}
}

// listBackoff is at least one second: a listing can have many pages.
func listBackoff(attempt int32, r *Result) time.Duration {
	return max(backoff(attempt, r.Jitter), time.Second)
}

// notListedText says that the import is not listed, and what is.
func notListedText(found *Finding) string {
	what, instance := "no running import matches "+filterNames(found.target.Import), found.target.Import.InstanceID
	if id := found.target.AsyncRequestID; id != "" {
		what = fmt.Sprintf("no import has the id %s", id)
	}
	if found.newest == nil {
		return fmt.Sprintf("%s: %s has no import records", what, instance)
	}
	newest := found.newest
	return fmt.Sprintf("%s: the newest of %d on %s is %s of %s, which is %s", what, found.total, instance,
		nameOf(newest), orUnknown(newest.CreateTime), strings.ToLower(string(newest.State)))
}

// recordInWords says what an import is and how far it is.
func recordInWords(object *cdbv1.ImportJobStop, record *importjob.Record) string {
	into := ""
	if record.DatabaseName != "" {
		into = " into " + record.DatabaseName
	}
	text := fmt.Sprintf("%s%s on %s is %s", nameOf(record), into, object.Spec.Target().Import.InstanceID, strings.ToLower(string(record.State)))
	if isUnfinished(record) {
		text += fmt.Sprintf(", %d %%", record.Percent)
	}
	return text
}

func nameOf(record *importjob.Record) string {
	if record.FileName != "" {
		return record.FileName
	}
	return "the import " + orUnknown(record.AsyncRequestID)
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

// filters names the filters that counted. An API server that drops unknown fields drops a misspelt filter, and more imports match than its
// author meant.
func filters(object *cdbv1.ImportJobStop) string { return filterNames(object.Spec.Target().Import) }

func filterNames(f cdbv1.ImportFilter) string {
	names := "instanceId " + f.InstanceID
	if f.DatabaseName != "" {
		names += ", databaseName " + f.DatabaseName
	}
	if f.FileName != "" {
		names += ", fileName " + f.FileName
	}
	return names
}

// recordOf is a listed import as status has it.
func recordOf(object *cdbv1.ImportJobStop, r *Result, record *importjob.Record) *cdbv1.ImportRecord {
	return &cdbv1.ImportRecord{
		AsyncRequestID: record.AsyncRequestID, InstanceID: object.Spec.Target().Import.InstanceID,
		DatabaseName: record.DatabaseName, FileName: record.FileName, ProgressPercent: int32(min(max(record.Percent, 0), 100)),
		State: cdbv1.ImportState(record.State), CreateTime: record.CreateTime, ObservedTime: secondTime(r.At),
	}
}
