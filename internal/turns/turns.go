// SPDX-License-Identifier: Apache-2.0

// Package turns keeps what is due at which time. Owners take turns: one with many keys does not delay the others.
package turns

import (
	"container/heap"
	"slices"
	"time"
)

// Queue has a time for each key. The zero value is empty and ready. It is not safe for concurrent use.
type Queue[K comparable] struct {
	entries map[K]*entry[K]
	owners  map[string]*byTime[K]
	order   []string // owners, in the order of their turns
}

type entry[K comparable] struct {
	owner string
	key   K
	at    time.Time
	index int // in the heap of its owner
}

// Set makes a key due at a time, which replaces the one that it had. The owner of a key must not change while the key is in the queue.
func (q *Queue[K]) Set(owner string, key K, at time.Time) {
	if e := q.entries[key]; e != nil {
		e.at = at
		heap.Fix(q.owners[owner], e.index)
		return
	}
	if q.entries == nil {
		q.entries, q.owners = map[K]*entry[K]{}, map[string]*byTime[K]{}
	}
	if q.owners[owner] == nil {
		q.owners[owner] = &byTime[K]{}
		q.order = append(q.order, owner)
	}
	q.entries[key] = &entry[K]{owner: owner, key: key, at: at}
	heap.Push(q.owners[owner], q.entries[key])
}

// Remove takes a key out, if it is there.
func (q *Queue[K]) Remove(key K) {
	e := q.entries[key]
	if e == nil {
		return
	}
	delete(q.entries, key)
	own := q.owners[e.owner]
	heap.Remove(own, e.index)
	if own.Len() == 0 {
		delete(q.owners, e.owner)
		q.order = slices.DeleteFunc(q.order, func(owner string) bool { return owner == e.owner })
	}
}

// Next returns the key that is due first of the owner whose turn it is. It stays in the queue. Without a key that is due, ok is false, and
// wait is the time until one is; zero means that the queue is empty.
func (q *Queue[K]) Next(now time.Time) (key K, wait time.Duration, ok bool) {
	for i, owner := range q.order {
		first := (*q.owners[owner])[0]
		until := first.at.Sub(now)
		if until <= 0 {
			q.order = append(slices.Delete(q.order, i, i+1), owner)
			return first.key, 0, true
		}
		if wait == 0 || until < wait {
			wait = until
		}
	}
	return key, wait, false
}

// At returns when a key is due. Zero means that it is not in the queue.
func (q *Queue[K]) At(key K) time.Time {
	if e := q.entries[key]; e != nil {
		return e.at
	}
	return time.Time{}
}

// Len returns the number of keys.
func (q *Queue[K]) Len() int { return len(q.entries) }

// byTime is a heap. What is due first is its first element.
type byTime[K comparable] []*entry[K]

func (h byTime[K]) Len() int           { return len(h) }
func (h byTime[K]) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h byTime[K]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *byTime[K]) Push(x any) {
	e, _ := x.(*entry[K])
	e.index = len(*h)
	*h = append(*h, e)
}

// Pop implements heap.Interface.
func (h *byTime[K]) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	return last
}
