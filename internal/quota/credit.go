// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"sync"
	"time"
)

// headStart is how long before it may be used a credit that comes back is handed on, so that its next owner can get ready:
// most writes of a busy API server take less.
const headStart = 50 * time.Millisecond

// Credit is the right to make one call, after Await. Part with it by Done, Cancel or Keep; whatever follows the first of them does nothing.
type Credit struct {
	Waited time.Duration // in line
	ripe   time.Time     // when the call may be sent
	sent   time.Time
	once   sync.Once
	done   func(sent time.Time, refused bool)
	cancel func()
	keep   func()
}

// Await returns when the call may be sent: at once, or within 50 ms.
func (c *Credit) Await() {
	time.Sleep(time.Until(c.ripe))
	c.sent = time.Now()
}

// Done says that the call was answered or given up, and whether the server refused it for the limit.
func (c *Credit) Done(refused bool) { c.once.Do(func() { c.done(c.sent, refused) }) }

// Cancel says that there was no call; the credit goes to the next in line at once.
func (c *Credit) Cancel() { c.once.Do(c.cancel) }

// Keep says that there was no call yet; who asks again has the credit in hand, and Leave gives it to the next in line.
func (c *Credit) Keep() { c.once.Do(c.keep) }

func (b *Budgets[ID]) credit(bud *budget[ID], id ID, p *place[ID]) *Credit {
	bud.usedAt = time.Now()
	return &Credit{
		Waited: time.Since(p.since), ripe: bud.ripe,
		done:   func(sent time.Time, refused bool) { b.answered(bud, sent, refused) },
		cancel: func() { b.giveBack(bud, time.Time{}) },
		keep:   func() { b.handBack(bud, id, p) },
	}
}

// handBack puts a credit into the hand of its owner, or of the next if the owner has already asked again.
func (b *Budgets[ID]) handBack(bud *budget[ID], id ID, p *place[ID]) {
	b.mu.Lock()
	taken := b.places[id] != nil
	if !taken {
		b.places[id] = p
	}
	b.mu.Unlock()
	if taken {
		b.giveBack(bud, time.Time{})
	}
}

func (b *Budgets[ID]) answered(bud *budget[ID], sent time.Time, refused bool) {
	now := time.Now()
	b.mu.Lock()
	bud.turnAhead = period + now.Sub(sent)
	if refused {
		bud.window.refused(sent, now)
	} else {
		bud.window.answered(now)
	}
	b.mu.Unlock()
	time.AfterFunc(period-headStart, func() { b.giveBack(bud, now.Add(period)) })
}

// giveBack takes a credit that ripens then; nobody gets it before, unless somebody is in line for it. The next owner of any waits for the
// one that ripens last, which is soon.
func (b *Budgets[ID]) giveBack(bud *budget[ID], ripe time.Time) {
	b.mu.Lock()
	if early := time.Until(ripe); early > 0 && bud.line.Len() == 0 {
		b.mu.Unlock()
		time.AfterFunc(early, func() { b.giveBack(bud, ripe) })
		return
	}
	bud.out--
	if ripe.After(bud.ripe) {
		bud.ripe = ripe
	}
	wake := b.dispatch(bud)
	b.mu.Unlock()
	wake()
}
