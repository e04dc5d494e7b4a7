// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"container/heap"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// polls chooses the Secret to poll next, among those that objects wait for. Namespaces take turns: one that waits for many Secrets
// does not delay the others.
type polls struct {
	secrets    map[types.NamespacedName]*polled
	namespaces map[string]*byDue
	turns      []string // namespaces, in the order of their turns
}

// polled is a Secret that at least one object waits for.
type polled struct {
	name    types.NamespacedName
	since   time.Time // when the first of the objects began to wait
	due     time.Time // when to poll next
	objects map[types.NamespacedName]bool
	index   int // in the heap of its namespace
}

// add makes the object wait for the Secret, with a poll no later than due.
func (p *polls) add(secret, object types.NamespacedName, now, due time.Time) {
	entry := p.secrets[secret]
	if entry == nil {
		entry = &polled{name: secret, since: now, due: due, objects: map[types.NamespacedName]bool{}}
		p.secrets[secret] = entry
		queue := p.namespaces[secret.Namespace]
		if queue == nil {
			queue = &byDue{}
			p.namespaces[secret.Namespace] = queue
			p.turns = append(p.turns, secret.Namespace)
		}
		heap.Push(queue, entry)
	}
	entry.objects[object] = true
	if due.Before(entry.due) {
		entry.due = due
		heap.Fix(p.namespaces[secret.Namespace], entry.index)
	}
}

// remove ends the wait of the object. A Secret that no other object waits for is not polled again.
func (p *polls) remove(secret, object types.NamespacedName) {
	entry := p.secrets[secret]
	if entry == nil {
		return
	}
	delete(entry.objects, object)
	if len(entry.objects) > 0 {
		return
	}
	delete(p.secrets, secret)
	queue := p.namespaces[secret.Namespace]
	heap.Remove(queue, entry.index)
	if queue.Len() == 0 {
		delete(p.namespaces, secret.Namespace)
		p.turns = slices.DeleteFunc(p.turns, func(n string) bool { return n == secret.Namespace })
	}
}

// next returns the Secret to poll now and a wait of zero, or how long to wait until a poll is due.
func (p *polls) next(now time.Time) (secret types.NamespacedName, wait time.Duration) {
	wait = maxInterval
	for i, namespace := range p.turns {
		first := (*p.namespaces[namespace])[0]
		if until := first.due.Sub(now); until > 0 {
			wait = min(wait, until)
			continue
		}
		p.turns = append(slices.Delete(p.turns, i, i+1), namespace)
		return first.name, 0
	}
	return secret, wait
}

// waiting returns the objects that wait for the Secret, in no order.
func (p *polls) waiting(secret types.NamespacedName) (objects []types.NamespacedName) {
	if entry := p.secrets[secret]; entry != nil {
		for object := range entry.objects {
			objects = append(objects, object)
		}
	}
	return objects
}

// polled schedules the poll after this one. The delay is a quarter of the wait so far, limited to maxInterval, and never less than interval.
func (p *polls) polled(secret types.NamespacedName, now time.Time, interval time.Duration) {
	entry := p.secrets[secret]
	if entry == nil {
		return
	}
	entry.due = now.Add(max(interval, min(now.Sub(entry.since)/4, maxInterval)))
	heap.Fix(p.namespaces[secret.Namespace], entry.index)
}

// byDue is a heap. The Secret that is due first is its first element.
type byDue []*polled

func (q byDue) Len() int           { return len(q) }
func (q byDue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q byDue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *byDue) Push(x any) {
	entry, _ := x.(*polled)
	entry.index = len(*q)
	*q = append(*q, entry)
}

// Pop implements heap.Interface.
func (q *byDue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
