// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A tree whose parents weigh no less than their children is as shallow as chance makes it, in whatever order items come and go.
func TestTheHeaviestNodeIsTheRoot(t *testing.T) {
	t.Parallel()
	var tree *node[int]
	var nodes []*node[int]
	for i := range 2000 {
		n := newNode(rank("a", i, ""), uint64(i), i)
		tree, nodes = tree.insert(n), append(nodes, n)
		if i%3 == 2 {
			at := rand.IntN(len(nodes))
			tree, nodes = tree.remove(nodes[at]), slices.Delete(nodes, at, at+1)
		}
	}
	var check func(*node[int])
	check = func(n *node[int]) {
		for _, child := range []*node[int]{n.left, n.right} {
			if child == nil {
				continue
			}
			if child.weight > n.weight {
				t.Errorf("item %d weighs more than item %d above it", child.value, n.value)
			}
			check(child)
		}
	}
	check(tree)
}
