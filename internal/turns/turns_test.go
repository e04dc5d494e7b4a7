// SPDX-License-Identifier: Apache-2.0

package turns

import (
	"slices"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// serve takes what is due out of the queue, one key after the other.
func serve(q *Queue[string], now time.Time) (keys []string) {
	for {
		key, _, ok := q.Next(now)
		if !ok {
			return keys
		}
		keys = append(keys, key)
		q.Remove(key)
	}
}

func TestOwnersTakeTurnsAndTheEarliestOfAnOwnerIsFirst(t *testing.T) {
	t.Parallel()
	var q Queue[string]
	for i, key := range []string{"a3", "a1", "a2", "a4"} {
		q.Set("a", key, start.Add(time.Duration([]int{3, 1, 2, 4}[i])))
	}
	q.Set("b", "b1", start.Add(5))
	q.Set("c", "c2", start.Add(time.Hour))
	q.Set("c", "c1", start.Add(9))
	if got, want := serve(&q, start.Add(time.Second)), []string{"a1", "b1", "c1", "a2", "a3", "a4"}; !slices.Equal(got, want) {
		t.Errorf("served: %v, want %v", got, want)
	}
	if q.Len() != 1 || len(q.owners) != 1 || len(q.order) != 1 {
		t.Errorf("%d keys, %d owners and %d turns are left, want one each", q.Len(), len(q.owners), len(q.order))
	}
}

func TestWhatIsNotTakenOutIsServedAgainInTurn(t *testing.T) {
	t.Parallel()
	var q Queue[string]
	q.Set("a", "a1", start)
	q.Set("b", "b1", start)
	for _, want := range []string{"a1", "b1", "a1", "b1"} {
		if got, wait, ok := q.Next(start); got != want || wait != 0 || !ok {
			t.Errorf("%q in %s, %t, want %q now", got, wait, ok, want)
		}
	}
}

func TestNothingIsServedBeforeItsTime(t *testing.T) {
	t.Parallel()
	var q Queue[string]
	if key, wait, ok := q.Next(start); key != "" || wait != 0 || ok {
		t.Errorf("empty: %q in %s, %t", key, wait, ok)
	}
	q.Set("a", "a1", start.Add(5))
	q.Set("b", "b1", start.Add(3))
	q.Set("c", "c1", start.Add(4))
	if key, wait, ok := q.Next(start); key != "" || wait != 3 || ok {
		t.Errorf("%q in %s, %t, want a wait of 3", key, wait, ok)
	}
	q.Set("b", "b1", start.Add(9)) // another time
	q.Remove("c1")
	if b, c := q.At("b1"), q.At("c1"); !b.Equal(start.Add(9)) || !c.IsZero() {
		t.Errorf("b1 is due at %s and c1, which is not there, at %s", b, c)
	}
	q.Remove("never there")
	if key, wait, ok := q.Next(start.Add(5)); key != "a1" || wait != 0 || !ok {
		t.Errorf("%q in %s, %t, want a1 now", key, wait, ok)
	}
}
