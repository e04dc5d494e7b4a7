// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"cmp"
	"slices"
	"strconv"
	"sync"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

// maxBudgets is how many budgets have series of their own.
const maxBudgets = 20

// busiest gives numbers to the busiest budgets. A budget keeps its number while it is among them; then another gets it. So there are
// never more than maxBudgets numbers, however many accounts come and go, and neither a renewed key nor a restart adds a series.
type busiest struct {
	mu      sync.Mutex
	numbers map[owner]int
}

// owner has one budget for each action.
type owner struct{ account, host string }

// series are the labels of a sample.
type series struct{ budget, action string }

// total is the sum of all budgets that share the labels.
type total struct{ credits, waiting, paused int }

// sums returns the samples of a scrape.
func (b *busiest) sums(states []quota.State) map[series]total {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.renumber(states)
	sums := map[series]total{}
	for _, s := range states {
		key := series{other, s.Key.Action}
		if n := b.numbers[ownerOf(s)]; n > 0 {
			key.budget = strconv.Itoa(n)
		}
		sum := sums[key]
		sum.credits += s.Window
		sum.waiting += s.Waiting
		if s.Paused {
			sum.paused++
		}
		sums[key] = sum
	}
	return sums
}

func ownerOf(s quota.State) owner { return owner{s.Key.Account, s.Key.Host} }

// renumber takes the numbers of owners that are no longer among the busiest, and gives the lowest free ones to those that are new.
func (b *busiest) renumber(states []quota.State) {
	top := b.rank(states)
	next := make(map[owner]int, len(top))
	taken := map[int]bool{}
	for _, o := range top {
		if n := b.numbers[o]; n > 0 {
			next[o], taken[n] = n, true
		}
	}
	free := 1
	for _, o := range top {
		if next[o] > 0 {
			continue
		}
		for taken[free] {
			free++
		}
		next[o], taken[free] = free, true
	}
	b.numbers = next
}

// rank returns the owners with the most calls waiting. Among equals, those that have a number keep it.
func (b *busiest) rank(states []quota.State) []owner {
	queued := map[owner]int{}
	for _, s := range states {
		queued[ownerOf(s)] += s.Waiting
	}
	owners := make([]owner, 0, len(queued))
	for o := range queued {
		owners = append(owners, o)
	}
	numbered := func(o owner) int { return min(b.numbers[o], 1) }
	slices.SortFunc(owners, func(x, y owner) int {
		return cmp.Or(-cmp.Compare(queued[x], queued[y]), -cmp.Compare(numbered(x), numbered(y)),
			cmp.Compare(x.account, y.account), cmp.Compare(x.host, y.host))
	})
	return owners[:min(len(owners), maxBudgets)]
}
