// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"testing"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// onlyIf is the time, or zero if it means nothing.
func onlyIf(since time.Time, is bool) time.Time {
	if !is {
		return time.Time{}
	}
	return since
}

func TestSinceWhenAnObjectIsUnfinishedOrFailed(t *testing.T) {
	t.Parallel()
	created, started := noon.Add(-time.Hour), noon.Add(-time.Minute)
	at := func(start bool, changes ...Change) *cdbv1.ImportJobStop {
		object := after(changes...)
		object.CreationTimestamp = *secondTime(created)
		object.Status.StartTime = nil
		if start {
			object.Status.StartTime = secondTime(started)
		}
		return object
	}
	for name, test := range map[string]struct {
		object             *cdbv1.ImportJobStop
		unfinished, failed time.Time // zero: it is not
	}{
		"new":                  {object: at(false), unfinished: created},
		"begun":                {object: at(true, attempt), unfinished: started},
		"suspended":            {object: at(false, hold, suspendNoon)},
		"accepted":             {object: at(true, attempt, accept)},
		"refused for good":     {object: at(true, attempt, stopAnswered(importjob.Terminal)), failed: noon},
		"refused, tried again": {object: at(true, attempt, rejected), unfinished: started, failed: noon},
	} {
		if got := onlyIf(UnfinishedSince(test.object)); !got.Equal(test.unfinished) {
			t.Errorf("%s: unfinished since %s, want %s", name, got, test.unfinished)
		}
		if got := onlyIf(FailedSince(test.object)); !got.Equal(test.failed) {
			t.Errorf("%s: failed since %s, want %s", name, got, test.failed)
		}
	}
}
