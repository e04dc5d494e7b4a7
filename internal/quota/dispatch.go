// SPDX-License-Identifier: Apache-2.0

package quota

import "time"

// opensAt is when the first second of the process and the pause of the budget are over.
func (l *Limiter[ID]) opensAt(b *budget[ID]) time.Time {
	if b.window.pausedUntil.After(l.opening) {
		return b.window.pausedUntil
	}
	return l.opening
}

// untilOpen is the time until the next waiter may be woken.
func (l *Limiter[ID]) untilOpen(b *budget[ID]) time.Duration {
	return max(time.Until(l.opensAt(b)), time.Until(b.nextAt))
}

// dispatchAll wakes those that joined before the first credits.
func (l *Limiter[ID]) dispatchAll() {
	l.mu.Lock()
	var wakes []func()
	for _, b := range l.budgets {
		wakes = append(wakes, l.dispatch(b))
	}
	l.mu.Unlock()
	for _, wake := range wakes {
		wake()
	}
}

// dispatch hands free credits to the first waiters and returns a function that wakes them.
func (l *Limiter[ID]) dispatch(b *budget[ID]) (wake func()) {
	var owners []ID
	for l.wake != nil && b.queue.Len() > 0 && b.inUse < b.window.size {
		if wait := l.untilOpen(b); wait > 0 {
			l.scheduleDispatch(b, wait)
			break
		}
		id, _ := b.queue.Remove(b.queue.Front()).(ID)
		l.waiters[id].element = nil
		b.inUse++
		b.served++
		b.nextAt = time.Now().Add(period / time.Duration(2*b.window.limit))
		owners = append(owners, id)
	}
	l.forget(b)
	notify := l.wake
	return func() {
		for _, id := range owners {
			notify(id)
		}
	}
}

// scheduleDispatch dispatches after a wait. While one dispatch is scheduled, it schedules no other.
func (l *Limiter[ID]) scheduleDispatch(b *budget[ID], wait time.Duration) {
	if b.dispatchScheduled {
		return
	}
	b.dispatchScheduled = true
	time.AfterFunc(wait, func() {
		l.mu.Lock()
		b.dispatchScheduled = false
		wake := l.dispatch(b)
		l.mu.Unlock()
		wake()
	})
}
