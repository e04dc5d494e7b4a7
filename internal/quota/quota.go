// SPDX-License-Identifier: Apache-2.0

// Package quota hands out the calls that a server's limit allows, in order, without anyone waiting in a goroutine.
//
// A budget is a window of credits, clocked by answers. A call takes a credit, and the credit comes back one second after the answer
// to that call. A call arrives at the server after it was sent and before it is answered, so no second at the server sees more calls
// than the window is wide, whatever the latency: jitter cannot break it, and a lone user is never refused. The price is a rate of
// limit/(1 s + latency). A credit that comes back is handed to who is in line 50 ms before it may be used, so that its next owner can
// get ready; nobody else gets it before it may be used. A credit whose call was not made comes back at once, or is kept in hand for when
// its owner asks again. The first credits of a process come one second after Start, because its predecessor may just have used them.
//
// Who gets no credit joins the budget's line, once, and is woken with a credit in hand: first come, first served. Who leaves gives
// its place or its credit to the next. The line is woken one at a time, at least half an even share of a second apart, so that the
// calls do not come in one burst and others find gaps. No budget waits for another. A budget at rest is forgotten.
//
// A refusal means that others share the limit. The first halves the window and pauses the budget for one to two seconds, and counts
// once for all calls that were out; each full window without a refusal opens it by one. From then on the size that was refused is
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
	// memory of what a budget at rest has learned from refusals.
	memory = time.Minute
)

// Key is what the server counts by. Account is any text that tells accounts apart; it is compared and nothing else.
type Key struct {
	Account, Host, Action string
}

// Budgets are the budgets of one process. A waiter is named by an id, which has one place at most in all budgets together.
type Budgets[ID comparable] struct {
	limit func(action string) int

	mu      sync.Mutex
	wake    func(ID)
	opening time.Time
	budgets map[Key]*budget[ID]
	places  map[ID]*place[ID]
}

type budget[ID comparable] struct {
	key       Key
	window    window
	out       int // credits that are in a hand, with a call, or on their way back
	line      list.List
	served    int           // places that have left the line
	nextAt    time.Time     // nobody is woken before
	roused    bool          // it will look again by itself
	usedAt    time.Time     // the latest credit
	ripe      time.Time     // the latest credit that came back may be used from then on
	turnAhead time.Duration // of the latest call, with its second
}

type place[ID comparable] struct {
	budget  *budget[ID]
	element *list.Element // nil once the credit is in hand
	number  int
	since   time.Time
}

// New returns budgets that are limit wide for an action, in calls a second. Nobody gets a credit before Start.
func New[ID comparable](limit func(action string) int) *Budgets[ID] {
	return &Budgets[ID]{limit: limit, budgets: map[Key]*budget[ID]{}, places: map[ID]*place[ID]{}}
}

// Start lets credits out from one second on; wake is called, without a lock held, for each id whose credit has come.
func (b *Budgets[ID]) Start(wake func(ID)) {
	b.mu.Lock()
	b.wake, b.opening = wake, time.Now().Add(period)
	b.mu.Unlock()
	time.AfterFunc(period, b.dispatchAll)
}

// Wait is what is known of the place of an id in line.
type Wait struct {
	Since time.Time     // when it joined the line
	Turn  time.Duration // about how long its turn will take from now on
}

// Acquire returns a credit, or puts id in line. An id that asks again keeps its place; one that asks another budget leaves the first.
func (b *Budgets[ID]) Acquire(key Key, id ID) (*Credit, Wait) {
	wake := func() {}
	defer func() { wake() }()
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.places[id]
	if p != nil && p.budget.key != key {
		wake, p = b.leave(id), nil
	}
	bud := b.budget(key)
	if p == nil {
		p = &place[ID]{budget: bud, number: bud.served + bud.line.Len(), since: time.Now()}
		b.places[id] = p
		if bud.line.Len() == 0 && bud.out < bud.window.size && b.wake != nil && !p.since.Before(b.opensAt(bud)) {
			bud.out++
		} else {
			p.element = bud.line.PushBack(id)
			if bud.out < bud.window.size {
				b.rouse(bud, b.untilOpen(bud)) // no credit will come back that does
			}
		}
	}
	if p.element != nil {
		turns := 1 + max(p.number-bud.served, 0)/bud.window.size
		return nil, Wait{p.since, time.Duration(turns) * max(bud.turnAhead, period)}
	}
	delete(b.places, id)
	return b.credit(bud, id, p), Wait{}
}

// Leave gives back the place or the credit of an id that no longer wants to call.
func (b *Budgets[ID]) Leave(id ID) {
	b.mu.Lock()
	wake := b.leave(id)
	b.mu.Unlock()
	wake()
}

func (b *Budgets[ID]) leave(id ID) (wake func()) {
	p := b.places[id]
	if p == nil {
		return func() {}
	}
	delete(b.places, id)
	if p.element != nil {
		p.budget.line.Remove(p.element)
		p.budget.served++
	} else {
		p.budget.out--
	}
	return b.dispatch(p.budget)
}

func (b *Budgets[ID]) budget(key Key) *budget[ID] {
	if b.budgets[key] == nil {
		b.budgets[key] = &budget[ID]{key: key, window: newWindow(b.limit(key.Action))}
	}
	return b.budgets[key]
}

// opensAt is when the budget may spend again.
func (b *Budgets[ID]) opensAt(bud *budget[ID]) time.Time {
	if bud.window.pausedUntil.After(b.opening) {
		return bud.window.pausedUntil
	}
	return b.opening
}

// untilOpen is how long nobody in line is woken.
func (b *Budgets[ID]) untilOpen(bud *budget[ID]) time.Duration {
	return max(time.Until(b.opensAt(bud)), time.Until(bud.nextAt))
}

func (b *Budgets[ID]) dispatchAll() {
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

// dispatch hands free credits to the head of the line and returns what wakes their owners.
func (b *Budgets[ID]) dispatch(bud *budget[ID]) (wake func()) {
	var owners []ID
	for b.wake != nil && bud.line.Len() > 0 && bud.out < bud.window.size {
		if wait := b.untilOpen(bud); wait > 0 {
			b.rouse(bud, wait)
			break
		}
		id, _ := bud.line.Remove(bud.line.Front()).(ID)
		b.places[id].element = nil
		bud.out++
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

// rouse dispatches again after a while, once however often it is asked.
func (b *Budgets[ID]) rouse(bud *budget[ID], wait time.Duration) {
	if bud.roused {
		return
	}
	bud.roused = true
	time.AfterFunc(wait, func() {
		b.mu.Lock()
		bud.roused = false
		wake := b.dispatch(bud)
		b.mu.Unlock()
		wake()
	})
}

// forget drops a budget at rest: when its last credit may be used, or after a while when it has something to remember.
func (b *Budgets[ID]) forget(bud *budget[ID]) {
	if bud.out > 0 || bud.line.Len() > 0 || b.budgets[bud.key] != bud {
		return
	}
	wait := time.Until(bud.ripe)
	if bud.window.size < bud.window.limit || bud.window.ceiling > 0 {
		wait = max(wait, memory-time.Since(bud.usedAt))
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

// State is how a budget is at a moment.
type State struct {
	Key    Key
	Window int  // credits
	Line   int  // waiters
	Paused bool // after a refusal
}

// States of all budgets that are not at rest.
func (b *Budgets[ID]) States() []State {
	b.mu.Lock()
	defer b.mu.Unlock()
	states := make([]State, 0, len(b.budgets))
	for key, bud := range b.budgets {
		states = append(states, State{key, bud.window.size, bud.line.Len(), time.Now().Before(bud.window.pausedUntil)})
	}
	return states
}
