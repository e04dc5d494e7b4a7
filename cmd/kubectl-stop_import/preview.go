// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// preview is how far the operator is with looking at the import of a suspended object.
type preview int

const (
	looking preview = iota // it is not known yet
	found                  // one import, which is not over
	several                // more than one matches
	nothing                // none matches, or it is over, or it cannot be looked at without somebody's help; the message of Ready says which
)

// soon is within which time the operator looks again by itself when a person need not do anything.
const soon = time.Minute

// previewOf says what the status of a suspended object tells.
func previewOf(o *cdbv1.ImportJobStop, now time.Time) preview {
	ready, status := readyOf(o), &o.Status
	switch {
	case ready == nil || ready.Reason != cdbv1.ReasonSuspended:
		return looking
	case status.Import != nil && isUnfinished(status.Import.State) && status.Import.AsyncRequestID != "":
		return found
	case status.Import != nil:
		return nothing
	case len(status.Candidates) > 0:
		return several
	case status.NextAttemptTime != nil && status.NextAttemptTime.Time.Before(now.Add(soon)):
		return looking
	}
	return nothing
}

func isUnfinished(state cdbv1.ImportState) bool {
	return state == cdbv1.ImportInitializing || state == cdbv1.ImportRunning
}

// atOnce is within which time the operator looks before anybody has read the message: the creation is known to the second.
const atOnce = 2 * time.Second

// previewText is the message of Ready without the two words that every preview begins with. It is empty where the operator is about to look.
func previewText(o *cdbv1.ImportJobStop, now time.Time) string {
	ready, next := readyOf(o), o.Status.NextAttemptTime
	if ready == nil || (next != nil && next.Time.Before(now.Add(atOnce))) {
		return ""
	}
	return strings.TrimPrefix(ready.Message, "held back; ")
}

// choices are the imports that a preview lists.
func choices(o *cdbv1.ImportJobStop) []cdbv1.ImportRecord {
	if o.Status.Import != nil {
		return []cdbv1.ImportRecord{*o.Status.Import}
	}
	return o.Status.Candidates
}

// table of imports. With numbers, each begins with the one to type.
func table(records []cdbv1.ImportRecord, isNumbered bool) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	number := func(string) string { return "" }
	if isNumbered {
		number = func(s string) string { return s + "\t" }
	}
	_, _ = fmt.Fprintf(w, "  %sIMPORT\tFILE\tDATABASE\tPROGRESS\tSTATE\tCREATED\n", number("#"))
	for i, r := range records {
		cells := []string{r.AsyncRequestID, r.FileName, r.DatabaseName, fmt.Sprintf("%d %%", r.ProgressPercent), string(r.State), r.CreateTime}
		for j, cell := range cells {
			cells[j] = strings.Map(func(c rune) rune {
				if c == '\n' {
					return ' '
				}
				return c
			}, printable(cell))
			if cell == "" {
				cells[j] = "<unknown>"
			}
		}
		_, _ = fmt.Fprintf(w, "  %s%s\n", number(strconv.Itoa(i+1)), strings.Join(cells, "\t"))
	}
	_ = w.Flush()
	return strings.TrimSuffix(text.String(), "\n")
}

var (
	errNo       = errors.New("you said no: nothing is stopped")
	errNoChoice = errors.New("is not a number from the list")
)

// chosen is the import that a reply names. No reply chooses none.
func chosen(reply string, records []cdbv1.ImportRecord) (id string, err error) {
	if reply == "" || isNo(reply) {
		return "", errNo
	}
	number, err := strconv.Atoi(reply)
	if err != nil || number < 1 || number > len(records) {
		return "", fmt.Errorf("%q %w: type one from 1 to %d, or only Enter to stop none", printable(reply), errNoChoice, len(records))
	}
	if id := records[number-1].AsyncRequestID; id != "" {
		return id, nil
	}
	return "", fmt.Errorf("%d %w that can be stopped: the cloud lists it without an id; try again later", number, errNoChoice)
}

func isNo(reply string) bool {
	return slices.Contains([]string{"n", "no", "q"}, strings.ToLower(reply))
}

func isYes(reply string) bool { return slices.Contains([]string{"y", "yes"}, strings.ToLower(reply)) }

// failureOf is why the object needs a person, with what to do; nil when it does not.
func failureOf(o *cdbv1.ImportJobStop) error {
	ready := readyOf(o)
	if ready == nil || ready.Status != metav1.ConditionFalse {
		return nil
	}
	how := "has failed"
	if o.Status.CompletionTime == nil { // as without credentials: it has not ended
		how = "needs you, and then goes on by itself"
	}
	return fmt.Errorf("importjobstop %s %s: %s: %s\n%s", o.Name, how, ready.Reason, printable(ready.Message), remedyOf(o))
}
