// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"sync"
	"time"
)

// headStart is how long before it is usable a returning credit is handed to the next waiter. The waiter records its attempt meanwhile;
// most writes to a busy API server take less.
const headStart = 50 * time.Millisecond

// Credit is the right to make one call, once Wait has returned. Give it back by Done, Cancel or Keep; only the first of them counts.
type Credit struct {
	Waited   time.Duration // in the queue
	usableAt time.Time     // when the call may be sent
	sent     time.Time
	once     sync.Once
	done     func(sent time.Time, refused bool)
	cancel   func()
	keep     func()
}

// Wait returns when the call may be sent: at once, or within headStart.
func (c *Credit) Wait() {
	time.Sleep(time.Until(c.usableAt))
	c.sent = time.Now()
}

// Done reports that the call was answered or given up, and whether the server refused it for the limit.
func (c *Credit) Done(refused bool) { c.once.Do(func() { c.done(c.sent, refused) }) }

// Cancel reports that no call was made. The next waiter gets the credit at once.
func (c *Credit) Cancel() { c.once.Do(c.cancel) }

// Keep reports that no call was made yet. The owner gets the same credit when it asks again; Leave gives it to the next waiter.
func (c *Credit) Keep() { c.once.Do(c.keep) }

func (b *Limiter[ID]) credit(bud *budget[ID], id ID, p *waiter[ID]) *Credit {
	bud.usedAt = time.Now()
	return &Credit{
		Waited: time.Since(p.since), usableAt: bud.usableAt,
		done:   func(sent time.Time, refused bool) { b.answered(bud, sent, refused) },
		cancel: func() { b.release(bud, time.Time{}) },
		keep:   func() { b.returnToOwner(bud, id, p) },
	}
}

// returnToOwner keeps a credit for its owner. If the owner has asked again meanwhile, the next waiter gets it.
func (b *Limiter[ID]) returnToOwner(bud *budget[ID], id ID, p *waiter[ID]) {
	b.mu.Lock()
	taken := b.waiters[id] != nil
	if !taken {
		b.waiters[id] = p
	}
	b.mu.Unlock()
	if taken {
		b.release(bud, time.Time{})
	}
}

func (b *Limiter[ID]) answered(bud *budget[ID], sent time.Time, refused bool) {
	now := time.Now()
	b.mu.Lock()
	bud.turnAhead = period + now.Sub(sent)
	if refused {
		bud.window.refused(sent, now)
	} else {
		bud.window.answered(now)
	}
	b.mu.Unlock()
	time.AfterFunc(period-headStart, func() { b.release(bud, now.Add(period)) })
}

// release takes back a credit that is usable from then on. It is handed out earlier only to a waiter in the queue, who waits for that time.
// The budget knows the latest such time only: the next owner of any credit waits for it, which is soon.
func (b *Limiter[ID]) release(bud *budget[ID], usableAt time.Time) {
	b.mu.Lock()
	if early := time.Until(usableAt); early > 0 && bud.queue.Len() == 0 {
		b.mu.Unlock()
		time.AfterFunc(early, func() { b.release(bud, usableAt) })
		return
	}
	bud.inUse--
	if usableAt.After(bud.usableAt) {
		bud.usableAt = usableAt
	}
	wake := b.dispatch(bud)
	b.mu.Unlock()
	wake()
}
