// SPDX-License-Identifier: Apache-2.0

// Package quota hands out the calls that a server's limit allows, in order, without anyone waiting in a goroutine.
//
// A budget is a window of credits, clocked by answers. A call takes a credit, and the credit comes back one second after the answer
// to that call. A call arrives at the server after it was sent and before it is answered, so no second at the server sees more calls
// than the window is wide, whatever the latency.
//
// Who gets no credit joins the budget's line, once, and is woken with a credit in hand: first come, first served. Who leaves gives
// its place or its credit to the next. A refusal halves the window, once for all calls that were out, and pauses the budget for a
// second; each full window without a refusal opens it by one. The first credits of a process come one second after Start, because
// its predecessor may just have used them. A budget at rest is forgotten.
package quota

import (
	"container/list"
	"sync"
	"time"
)

// period in which the server counts calls.
const period = time.Second

// Key is what the server counts by.
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
	window    int
	out       int // credits that are in a hand, with a call, or on their way back
	line      list.List
	served    int // places that have left the line
	good      int // answers since the window last changed
	cutAt     time.Time
	paused    time.Time
	turnAhead time.Duration // of the latest call, with its second
}

type place[ID comparable] struct {
	budget  *budget[ID]
	element *list.Element // nil once the credit is in hand
	number  int
}

// Credit is the right to make one call. Give it back with Done or Cancel; whatever follows the first of them does nothing.
type Credit struct {
	once   sync.Once
	done   func(refused bool)
	cancel func()
}

// Done says that the call was answered or given up, and whether the server refused it for the limit.
func (c *Credit) Done(refused bool) { c.once.Do(func() { c.done(refused) }) }

// Cancel says that there was no call; the credit goes to the next in line at once.
func (c *Credit) Cancel() { c.once.Do(c.cancel) }

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

// Acquire returns a credit, or puts id in line and returns about how long its turn will take. An id that asks again
// keeps its place; one that asks another budget leaves the first.
func (b *Budgets[ID]) Acquire(key Key, id ID) (*Credit, time.Duration) {
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
		p = &place[ID]{budget: bud, number: bud.served + bud.line.Len()}
		if bud.line.Len() == 0 && bud.out < bud.window && b.open(bud) {
			bud.out++
		} else {
			p.element = bud.line.PushBack(id)
		}
		b.places[id] = p
	}
	if p.element != nil {
		turns := 1 + max(p.number-bud.served, 0)/bud.window
		return nil, time.Duration(turns) * max(bud.turnAhead, period)
	}
	delete(b.places, id)
	return b.credit(bud), 0
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
		b.budgets[key] = &budget[ID]{key: key, window: b.limit(key.Action)}
	}
	return b.budgets[key]
}

func (b *Budgets[ID]) open(bud *budget[ID]) bool {
	now := time.Now()
	return b.wake != nil && !now.Before(b.opening) && !now.Before(bud.paused)
}

func (b *Budgets[ID]) credit(bud *budget[ID]) *Credit {
	sent := time.Now()
	done := func(refused bool) {
		b.mu.Lock()
		bud.answered(sent, refused, b.limit(bud.key.Action))
		b.mu.Unlock()
		time.AfterFunc(period, func() { b.giveBack(bud) })
	}
	return &Credit{done: done, cancel: func() { b.giveBack(bud) }}
}

// answered moves the window. Refusals of calls that were sent before the last cut are news of the same crowd.
func (bud *budget[ID]) answered(sent time.Time, refused bool, limit int) {
	now := time.Now()
	bud.turnAhead = period + now.Sub(sent)
	switch {
	case refused && !sent.Before(bud.cutAt):
		bud.window, bud.good = max(bud.window/2, 1), 0
		bud.cutAt, bud.paused = now, now.Add(period)
	case !refused:
		bud.good++
		if bud.good >= bud.window && bud.window < limit {
			bud.window, bud.good = bud.window+1, 0
		}
	}
}

func (b *Budgets[ID]) giveBack(bud *budget[ID]) {
	b.mu.Lock()
	bud.out--
	wake := b.dispatch(bud)
	b.mu.Unlock()
	wake()
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

// dispatch hands free credits to the head of the line and returns what wakes their owners; it forgets a budget at rest.
func (b *Budgets[ID]) dispatch(bud *budget[ID]) (wake func()) {
	var owners []ID
	for bud.line.Len() > 0 && bud.out < bud.window && b.open(bud) {
		id, _ := bud.line.Remove(bud.line.Front()).(ID)
		b.places[id].element = nil
		bud.out++
		bud.served++
		owners = append(owners, id)
	}
	if bud.out == 0 && bud.line.Len() == 0 && bud.window == b.limit(bud.key.Action) {
		delete(b.budgets, bud.key)
	}
	if pause := time.Until(bud.paused); pause > 0 && bud.line.Len() > 0 {
		time.AfterFunc(pause, func() { b.redispatch(bud) })
	}
	notify := b.wake
	return func() {
		for _, id := range owners {
			notify(id)
		}
	}
}

func (b *Budgets[ID]) redispatch(bud *budget[ID]) {
	b.mu.Lock()
	wake := b.dispatch(bud)
	b.mu.Unlock()
	wake()
}
