// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"sync"
	"time"
)

// Credit is the right to make one call. Give it back with Done or Cancel; whatever follows the first of them does nothing.
type Credit struct {
	Waited time.Duration // in line
	once   sync.Once
	done   func(refused bool)
	cancel func()
}

// Done says that the call was answered or given up, and whether the server refused it for the limit.
func (c *Credit) Done(refused bool) { c.once.Do(func() { c.done(refused) }) }

// Cancel says that there was no call; the credit goes to the next in line at once.
func (c *Credit) Cancel() { c.once.Do(c.cancel) }

func (b *Budgets[ID]) credit(bud *budget[ID], waited time.Duration) *Credit {
	sent := time.Now()
	bud.usedAt = sent
	done := func(refused bool) {
		b.mu.Lock()
		bud.answered(sent, refused)
		b.mu.Unlock()
		time.AfterFunc(period, func() { b.giveBack(bud) })
	}
	return &Credit{Waited: waited, done: done, cancel: func() { b.giveBack(bud) }}
}

func (bud *budget[ID]) answered(sent time.Time, refused bool) {
	now := time.Now()
	bud.turnAhead = period + now.Sub(sent)
	if refused {
		bud.window.refused(sent, now)
	} else {
		bud.window.answered(now)
	}
}

func (b *Budgets[ID]) giveBack(bud *budget[ID]) {
	b.mu.Lock()
	bud.out--
	wake := b.dispatch(bud)
	b.mu.Unlock()
	wake()
}
