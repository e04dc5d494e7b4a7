// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"iter"
	"time"
)

// account has a budget for each host and action. It has several names while one set of credentials replaces another.
type account[ID comparable] struct {
	name    string // the one that stays
	names   map[string]*name
	sweptAt time.Time // of forgetNames
	opening time.Time // nothing is handed out before
	budgets map[endpoint]*budget[ID]
	// forgetting says that a timer will call forgetAccount.
	forgetting bool
}

// name is one set of credentials.
type name struct {
	until time.Time // it counts; zero: as long as the account is known
	uses  int       // by Acquire, since Follow last had this name
}

func (n *name) isOver(now time.Time) bool { return !n.until.IsZero() && !now.Before(n.until) }

// countsUntil is when the account is open and its old names count no longer.
func (a *account[ID]) countsUntil() time.Time {
	latest := a.opening
	for _, n := range a.names {
		if n.until.After(latest) {
			latest = n.until
		}
	}
	return latest
}

// endpoint is what an account has budgets for.
type endpoint struct{ host, action string }

// Follow says that the account next has replaced previous, as a renewed token replaces an old one. From now on both have the same budgets,
// with the credits in use, the window and the queue of previous. When both are still used a minute later they part, and the one that was
// used less gets budgets of its own. Nothing happens if next already belongs to another account.
func (l *Limiter[ID]) Follow(previous, next string) {
	l.mu.Lock()
	defer l.unlock()
	now := time.Now()
	a, known := l.accountOf(previous, now), l.accounts[next]
	if previous == next || known != nil && known != a {
		return
	}
	if a == nil { // nobody calls just now, but somebody may go on with previous
		a = l.newAccount(previous)
	}
	l.forgetNames(a, now)
	a.names[a.name] = &name{until: now.Add(retention)}
	a.names[previous] = &name{until: now.Add(retention)}
	a.name, a.names[next] = next, &name{}
	l.accounts[next] = a
	l.forgetAccount(a)
}

// accountOf returns the account that a name stands for now; nil if there is none.
func (l *Limiter[ID]) accountOf(name string, now time.Time) *account[ID] {
	a := l.accounts[name]
	if a == nil {
		return nil
	}
	if !a.names[name].isOver(now) {
		return a
	}
	if a.names[name].uses <= a.names[a.name].uses {
		return l.part(a, name, now)
	}
	l.part(a, a.name, now)
	a.name, a.names[name].until = name, time.Time{}
	return a
}

// part gives a name an account of its own. It opens two periods later: what was sent under this name before has arrived by then, if the
// network is not slow.
func (l *Limiter[ID]) part(a *account[ID], name string, now time.Time) *account[ID] {
	delete(a.names, name)
	own := l.newAccount(name)
	own.opening = now.Add(2 * period)
	l.forgetAccount(own)
	return own
}

func (l *Limiter[ID]) newAccount(id string) *account[ID] {
	a := &account[ID]{name: id, names: map[string]*name{id: {}}, budgets: map[endpoint]*budget[ID]{}}
	l.accounts[id] = a
	return a
}

// forgetAccount drops an account without budgets, as soon as it is open and has one name.
func (l *Limiter[ID]) forgetAccount(a *account[ID]) {
	if len(a.budgets) > 0 || a.forgetting {
		return
	}
	if wait := time.Until(a.countsUntil()); wait > 0 {
		a.forgetting = true
		time.AfterFunc(wait, func() {
			l.mu.Lock()
			defer l.unlock()
			a.forgetting = false
			l.forgetAccount(a)
		})
		return
	}
	for name := range a.names {
		l.forgetName(a, name)
	}
}

// forgetNames drops each name that stopped counting a minute ago or earlier. It does so at most once a minute. An old name that is used before
// it is dropped parts in accountOf.
func (l *Limiter[ID]) forgetNames(a *account[ID], now time.Time) {
	if now.Sub(a.sweptAt) < retention {
		return
	}
	a.sweptAt = now
	for name, n := range a.names {
		if n.isOver(now.Add(-retention)) {
			l.forgetName(a, name)
		}
	}
}

func (l *Limiter[ID]) forgetName(a *account[ID], name string) {
	delete(a.names, name)
	if l.accounts[name] == a {
		delete(l.accounts, name)
	}
}

// budget returns the budget of a key, a new one if need be.
func (l *Limiter[ID]) budget(key Key) *budget[ID] {
	a := l.accountOf(key.Account, time.Now())
	if a == nil {
		a = l.newAccount(key.Account)
	}
	a.names[key.Account].uses++
	at := endpoint{key.Host, key.Action}
	if a.budgets[at] == nil {
		a.budgets[at] = &budget[ID]{account: a, endpoint: at, window: newWindow(l.limit(key.Action))}
	}
	return a.budgets[at]
}

// forget drops an idle budget: at once when all its credits may be used, and after retention when it has learned from refusals.
func (l *Limiter[ID]) forget(b *budget[ID]) {
	if b.inUse > 0 || b.queue.length > 0 || b.account.budgets[b.endpoint] != b {
		return
	}
	wait := time.Until(b.usableAt)
	if b.window.size < b.window.limit || b.window.ceiling > 0 {
		wait = max(wait, retention-time.Since(b.usedAt))
	}
	if wait > 0 {
		time.AfterFunc(wait, func() {
			l.mu.Lock()
			l.forget(b)
			l.mu.Unlock()
		})
		return
	}
	delete(b.account.budgets, b.endpoint)
	l.forgetAccount(b.account)
}

// State is a snapshot of a budget.
type State struct {
	Key     Key  // Account is the latest name
	Window  int  // credits
	Waiting int  // ids in the queue
	Paused  bool // hands out nothing after a refusal
}

// States returns a snapshot of each budget that is not forgotten.
func (l *Limiter[ID]) States() []State {
	l.mu.Lock()
	defer l.mu.Unlock()
	states := make([]State, 0, len(l.accounts))
	for b := range l.budgets() {
		key := Key{b.account.name, b.endpoint.host, b.endpoint.action}
		states = append(states, State{key, b.window.size, b.queue.length, time.Now().Before(b.window.pausedUntil)})
	}
	return states
}

// budgets are those of all accounts.
func (l *Limiter[ID]) budgets() iter.Seq[*budget[ID]] {
	return func(yield func(*budget[ID]) bool) {
		for name, a := range l.accounts {
			if a.name != name {
				continue
			}
			for _, b := range a.budgets {
				if !yield(b) {
					return
				}
			}
		}
	}
}
