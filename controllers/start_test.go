// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
)

// What has ended waits for nothing, and the others must be in their queues before the first credits come.
func TestAStartEnqueuesTheUnfinishedObjectsTheOldestFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		h.settle() // the object of the fixture has ended
		if !lifecycle.IsSettled(h.get()) {
			t.Fatal("the object has not ended")
		}
		created := time.Now().Truncate(time.Second)
		for i, age := range []int{3, 9, 9, 1} {
			o := request()
			o.Name, o.UID = fmt.Sprint("o", i), types.UID(fmt.Sprint("o", i))
			o.CreationTimestamp = metav1.NewTime(created.Add(-time.Duration(age) * time.Minute))
			if err := h.server.Create(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
		var enqueued []string
		h.enqueue = func(key types.NamespacedName, priority int) {
			enqueued = append(enqueued, fmt.Sprint(key.Name, " at ", priority))
		}
		h.enqueueUnfinished(t.Context())
		if want := []string{"o1 at -2", "o2 at -2", "o0 at -2", "o3 at -2"}; !slices.Equal(enqueued, want) {
			t.Errorf("enqueued: %q, want %q", enqueued, want)
		}
	})
}
