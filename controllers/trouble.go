// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
)

// recently is how long an alert fires for a failure. The record of it stays, and must not alert for ever.
const recently = time.Hour

// Trouble is what somebody may have to look at: objects of one namespace whose Ready has one reason.
type Trouble struct {
	Namespace, Reason string // Reason is None for objects without one yet
	// RecentlyFailed is the number of objects whose Ready became False within the last hour.
	RecentlyFailed int
	// OldestUnfinished is for how long the operator has worked on the object that it began with first; zero if it works on none.
	OldestUnfinished time.Duration
}

// Trouble returns what there is in the cache, by namespace and reason. Objects without a reason yet count as None.
func (r *Reconciler) Trouble(now time.Time) ([]Trouble, error) {
	objects, err := r.cached(context.Background())
	if err != nil {
		return nil, err
	}
	type key struct{ namespace, reason string }
	found := map[key]Trouble{}
	for i := range objects {
		object := &objects[i]
		k := key{object.Namespace, cmp.Or(lifecycle.ReadyReason(object), "None")}
		trouble := found[k]
		if since, failed := lifecycle.FailedSince(object); failed && now.Sub(since) < recently {
			trouble.RecentlyFailed++
		}
		if since, unfinished := lifecycle.UnfinishedSince(object); unfinished {
			trouble.OldestUnfinished = max(trouble.OldestUnfinished, now.Sub(since))
		}
		if trouble != (Trouble{}) {
			found[k] = trouble
		}
	}
	output := make([]Trouble, 0, len(found))
	for k, trouble := range found {
		trouble.Namespace, trouble.Reason = k.namespace, k.reason
		output = append(output, trouble)
	}
	slices.SortFunc(output, func(a, b Trouble) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Reason, b.Reason))
	})
	return output, nil
}
