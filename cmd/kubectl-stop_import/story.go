// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// story tells what happened to an object in the order in which it happened, how it is, and what to do.
func story(o *cdbv1.ImportJobStop) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, e := range chapters(o) {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", e.step, e.when(), strings.ReplaceAll(printable(e.text), "\n", " "))
	}
	_ = w.Flush()
	ready := readyOf(o)
	if ready == nil {
		_, _ = fmt.Fprintf(&text, "\nThe operator has not seen the spec as it is now.\n")
	} else {
		_, _ = fmt.Fprintf(&text, "\n%s: %s\n", ready.Reason, printable(ready.Message))
	}
	if remedy := remedyOf(o); remedy != "" {
		_, _ = fmt.Fprintf(&text, "\n%s\n", remedy)
	}
	return printable(text.String())
}

// chapter is one step of a story. The zero time is not known.
type chapter struct {
	step string
	at   time.Time
	text string
}

func (e chapter) when() string {
	if e.at.IsZero() {
		return "-"
	}
	return e.at.UTC().Format(time.RFC3339)
}

func chapters(o *cdbv1.ImportJobStop) []chapter {
	list := []chapter{{"asked", o.CreationTimestamp.Time, fmt.Sprintf("stop %s, with the Secret %s", targetInWords(o), o.Spec.CredentialsSecretRef.Name)}}
	return append(append(append(list, foundOf(o)...), sentOf(o)...), endedOf(o)...)
}

// foundOf tells which import was found, and what the object waited for before the call.
func foundOf(o *cdbv1.ImportJobStop) (list []chapter) {
	status := &o.Status
	switch found := status.Import; {
	case found != nil:
		e := chapter{step: "found", text: recordInWords(found)}
		if found.ObservedTime != nil {
			e.at = found.ObservedTime.Time
		}
		list = append(list, e)
	case len(status.Candidates) > 0:
		e := chapter{step: "found", text: fmt.Sprintf("%d that match, of which none is stopped:", len(status.Candidates))}
		list = append(list, e)
		for i := range status.Candidates {
			list = append(list, chapter{text: recordInWords(&status.Candidates[i])})
		}
	}
	ready := readyOf(o)
	if status.WaitingSince == nil || ready == nil {
		return list
	}
	e := chapter{step: "queued", at: status.WaitingSince.Time, text: "for the cloud's quota"}
	if ready.Reason == cdbv1.ReasonCredentialsNotFound || ready.Reason == cdbv1.ReasonSuspended {
		e.step, e.text = "waiting", "for the Secret "+o.Spec.CredentialsSecretRef.Name
	} else if status.NextAttemptTime != nil {
		e.text += ", its turn is expected at " + status.NextAttemptTime.UTC().Format(time.RFC3339)
	}
	return append(list, e)
}

// sentOf tells of the latest call, and of the next one.
func sentOf(o *cdbv1.ImportJobStop) (list []chapter) {
	status, last := &o.Status, o.Status.LastAttempt
	if last != nil {
		text := fmt.Sprintf("attempt %d", status.Attempts)
		if last.RequestID != "" {
			text += ", RequestId " + last.RequestID
		}
		switch {
		case last.EndTime == nil:
			text += ", no answer is known: it may have stopped the import"
		case last.ErrorCode != "":
			text += ", refused: " + last.ErrorCode
		}
		list = append(list, chapter{"sent", last.StartTime.Time, text})
	}
	if status.NextAttemptTime != nil && !o.Spec.Suspend && status.WaitingSince == nil {
		list = append(list, chapter{"next", status.NextAttemptTime.Time, "the operator goes on"})
	}
	return list
}

// endedOf tells of the acceptance and of the end.
func endedOf(o *cdbv1.ImportJobStop) (list []chapter) {
	status := &o.Status
	if status.RequestID != "" {
		e := chapter{step: "accepted", text: "RequestId " + status.RequestID}
		if c := meta.FindStatusCondition(status.Conditions, cdbv1.ConditionAccepted); c != nil {
			e.at = c.LastTransitionTime.Time
		}
		list = append(list, e)
	}
	if status.CompletionTime == nil {
		return list
	}
	text := "no more is done"
	if status.ImportStatus != "" {
		text = "the import is " + status.ImportStatus
	}
	return append(list, chapter{"ended", status.CompletionTime.Time, text})
}

// targetInWords says what an object is to stop.
func targetInWords(o *cdbv1.ImportJobStop) string {
	target := o.Spec.Target()
	text := "the import"
	if target.AsyncRequestID != "" {
		text += " " + target.AsyncRequestID
	}
	if f := target.Import; f.InstanceID != "" {
		text += " on " + f.InstanceID
		if f.DatabaseName != "" {
			text += " into " + f.DatabaseName
		}
		if f.FileName != "" {
			text += " of " + f.FileName
		}
	}
	text += " in " + target.Region
	if target.Site != cdbv1.SiteChina {
		text += " (" + string(target.Site) + ")"
	}
	return text
}

func recordInWords(r *cdbv1.ImportRecord) string {
	text := r.AsyncRequestID
	if text == "" {
		text = "one without an id"
	}
	if r.FileName != "" {
		text += ", " + r.FileName
	}
	if r.DatabaseName != "" {
		text += " into " + r.DatabaseName
	}
	text += ", " + strings.ToLower(string(r.State))
	if isUnfinished(r.State) {
		text += fmt.Sprintf(", %d %%", r.ProgressPercent)
	}
	return text
}

// cannotRetry says why a retry would do nothing.
func cannotRetry(o *cdbv1.ImportJobStop) error {
	ready := readyOf(o)
	switch {
	case ready == nil:
		return nil
	case ready.Reason == cdbv1.ReasonImportAlreadyFinished:
		return failureOf(o)
	case isDone(o):
		return fmt.Errorf("importjobstop %s is done: %s: %s", o.Name, ready.Reason, printable(ready.Message))
	}
	return nil
}

// cannotSuspend says why there is nothing to suspend.
func cannotSuspend(o *cdbv1.ImportJobStop) error {
	switch {
	case o.Status.RequestID != "":
		return fmt.Errorf("the stop of importjobstop %s was accepted, RequestId %s: there is nothing to suspend", o.Name, o.Status.RequestID)
	case isDone(o):
		return fmt.Errorf("importjobstop %s is done: there is nothing to suspend", o.Name)
	}
	return nil
}

// cannotResume says why the object would not go on.
func cannotResume(o *cdbv1.ImportJobStop) error {
	switch failure := failureOf(o); {
	case failure != nil && !o.Spec.Suspend:
		return failure
	case !o.Spec.Suspend:
		return fmt.Errorf("importjobstop %s is not suspended", o.Name)
	case len(o.Status.Candidates) > 0 && o.Spec.AsyncRequestID == "":
		return errors.New("several imports match, and none would be stopped:\n" + table(o.Status.Candidates, false) + "\n" + remedyOf(o))
	}
	return nil
}
