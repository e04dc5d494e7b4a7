// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"sync"
	"time"
)

// headStart is how long before it may be used a returning credit is handed to the next waiter. The waiter records its attempt meanwhile;
// even a busy API server takes less for most writes.
const headStart = 50 * time.Millisecond

// Credit is the right to make one call after Wait has returned. Give it back by Done, Cancel or Keep; only the first of them counts.
type Credit struct {
	Waited   time.Duration // in the queue
	usableAt time.Time     // when the call may be sent
	sent     time.Time     // when Wait returned
	once     sync.Once
	done     func(sent time.Time, refused bool)
	cancel   func()
	keep     func()
	counted  func() // lets the total count the call for one second from now
}

// Wait returns when the call may be sent: at once, or within headStart.
func (c *Credit) Wait() {
	time.Sleep(time.Until(c.usableAt))
	if c.sent.IsZero() {
		c.counted()
	}
	c.sent = time.Now()
}

// Done reports that the call was answered or given up, and whether the server refused it for the limit.
func (c *Credit) Done(refused bool) {
	c.once.Do(func() {
		if c.sent.IsZero() { // Wait was not called
			c.counted()
			c.sent = time.Now()
		}
		c.done(c.sent, refused)
	})
}

// Cancel reports that no call was made. The next waiter gets the credit at once.
func (c *Credit) Cancel() { c.once.Do(c.cancel) }

// Keep reports that no call was made yet. The owner gets the credit when it asks again; Leave gives it to the next waiter.
func (c *Credit) Keep() { c.once.Do(c.keep) }

// credit is what the owner of a credit in hand gets.
func (l *Limiter[ID]) credit(b *budget[ID], w *waiter[ID]) *Credit {
	b.usedAt = time.Now()
	return &Credit{
		Waited: time.Since(w.since), usableAt: b.usableAt,
		done:    func(sent time.Time, refused bool) { l.answered(b, w, sent, refused) },
		cancel:  func() { l.cancel(b) },
		keep:    func() { l.returnToOwner(b, w) },
		counted: l.sent,
	}
}

// returnToOwner keeps a credit for its owner. If the owner has asked for another meanwhile, the next waiter gets this one.
func (l *Limiter[ID]) returnToOwner(b *budget[ID], w *waiter[ID]) {
	l.mu.Lock()
	taken := l.waiters[w.id] != nil
	if !taken {
		l.waiters[w.id] = w
	}
	l.mu.Unlock()
	if taken {
		l.cancel(b)
	}
}

// cancel takes back a credit that was not used.
func (l *Limiter[ID]) cancel(b *budget[ID]) {
	l.mu.Lock()
	defer l.unlock()
	b.inUse--
	l.releaseTotal()
	l.dispatch(b)
}

// answered lets the window learn from an answer, and brings the credit back one second after it.
func (l *Limiter[ID]) answered(b *budget[ID], w *waiter[ID], sent time.Time, refused bool) {
	now := time.Now()
	l.mu.Lock()
	b.tookTurn(period + now.Sub(sent))
	if refused {
		b.window.refused(sent, now)
		b.noteRefused(w)
	} else {
		b.window.answered(now)
		l.noteSuccess(b, w.rank.Owner)
	}
	l.mu.Unlock()
	time.AfterFunc(period-headStart, func() { l.release(b, now.Add(period)) })
}

// tookTurn counts one turn into the average: each one weighs an eighth.
func (b *budget[ID]) tookTurn(d time.Duration) {
	if b.turn == 0 {
		b.turn = d
	}
	b.turn += (d - b.turn) / 8
}

// release takes back a credit that may be used from usableAt on. Only a waiter in the queue gets it earlier, and Wait then lasts until
// usableAt. The budget remembers the latest usableAt alone, so the next owner of any credit waits until then: for headStart at the most.
func (l *Limiter[ID]) release(b *budget[ID], usableAt time.Time) {
	l.mu.Lock()
	defer l.unlock()
	if early := time.Until(usableAt); early > 0 && b.queue.length == 0 {
		time.AfterFunc(early, func() { l.release(b, usableAt) })
		return
	}
	b.inUse--
	if usableAt.After(b.usableAt) {
		b.usableAt = usableAt
	}
	l.dispatch(b)
}
