// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"strings"
	"testing"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// Who acts without a second person is told when the operator begins, each time it does, and not afterwards; what was approved since is no news.
func TestABrokenGlassIsTold(t *testing.T) {
	t.Parallel()
	alone := func(o *cdbv1.ImportJobStop) { o.Annotations = map[string]string{cdbv1.BreakGlassByAnnotation: "ann"} }
	approved := func(o *cdbv1.ImportJobStop) { o.Annotations[cdbv1.ApprovedByAnnotation] = "bob" }
	resume := func(o *cdbv1.ImportJobStop) { o.Spec.Suspend, o.Generation = false, o.Generation+1 }
	terminal := stopAnswered(importjob.Terminal)
	edit := func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = "c-d" }
	retry := func(o *cdbv1.ImportJobStop) { o.Annotations[cdbv1.RetryRequestedAtAnnotation] = "now" }
	for name, test := range map[string]struct {
		before, after *cdbv1.ImportJobStop
		isTold        bool
	}{
		"at the first attempt":     {after(alone), after(alone, attempt), true},
		"at its result":            {after(alone, attempt), after(alone, attempt, accept), false},
		"at the next attempt":      {after(alone, attempt, accept), after(alone, attempt, accept, attempt), false},
		"suspended from the start": {after(alone, hold), after(alone, hold, suspend(noon)), false},
		"resumed":                  {after(alone, hold, suspend(noon)), after(alone, hold, suspend(noon), resume, attempt), true},
		"suspended, edited and resumed, before anybody saw it": {after(alone, attempt, terminal), after(alone, attempt, terminal, resume, edit, resume, attempt), true},
		"the same, while an attempt is under way":              {after(alone, attempt), after(alone, attempt, resume, edit, resume, attempt), true},
		"suspended again, before anybody saw it":               {after(alone, attempt, terminal), after(alone, attempt, terminal, hold, resume, hold, suspend(noon)), false},
		"retried":                                              {after(alone, attempt, terminal), after(alone, attempt, terminal, retry, startOver(noon)), true},
		"after the retry":                                      {after(alone, attempt, terminal, retry, startOver(noon)), after(alone, attempt, terminal, retry, startOver(noon), attempt), false},
		"looked at again":                                      {after(alone, hold, suspend(noon)), after(alone, hold, suspend(noon), retry, suspend(noon)), false},
		"retried, as approved":                                 {after(alone, approved, attempt, terminal), after(alone, approved, attempt, terminal, retry, startOver(noon)), false},
		"approved since":                                       {after(alone, hold, suspend(noon)), after(alone, hold, suspend(noon), approved, resume, attempt), false},
		"an ordinary object":                                   {after(), after(attempt), false},
	} {
		var isTold bool
		for _, e := range Events(test.after, &test.before.Status) {
			isTold = isTold || e == (Event{"Warning", cdbv1.ReasonBreakGlass, "without a second person, by ann"})
		}
		if isTold != test.isTold {
			t.Errorf("%s: told is %t", name, isTold)
		}
	}
	long := after(func(o *cdbv1.ImportJobStop) {
		o.Annotations = map[string]string{cdbv1.BreakGlassByAnnotation: strings.Repeat("ä", 10_000)}
	}, attempt)
	for _, e := range Events(long, &cdbv1.ImportJobStopStatus{}) {
		if len(e.Message) > 1024 {
			t.Errorf("the event has %d bytes", len(e.Message))
		}
	}
}
