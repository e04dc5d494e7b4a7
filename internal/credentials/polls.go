// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"container/heap"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// polls is which Secret is polled next. Namespaces take turns, so that one with many missing Secrets delays no other.
type polls struct {
	secrets    map[types.NamespacedName]*polled
	namespaces map[string]*byDue
	turns      []string // namespaces, the one whose turn is next first
}

// polled is a Secret that objects wait for.
type polled struct {
	name    types.NamespacedName
	since   time.Time // of the wait
	due     time.Time // of the next poll
	objects map[types.NamespacedName]bool
	index   int // in its heap
}

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

// next returns the Secret to poll now, or how long nothing is due.
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

// waiting returns the objects that wait for a Secret.
func (p *polls) waiting(secret types.NamespacedName) (objects []types.NamespacedName) {
	if entry := p.secrets[secret]; entry != nil {
		for object := range entry.objects {
			objects = append(objects, object)
		}
	}
	return objects
}

// polled sets when the Secret is polled again: the longer the wait, the later.
func (p *polls) polled(secret types.NamespacedName, now time.Time, interval time.Duration) {
	entry := p.secrets[secret]
	if entry == nil {
		return
	}
	entry.due = now.Add(max(interval, min(now.Sub(entry.since)/4, maxInterval)))
	heap.Fix(p.namespaces[secret.Namespace], entry.index)
}

// byDue is a heap, the Secret that is due first at its top.
type byDue []*polled

func (q byDue) Len() int           { return len(q) }
func (q byDue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q byDue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push is of heap.Interface.
func (q *byDue) Push(x any) {
	entry, _ := x.(*polled)
	entry.index = len(*q)
	*q = append(*q, entry)
}

// Pop is of heap.Interface.
func (q *byDue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
