// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"slices"
	"time"
)

// opensAt is when the first second of the process, the pause of the budget and that of an account that has parted are over.
func (l *Limiter[ID]) opensAt(b *budget[ID]) time.Time {
	return slices.MaxFunc([]time.Time{l.opening, b.window.pausedUntil, b.account.opening}, time.Time.Compare)
}

// dispatchAll wakes those that joined before the first credits.
func (l *Limiter[ID]) dispatchAll() {
	l.mu.Lock()
	defer l.unlock()
	for b := range l.budgets() {
		l.dispatch(b)
	}
}

// dispatch hands free credits to the next waiters.
func (l *Limiter[ID]) dispatch(b *budget[ID]) {
	l.total.dequeue(b)
	for l.isReady(b) {
		if l.total.isFull() {
			l.total.enqueue(b)
			return
		}
		l.serve(b)
	}
	l.forget(b)
}

// serve hands a credit to the next waiter, if that can be woken.
func (l *Limiter[ID]) serve(b *budget[ID]) {
	if !l.isReady(b) {
		return
	}
	w := b.queue.pop()
	w.node = nil
	b.inUse++
	l.total.inUse++
	b.nextAt = time.Now().Add(period / time.Duration(2*b.window.limit))
	l.woken = append(l.woken, w.id)
}

// isReady says whether the next waiter can be woken. If only time is missing, a timer dispatches then.
func (l *Limiter[ID]) isReady(b *budget[ID]) bool {
	if l.wake == nil || b.queue.length == 0 || b.inUse >= b.window.size {
		return false
	}
	wait := max(time.Until(l.opensAt(b)), time.Until(b.nextAt))
	if wait > 0 {
		l.scheduleDispatch(b, wait)
	}
	return wait <= 0
}

// scheduleDispatch dispatches after a wait. While one dispatch is scheduled, it schedules no other.
func (l *Limiter[ID]) scheduleDispatch(b *budget[ID], wait time.Duration) {
	if b.dispatchScheduled {
		return
	}
	b.dispatchScheduled = true
	time.AfterFunc(wait, func() {
		l.mu.Lock()
		defer l.unlock()
		b.dispatchScheduled = false
		l.dispatch(b)
	})
}
