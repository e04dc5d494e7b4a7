// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"math/rand/v2"
	"time"
)

// Rank orders ids that wait. Owners take turns. Of the ids of one owner, the one that was created first goes first, and of those that were
// created at the same time the one with the first name. Ids of one rank go in the order in which they joined.
type Rank struct {
	Owner   string
	Created time.Time
	Name    string
}

// node is an item in the tree of its owner: a treap, which is balanced by random weights. A nil node is an empty tree.
type node[T any] struct {
	rank        Rank
	joined      uint64
	value       T
	weight      uint32
	size        int // of the tree below, with the node itself
	left, right *node[T]
}

func newNode[T any](rank Rank, joined uint64, value T) *node[T] {
	return &node[T]{rank: rank, joined: joined, value: value, weight: rand.Uint32(), size: 1} //nolint:gosec // it balances a tree
}

func (n *node[T]) isBefore(m *node[T]) bool {
	switch {
	case !n.rank.Created.Equal(m.rank.Created):
		return n.rank.Created.Before(m.rank.Created)
	case n.rank.Name != m.rank.Name:
		return n.rank.Name < m.rank.Name
	}
	return n.joined < m.joined
}

// insert returns the tree with m in it.
func (n *node[T]) insert(m *node[T]) *node[T] {
	switch {
	case n == nil || m.weight > n.weight:
		m.left, m.right = n.split(m)
		return m.resize()
	case m.isBefore(n):
		n.left = n.left.insert(m)
	default:
		n.right = n.right.insert(m)
	}
	return n.resize()
}

// split returns what is before m, and what is not.
func (n *node[T]) split(m *node[T]) (before, after *node[T]) {
	if n == nil {
		return nil, nil
	}
	if n.isBefore(m) {
		n.right, after = n.right.split(m)
		return n.resize(), after
	}
	before, n.left = n.left.split(m)
	return before, n.resize()
}

// remove returns the tree without m, which must be in it.
func (n *node[T]) remove(m *node[T]) *node[T] {
	switch {
	case n == m:
		return n.left.join(n.right)
	case m.isBefore(n):
		n.left = n.left.remove(m)
	default:
		n.right = n.right.remove(m)
	}
	return n.resize()
}

// join returns the tree of all in n, which are before all in m.
func (n *node[T]) join(m *node[T]) *node[T] {
	switch {
	case n == nil:
		return m
	case m == nil:
		return n
	case n.weight > m.weight:
		n.right = n.right.join(m)
		return n.resize()
	}
	m.left = n.join(m.left)
	return m.resize()
}

// before is how many nodes of the tree are before m, which must be in it.
func (n *node[T]) before(m *node[T]) (count int) {
	for n != m {
		if m.isBefore(n) {
			n = n.left
			continue
		}
		count += n.left.count() + 1
		n = n.right
	}
	return count + n.left.count()
}

func (n *node[T]) leftmost() *node[T] {
	for n.left != nil {
		n = n.left
	}
	return n
}

func (n *node[T]) count() int {
	if n == nil {
		return 0
	}
	return n.size
}

func (n *node[T]) resize() *node[T] {
	n.size = n.left.count() + n.right.count() + 1
	return n
}
