// SPDX-License-Identifier: Apache-2.0

package quota

import "container/heap"

// queue holds what waits. Owners take turns, and the oldest item of an owner is its next. The order depends on who waits, and not on when
// they joined: whoever leaves and joins again stands where it stood. Each operation takes O(log n).
type queue[T any] struct {
	owners map[string]*owner[T] // those with items, and those that have had their turn in this round
	turns  byTurn[T]            // those with items
	served []*owner[T]          // those that have had their turn in this round and have no items
	round  uint64
	joined uint64 // items so far
	length int
}

// owner is who takes turns.
type owner[T any] struct {
	name  string
	round uint64   // of its next turn
	items *node[T] // the root of a tree
	first *node[T] // the oldest of the items
	index int      // in turns
	kept  bool     // in served
}

// push adds an item.
func (q *queue[T]) push(rank Rank, value T) *node[T] {
	o := q.owners[rank.Owner]
	if o == nil {
		if q.owners == nil {
			q.owners = map[string]*owner[T]{}
		}
		o = &owner[T]{name: rank.Owner}
		q.owners[rank.Owner] = o
	}
	q.joined++
	n := newNode(rank, q.joined, value)
	q.length++
	isFirst := o.items == nil
	o.items = o.items.insert(n)
	o.first = o.items.leftmost()
	if isFirst {
		o.round = max(o.round, q.round)
		heap.Push(&q.turns, o)
	} else if o.first == n {
		heap.Fix(&q.turns, o.index)
	}
	return n
}

// remove takes out an item that has not had its turn.
func (q *queue[T]) remove(n *node[T]) {
	o := q.owners[n.rank.Owner]
	q.take(o, n)
	q.forgetOrKeep(o)
}

// pop takes out the next item. There must be one.
func (q *queue[T]) pop() T {
	o := q.turns[0]
	if o.round > q.round {
		q.round = o.round
		q.forgetServed()
	}
	n := o.first
	o.round++
	q.take(o, n)
	q.forgetOrKeep(o)
	return n.value
}

// peek returns the rank of the next item. There must be one.
func (q *queue[T]) peek() Rank { return q.turns[0].first.rank }

// forgetOrKeep remembers an owner without items that has had its turn, until the round is over: it gets no second one by coming again.
func (q *queue[T]) forgetOrKeep(o *owner[T]) {
	switch {
	case o.items != nil || o.kept:
	case o.round <= q.round:
		delete(q.owners, o.name)
	default:
		o.kept = true
		q.served = append(q.served, o)
	}
}

// take removes an item from its owner.
func (q *queue[T]) take(o *owner[T], n *node[T]) {
	q.length--
	o.items = o.items.remove(n)
	if o.items == nil {
		o.first = nil
		heap.Remove(&q.turns, o.index)
		return
	}
	o.first = o.items.leftmost()
	heap.Fix(&q.turns, o.index)
}

// forgetServed drops the owners that have had their turn in a round that is over, unless they have items again.
func (q *queue[T]) forgetServed() {
	served := q.served
	q.served = nil
	for _, o := range served {
		o.kept = false
		q.forgetOrKeep(o)
	}
}

// maxCounted is how many owners ahead looks at one by one.
const maxCounted = 64

// ahead is how many items come before this one if nobody joins or leaves. With many owners it is an upper bound.
func (q *queue[T]) ahead(n *node[T]) int {
	own := q.owners[n.rank.Owner]
	before := own.items.before(n)
	if len(q.turns) > maxCounted {
		return min(q.length-1, (before+1)*len(q.turns)-1)
	}
	turn := own.round + uint64(before) //nolint:gosec // a count
	sum := before
	for _, o := range q.turns {
		switch {
		case o == own || o.round > turn:
		case before == 0 && o.round == turn && !o.isBefore(own):
		default:
			sum += min(o.items.size, int(turn-o.round)+1) //nolint:gosec // a difference of rounds
		}
	}
	return sum
}

// isBefore says whether the turn of o comes first. In one round the owner with the oldest item does.
func (o *owner[T]) isBefore(p *owner[T]) bool {
	switch {
	case o.round != p.round:
		return o.round < p.round
	case !o.first.rank.Created.Equal(p.first.rank.Created):
		return o.first.rank.Created.Before(p.first.rank.Created)
	}
	return o.name < p.name
}

// byTurn is a heap. The owner whose turn is next is its first element.
type byTurn[T any] []*owner[T]

func (t byTurn[T]) Len() int           { return len(t) }
func (t byTurn[T]) Less(i, j int) bool { return t[i].isBefore(t[j]) }
func (t byTurn[T]) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

// Push implements heap.Interface.
func (t *byTurn[T]) Push(x any) {
	o, _ := x.(*owner[T])
	o.index = len(*t)
	*t = append(*t, o)
}

// Pop implements heap.Interface.
func (t *byTurn[T]) Pop() any {
	last := (*t)[len(*t)-1]
	(*t)[len(*t)-1] = nil
	*t = (*t)[:len(*t)-1]
	return last
}
