// SPDX-License-Identifier: Apache-2.0

// Package quota paces calls within a server's limit, in order, without a goroutine for each waiter.
//
// A budget is a window of credits, clocked by answers. A call takes a credit, and the credit comes back one second after the answer
// to that call. A call arrives at the server after it was sent and before it is answered, so no second at the server sees more calls
// than the window is wide, whatever the latency: jitter cannot break it, and a lone user is never refused. The price is a rate of
// limit/(1 s + latency). A returning credit is handed to the next waiter in the queue 50 ms before it is usable, so that the waiter can
// get ready; without a waiter it is free only from then on. A credit whose call was not made comes back at once, or is kept for when
// its owner asks again. The first credits of a process come one second after Start, because its predecessor may just have used them.
//
// An id that gets no credit joins the queue of the budget, once, and is woken with a credit in hand: first come, first served. An id
// that leaves gives its place or its credit to the next. Waiters are woken one at a time, at least half an even share of a second
// apart, so that the calls do not come in one burst and others find gaps. No budget waits for another. An idle budget is forgotten.
//
// A refusal means that others share the limit. The first halves the window and pauses the budget for one to two seconds, and counts
// once for all calls that were in flight; each full window without a refusal opens it by one. From then on the size that was refused is
// remembered, as CUBIC does: the window stays below it for four seconds, then tries it again in steps of 1, 2, 4…, and a single
// refusal takes it back by the last step, at least a sixth, without a pause. More than a quarter of a window refused halves it and
// pauses again. A window at the limit without a refusal forgets.
package quota

import (
	"container/list"
	"sync"
	"time"
)

const (
	// period in which the server counts calls.
	period = time.Second
	// retention of what an idle budget has learned from refusals.
	retention = time.Minute
)

// Key is what the server counts by. Account is any text that tells accounts apart; it is only compared.
type Key struct {
	Account, Host, Action string
}

// Limiter holds the budgets of one process. An id waits in one queue at most. Call Start before it hands out credits.
type Limiter[ID comparable] struct {
	limit func(action string) int

	mu      sync.Mutex
	wake    func(ID)
	opening time.Time
	budgets map[Key]*budget[ID]
	waiters map[ID]*waiter[ID]
}

type budget[ID comparable] struct {
	key               Key
	window            window
	inUse             int // credits in hand, with a call, or on their way back
	queue             list.List
	served            int           // waiters that have left the queue
	nextAt            time.Time     // nobody is woken before
	dispatchScheduled bool          // it will look again by itself
	usedAt            time.Time     // the latest credit
	usableAt          time.Time     // when the latest credit that came back may be used
	turnAhead         time.Duration // of the latest call, with its second
}

type waiter[ID comparable] struct {
	budget  *budget[ID]
	element *list.Element // nil once the credit is in hand
	number  int
	since   time.Time
}

// New returns a Limiter whose budgets allow limit calls of an action a second. Nobody gets a credit before Start.
func New[ID comparable](limit func(action string) int) *Limiter[ID] {
	return &Limiter[ID]{limit: limit, budgets: map[Key]*budget[ID]{}, waiters: map[ID]*waiter[ID]{}}
}

// Start hands out the first credits one second later. It calls wake, without a lock held, for each id that has got a credit.
func (b *Limiter[ID]) Start(wake func(ID)) {
	b.mu.Lock()
	b.wake, b.opening = wake, time.Now().Add(period)
	b.mu.Unlock()
	time.AfterFunc(period, b.dispatchAll)
}

// Wait describes how an id waits in the queue. The zero value: it does not.
type Wait struct {
	Since time.Time     // when it joined the queue
	Turn  time.Duration // estimate of the time until it gets a credit, from now
}

// Acquire returns a credit, or nil and adds id to the queue. An id that asks again keeps its place; one that asks another budget leaves
// the first.
func (b *Limiter[ID]) Acquire(key Key, id ID) (*Credit, Wait) {
	wake := func() {}
	defer func() { wake() }()
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.waiters[id]
	if p != nil && p.budget.key != key {
		wake, p = b.leave(id), nil
	}
	bud := b.budget(key)
	if p == nil {
		p = &waiter[ID]{budget: bud, number: bud.served + bud.queue.Len(), since: time.Now()}
		b.waiters[id] = p
		if bud.queue.Len() == 0 && bud.inUse < bud.window.size && b.wake != nil && !p.since.Before(b.opensAt(bud)) {
			bud.inUse++
		} else {
			p.element = bud.queue.PushBack(id)
			if bud.inUse < bud.window.size {
				b.scheduleDispatch(bud, b.untilOpen(bud)) // no credit will come back that does
			}
		}
	}
	if p.element != nil {
		turns := 1 + max(p.number-bud.served, 0)/bud.window.size
		return nil, Wait{p.since, time.Duration(turns) * max(bud.turnAhead, period)}
	}
	delete(b.waiters, id)
	return b.credit(bud, id, p), Wait{}
}

// Leave gives back the place or the credit of an id that no longer wants to call.
func (b *Limiter[ID]) Leave(id ID) {
	b.mu.Lock()
	wake := b.leave(id)
	b.mu.Unlock()
	wake()
}

func (b *Limiter[ID]) leave(id ID) (wake func()) {
	p := b.waiters[id]
	if p == nil {
		return func() {}
	}
	delete(b.waiters, id)
	if p.element != nil {
		p.budget.queue.Remove(p.element)
		p.budget.served++
	} else {
		p.budget.inUse--
	}
	return b.dispatch(p.budget)
}

func (b *Limiter[ID]) budget(key Key) *budget[ID] {
	if b.budgets[key] == nil {
		b.budgets[key] = &budget[ID]{key: key, window: newWindow(b.limit(key.Action))}
	}
	return b.budgets[key]
}

// opensAt is when the budget may spend again.
func (b *Limiter[ID]) opensAt(bud *budget[ID]) time.Time {
	if bud.window.pausedUntil.After(b.opening) {
		return bud.window.pausedUntil
	}
	return b.opening
}

// untilOpen is the time until the next waiter may be woken.
func (b *Limiter[ID]) untilOpen(bud *budget[ID]) time.Duration {
	return max(time.Until(b.opensAt(bud)), time.Until(bud.nextAt))
}

func (b *Limiter[ID]) dispatchAll() {
	b.mu.Lock()
	var wakes []func()
	for _, bud := range b.budgets {
		wakes = append(wakes, b.dispatch(bud))
	}
	b.mu.Unlock()
	for _, wake := range wakes {
		wake()
	}
}

// dispatch hands free credits to the first waiters and returns a function that wakes them.
func (b *Limiter[ID]) dispatch(bud *budget[ID]) (wake func()) {
	var owners []ID
	for b.wake != nil && bud.queue.Len() > 0 && bud.inUse < bud.window.size {
		if wait := b.untilOpen(bud); wait > 0 {
			b.scheduleDispatch(bud, wait)
			break
		}
		id, _ := bud.queue.Remove(bud.queue.Front()).(ID)
		b.waiters[id].element = nil
		bud.inUse++
		bud.served++
		bud.nextAt = time.Now().Add(period / time.Duration(2*bud.window.limit))
		owners = append(owners, id)
	}
	b.forget(bud)
	notify := b.wake
	return func() {
		for _, id := range owners {
			notify(id)
		}
	}
}

// scheduleDispatch dispatches again after a wait, once however often it is called.
func (b *Limiter[ID]) scheduleDispatch(bud *budget[ID], wait time.Duration) {
	if bud.dispatchScheduled {
		return
	}
	bud.dispatchScheduled = true
	time.AfterFunc(wait, func() {
		b.mu.Lock()
		bud.dispatchScheduled = false
		wake := b.dispatch(bud)
		b.mu.Unlock()
		wake()
	})
}

// forget drops an idle budget when its last credit may be used, or after retention when it has learned from refusals.
func (b *Limiter[ID]) forget(bud *budget[ID]) {
	if bud.inUse > 0 || bud.queue.Len() > 0 || b.budgets[bud.key] != bud {
		return
	}
	wait := time.Until(bud.usableAt)
	if bud.window.size < bud.window.limit || bud.window.ceiling > 0 {
		wait = max(wait, retention-time.Since(bud.usedAt))
	}
	if wait <= 0 {
		delete(b.budgets, bud.key)
		return
	}
	time.AfterFunc(wait, func() {
		b.mu.Lock()
		b.forget(bud)
		b.mu.Unlock()
	})
}

// State is a snapshot of a budget.
type State struct {
	Key     Key
	Window  int  // credits
	Waiting int  // ids in the queue
	Paused  bool // after a refusal
}

// States returns a snapshot of each budget that is not idle.
func (b *Limiter[ID]) States() []State {
	b.mu.Lock()
	defer b.mu.Unlock()
	states := make([]State, 0, len(b.budgets))
	for key, bud := range b.budgets {
		states = append(states, State{key, bud.window.size, bud.queue.Len(), time.Now().Before(bud.window.pausedUntil)})
	}
	return states
}
