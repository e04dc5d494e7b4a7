// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"iter"
	"time"
)

// account has a budget for each host and action. It has several names while one set of credentials replaces another.
type account[ID comparable] struct {
	name    string               // the latest
	names   map[string]time.Time // until when each one counts; zero: as long as the account is known
	sweptAt time.Time            // of forgetNames
	budgets map[endpoint]*budget[ID]
}

// endpoint is what an account has budgets for.
type endpoint struct{ host, action string }

// Follow says that the account next has replaced previous, as a renewed token replaces an old one. From now on both have the same budgets,
// with the credits in use, the window and the queue of previous. Who still uses the older name a minute later has budgets of its own
// again. Nothing happens if previous has no budget, or if next already has some.
func (l *Limiter[ID]) Follow(previous, next string) {
	l.mu.Lock()
	defer l.unlock()
	now := time.Now()
	a, known := l.accountOf(previous, now), l.accountOf(next, now)
	if a == nil || (known != nil && known != a) {
		return
	}
	l.forgetNames(a, now)
	a.names[a.name] = now.Add(retention)
	a.names[previous] = now.Add(retention)
	a.name, a.names[next] = next, time.Time{}
	l.accounts[next] = a
}

// accountOf returns the account that a name stands for now; nil if it has no budgets.
func (l *Limiter[ID]) accountOf(name string, now time.Time) *account[ID] {
	a := l.accounts[name]
	if a == nil {
		return nil
	}
	if until := a.names[name]; !until.IsZero() && !now.Before(until) {
		l.forgetName(a, name)
		return nil
	}
	return a
}

// forgetNames drops the names that count no longer, once a minute at the most.
func (l *Limiter[ID]) forgetNames(a *account[ID], now time.Time) {
	if now.Sub(a.sweptAt) < retention {
		return
	}
	a.sweptAt = now
	for name, until := range a.names {
		if !until.IsZero() && !now.Before(until) {
			l.forgetName(a, name)
		}
	}
}

func (l *Limiter[ID]) forgetName(a *account[ID], name string) {
	delete(a.names, name)
	delete(l.accounts, name)
}

// budget returns the budget of a key, a new one if need be.
func (l *Limiter[ID]) budget(key Key) *budget[ID] {
	a := l.accountOf(key.Account, time.Now())
	if a == nil {
		a = &account[ID]{name: key.Account, names: map[string]time.Time{key.Account: {}}, budgets: map[endpoint]*budget[ID]{}}
		l.accounts[key.Account] = a
	}
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
	if len(b.account.budgets) == 0 {
		for name := range b.account.names {
			l.forgetName(b.account, name)
		}
	}
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
