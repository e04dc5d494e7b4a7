// SPDX-License-Identifier: Apache-2.0

package quota

import "time"

// total bounds the calls of all budgets together: those that are about to be sent, and those of the last second.
type total[ID comparable] struct {
	limit   int // in any second; 0: none
	inUse   int // credits in hand, and calls that were sent within a second
	waiting queue[*budget[ID]]
}

func (t *total[ID]) isFull() bool { return t.limit > 0 && t.inUse >= t.limit }

// enqueue lets a budget that could serve its next waiter wait for the total. It takes turns by the owner of that waiter.
func (t *total[ID]) enqueue(b *budget[ID]) { b.node = t.waiting.push(b.queue.peek(), b) }

// dequeue takes a budget out that waits for the total.
func (t *total[ID]) dequeue(b *budget[ID]) {
	if b.node != nil {
		t.waiting.remove(b.node)
		b.node = nil
	}
}

// releaseTotal lets the budgets that wait for the total go on, one waiter each at a time.
func (l *Limiter[ID]) releaseTotal() {
	l.total.inUse--
	for !l.total.isFull() && l.total.waiting.length > 0 {
		b := l.total.waiting.pop()
		b.node = nil
		l.serve(b)
		if l.isReady(b) {
			l.total.enqueue(b)
		}
	}
}

// sent lets the total count a call for one second from now.
func (l *Limiter[ID]) sent() {
	time.AfterFunc(period, func() {
		l.mu.Lock()
		defer l.unlock()
		l.releaseTotal()
	})
}
