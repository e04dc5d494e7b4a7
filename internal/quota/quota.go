// SPDX-License-Identifier: Apache-2.0

// Package quota paces calls within a server's limit, in order, without a goroutine for each waiter.
//
// A budget is a window of credits, clocked by answers. A call takes a credit, and the credit comes back one second after the answer
// to that call. A call arrives at the server after it was sent and before it is answered, so no second at the server sees more calls
// than the window is wide. Latency and jitter cannot change that, and a lone user is never refused. The price is a rate of
// limit/(1 s + latency). If anyone waits, a returning credit is handed to the first in the queue 50 ms before it may be used, so that
// the waiter can get ready. If nobody waits, it is free when it may be used. A credit whose call was not made comes back at once, or is
// kept until its owner asks again. The first credits of a process come one second after Start: its predecessor may just have used them.
//
// An id that gets no credit joins the queue of the budget, once, and is woken with a credit in hand. Owners take turns, however many ids
// each has, and the oldest id of an owner is its next. Who is next depends on who waits and not on when they joined: an id that leaves and
// joins again, and a process that starts anew, lose no turn. An id counts as five minutes old at the most when it joins, except in the
// first minutes of a process. So old ids that come again and again keep no young one waiting for ever. An id that was refused comes after
// the others of its owner until a call of this owner succeeds: what the server refuses for that id alone keeps nobody else waiting. The
// budget remembers 1,024 such ids. An id that leaves gives its turn or its credit to the next.
//
// Credentials that replace others share their budgets: what one has sent counts for both, the window stays as it is, and no waiter loses
// its turn. When both are still used a minute later, the one that is used less gets budgets of its own, which open after two seconds.
// Nothing else joins two accounts.
//
// Waiters are woken one at a time, at least half an even share of a second apart: with a limit of 20, 25 ms. So the calls do not come in
// one burst, and others find gaps. An idle budget is forgotten.
//
// No budget waits for another, unless all of them together reach their bound. A call counts towards the bound from the moment it gets its credit
// until one second after it was sent: an answer that does not come holds nobody up. While the bound is reached, owners take turns over all
// budgets, so that one with a thousand accounts gets no more of it than one with a single account.
//
// A refusal means that others share the limit. The first one halves the window and pauses the budget for one to two seconds. Refusals of
// calls that were in flight at that moment do not count again. Each full window of answers without a refusal opens the window by one. The
// budget remembers the size that was refused, as CUBIC does. The window stays below it for eight seconds, then tries it again in steps of
// 1, 3, 9…. Six seconds are enough if of late more refusals came from its own tries than from those of others: a program that does not
// adapt makes none. A single refusal takes the window back, without a pause: by the last step, or by a third of what it has above
// two if that is more. So the larger of two windows loses more. When more than a quarter of a window is refused, the window halves and the budget
// pauses again. A full window at the limit forgets the remembered size. A try costs a refusal. Measured over thirty
// seeds, three budgets that share a limit are refused 3 % of their calls, and one has all of it 11 seconds after the others leave, at the worst.
//
// A credit cannot come back sooner. All that is known of a call's arrival is that it was after the sending and before the answer. The vendor
// counts by arrival and says no more, so a call may arrive just before its answer, and the next one just as it is sent. With a credit that
// comes back any earlier, 21 calls arrive in one second. What else could be measured bounds another arrival: an acknowledgement of TCP, of
// HTTP/2 or of a proxy says that the first machine has the bytes, not that the one that counts has; and the least latency that was seen says
// nothing of the next call. To trust such a bound until the first refusal would cost that refusal, and a lone user is never refused.
package quota

import (
	"sync"
	"time"
)

const (
	// period is the time within which the server counts calls.
	period = time.Second
	// retention is how long an idle budget keeps what it learned from refusals.
	retention = time.Minute
	// maxAge is the greatest age with which an id joins a queue. In the first minutes of a process, when everyone that waited before
	// joins anew, there is none.
	maxAge = 5 * time.Minute
)

// Key is what the server counts by. Account is any text that tells accounts apart.
type Key struct {
	Account, Host, Action string
}

// Limiter holds the budgets of one process. An id waits in one queue at most.
type Limiter[ID comparable] struct {
	limit func(action string) int

	mu       sync.Mutex
	wake     func(ID)
	opening  time.Time
	accounts map[string]*account[ID] // by each name that counts
	waiters  map[ID]*waiter[ID]
	total    total[ID]
	woken    []ID // to be woken when mu is unlocked
}

type budget[ID comparable] struct {
	account           *account[ID]
	endpoint          endpoint
	window            window
	inUse             int // credits in hand, with a call, or on their way back
	queue             queue[*waiter[ID]]
	node              *node[*budget[ID]] // while it waits for the total
	refused           map[ID]string      // the owners of ids that come after the others, at most maxLate
	nextAt            time.Time          // nobody is woken before
	dispatchScheduled bool               // a timer will dispatch
	usedAt            time.Time          // when the latest credit was taken
	usableAt          time.Time          // when the latest credit that came back may be used
	turn              time.Duration      // from a call to the return of its credit, on average
}

type waiter[ID comparable] struct {
	id     ID
	budget *budget[ID]
	rank   Rank
	node   *node[*waiter[ID]] // nil once the credit is in hand
	since  time.Time          // when it joined
}

// New returns a Limiter whose budgets allow limit(action) calls a second each, at least 1, and together no more than all; an all of 0 does not
// bound them. It hands out nothing before Start.
func New[ID comparable](limit func(action string) int, all int) *Limiter[ID] {
	return &Limiter[ID]{
		limit: limit, accounts: map[string]*account[ID]{}, waiters: map[ID]*waiter[ID]{},
		total: total[ID]{limit: all},
	}
}

// Start hands out the first credits one second later. Whenever a waiter gets a credit, the Limiter calls wake, without holding a lock.
func (l *Limiter[ID]) Start(wake func(ID)) {
	l.mu.Lock()
	l.wake, l.opening = wake, time.Now().Add(period)
	l.mu.Unlock()
	time.AfterFunc(period, l.dispatchAll)
}

// Wait says how an id waits in the queue. The zero value means that it does not.
type Wait struct {
	Since time.Time     // when it joined the queue
	Turn  time.Duration // estimated time from now until it gets a credit
}

// Acquire returns a credit, or adds id to the queue and returns nil. An id that asks again keeps its turn, whatever its rank is then. An
// id that asks another budget leaves the queue of the first.
func (l *Limiter[ID]) Acquire(key Key, id ID, rank Rank) (*Credit, Wait) {
	l.mu.Lock()
	defer l.unlock()
	b, w := l.budget(key), l.waiters[id]
	if w != nil && w.budget != b {
		l.leave(id)
		w = nil
	}
	if w == nil {
		w = l.join(b, id, rank)
	}
	if w.node != nil {
		turns := 1 + b.queue.ahead(w.node)/b.window.size
		return nil, Wait{w.since, time.Duration(turns) * max(b.turn, period)}
	}
	delete(l.waiters, id)
	return l.credit(b, w), Wait{}
}

// join gives an id a free credit, or adds it to the queue.
func (l *Limiter[ID]) join(b *budget[ID], id ID, rank Rank) *waiter[ID] {
	w := &waiter[ID]{id: id, budget: b, rank: rank, since: time.Now()}
	l.waiters[id] = w
	if b.queue.length == 0 && b.inUse < b.window.size && l.wake != nil && !w.since.Before(l.opensAt(b)) && !l.total.isFull() {
		b.inUse++
		l.total.inUse++
		return w
	}
	if oldest := w.since.Add(-maxAge); oldest.After(l.opening) && rank.Created.Before(oldest) {
		w.rank.Created = oldest
	}
	b.enqueue(w)
	l.dispatch(b) // when no credit is in use, none comes back and does so
	return w
}

// Leave gives back the turn or the credit of an id that no longer wants to call.
func (l *Limiter[ID]) Leave(id ID) {
	l.mu.Lock()
	defer l.unlock()
	l.leave(id)
}

func (l *Limiter[ID]) leave(id ID) {
	w := l.waiters[id]
	if w == nil {
		return
	}
	delete(l.waiters, id)
	if w.node != nil {
		w.budget.queue.remove(w.node)
	} else {
		w.budget.inUse--
		l.releaseTotal()
	}
	l.dispatch(w.budget)
}

// unlock ends a change and wakes the ids that have got a credit by it.
func (l *Limiter[ID]) unlock() {
	woken, wake := l.woken, l.wake
	l.woken = nil
	l.mu.Unlock()
	for _, id := range woken {
		wake(id)
	}
}
