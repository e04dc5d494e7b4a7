// SPDX-License-Identifier: Apache-2.0

package quota

const (
	// maxLate bounds how many refused ids a budget remembers.
	maxLate = 1024
	// yearsLate is by how much an id that was refused counts as younger than it is: it comes after the others of its owner, and those that
	// were refused keep their order.
	yearsLate = 100
)

// enqueue adds a waiter to the queue. What the server refuses for an id alone, and not for the limit, must not keep its owner waiting because
// that id is the oldest.
func (b *budget[ID]) enqueue(w *waiter[ID]) {
	rank := w.rank
	if _, late := b.refused[w.id]; late {
		rank.Created = rank.Created.AddDate(yearsLate, 0, 0)
	}
	w.node = b.queue.push(rank, w)
}

// noteRefused lets the others of its owner go before an id, until a call of the owner succeeds.
func (b *budget[ID]) noteRefused(w *waiter[ID]) {
	if b.refused == nil {
		b.refused = map[ID]string{}
	}
	if len(b.refused) < maxLate {
		b.refused[w.id] = w.rank.Owner
	}
}

// noteSuccess gives the refused ids of an owner their places back.
func (l *Limiter[ID]) noteSuccess(b *budget[ID], owner string) {
	for id, of := range b.refused {
		if of != owner {
			continue
		}
		delete(b.refused, id)
		if w := l.waiters[id]; w != nil && w.budget == b && w.node != nil {
			b.queue.remove(w.node)
			b.enqueue(w)
		}
	}
}
