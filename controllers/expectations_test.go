// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
)

// A version that was only read past the cache is somebody else's: its event must be handled, or the object is forgotten.
func TestOnlyOwnWritesAreIgnored(t *testing.T) {
	t.Parallel()
	for own, handled := range map[bool]bool{true: false, false: true} {
		r, object := &Reconciler{}, request()
		object.ResourceVersion = "7"
		lifecycle.RecordAttempt(time.Now())(object)
		r.expectations.expect(object, own)
		if got := r.ignoreOwnWrites(event.UpdateEvent{ObjectOld: request(), ObjectNew: object}); got != handled {
			t.Errorf("own write: %t: the event is handled: %t", own, got)
		}
	}
}
