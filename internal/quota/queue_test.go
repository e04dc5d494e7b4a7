// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// rank of an id that was created so many seconds after noon.
func rank(owner string, second int, name string) Rank {
	return Rank{owner, noon.Add(time.Duration(second) * time.Second), name}
}

// order empties a queue.
func order(q *queue[string]) (names []string) {
	for q.length > 0 {
		names = append(names, q.pop())
	}
	return names
}

func TestOwnersTakeTurnsAndTheOldestOfAnOwnerGoesFirst(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		join []Rank
		want string
	}{
		"one owner, by age":                 {[]Rank{rank("a", 3, "x"), rank("a", 1, "y"), rank("a", 2, "z")}, "[y z x]"},
		"of one age, by name":               {[]Rank{rank("a", 1, "z"), rank("a", 1, "x"), rank("a", 1, "y")}, "[x y z]"},
		"alike, in the order of joining":    {[]Rank{rank("a", 1, "x"), rank("a", 1, "x")}, "[x x]"},
		"turns, the oldest begins":          {[]Rank{rank("a", 2, "a1"), rank("a", 3, "a2"), rank("a", 4, "a3"), rank("b", 1, "b1"), rank("b", 9, "b2")}, "[b1 a1 a2 b2 a3]"},
		"owners of one age, by their names": {[]Rank{rank("b", 1, "b1"), rank("a", 1, "a1"), rank("c", 1, "c1")}, "[a1 b1 c1]"},
	} {
		var q queue[string]
		for _, r := range test.join {
			q.push(r, r.Name)
		}
		if got := fmt.Sprint(order(&q)); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// An owner that has had its turn gets no other one in the round by leaving and coming again, and one that has not had it loses nothing.
func TestComingAgainIsWorthNoTurn(t *testing.T) {
	t.Parallel()
	var q queue[string]
	for i := range 3 {
		q.push(rank("a", i, fmt.Sprint("a", i)), fmt.Sprint("a", i))
		q.push(rank("b", 10+i, fmt.Sprint("b", i)), fmt.Sprint("b", i))
	}
	waits := q.push(rank("c", 20, "c0"), "c0")
	if got := q.pop(); got != "a0" {
		t.Fatalf("%s is first, want a0", got)
	}
	for range 1000 {
		q.remove(q.push(rank("d", 0, "d"), "d"))
		q.remove(waits)
		waits = q.push(rank("c", 20, "c0"), "c0")
	}
	q.push(rank("d", 0, "d0"), "d0")
	if got, want := q.pop(), "d0"; got != want {
		t.Errorf("%s is next, want %s", got, want)
	}
	for range 1000 {
		q.remove(q.push(rank("d", 0, "d1"), "d1"))
	}
	q.push(rank("d", 0, "d1"), "d1")
	if got, want := fmt.Sprint(order(&q)), "[b0 c0 d1 a1 b1 a2 b2]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(q.owners) > 4 || len(q.served) > 4 {
		t.Errorf("%d owners and %d served are kept", len(q.owners), len(q.served))
	}
}

// entry is an item of the model: a list, in which everything is looked for.
type entry struct {
	rank   Rank
	joined int
	node   *node[int]
}

func (e *entry) compare(f *entry) int {
	return cmp.Or(e.rank.Created.Compare(f.rank.Created), cmp.Compare(e.rank.Name, f.rank.Name), cmp.Compare(e.joined, f.joined))
}

// model says in the plainest way who is next.
type model struct {
	waits []*entry
	round int
	turn  map[string]int // the round of each owner's next turn
}

func (m *model) next() *entry {
	oldest := map[string]*entry{}
	for _, e := range m.waits {
		if o := oldest[e.rank.Owner]; o == nil || e.compare(o) < 0 {
			oldest[e.rank.Owner] = e
		}
	}
	return slices.MinFunc(slices.Collect(values(oldest)), func(e, f *entry) int {
		return cmp.Or(cmp.Compare(m.turn[e.rank.Owner], m.turn[f.rank.Owner]), e.rank.Created.Compare(f.rank.Created), cmp.Compare(e.rank.Owner, f.rank.Owner))
	})
}

func values(m map[string]*entry) func(func(*entry) bool) {
	return func(yield func(*entry) bool) {
		for _, e := range m {
			if !yield(e) {
				return
			}
		}
	}
}

func (m *model) remove(e *entry) {
	m.waits = slices.DeleteFunc(m.waits, func(f *entry) bool { return e == f })
}

func (m *model) join(e *entry) {
	if !slices.ContainsFunc(m.waits, func(f *entry) bool { return e.rank.Owner == f.rank.Owner }) {
		m.turn[e.rank.Owner] = max(m.turn[e.rank.Owner], m.round)
	}
	m.waits = append(m.waits, e)
}

func (m *model) pop() *entry {
	e := m.next()
	m.remove(e)
	m.round = m.turn[e.rank.Owner]
	m.turn[e.rank.Owner]++
	return e
}

// TestTheQueueIsTheModel compares the queue with the plain model, for any mix of arrivals, turns, leaves and returns.
func TestTheQueueIsTheModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10_000) {
		random := rand.New(rand.NewPCG(seed, 2))
		var q queue[int]
		m, all := &model{turn: map[string]int{}}, []*entry{}
		owners, span := 1+random.IntN(5), 1+random.IntN(20)
		for range 60 {
			switch action := random.IntN(10); {
			case action < 5 || len(m.waits) == 0:
				e := &entry{rank: rank(fmt.Sprint(random.IntN(owners)), random.IntN(span), fmt.Sprint(random.IntN(3))), joined: len(all)}
				e.node = q.push(e.rank, len(all))
				all = append(all, e)
				m.join(e)
			case action < 8:
				want := m.pop()
				if got := q.pop(); got != want.joined {
					t.Fatalf("seed %d: %+v is next, want %+v", seed, all[got].rank, want.rank)
				}
			default:
				e := m.waits[random.IntN(len(m.waits))]
				q.remove(e.node)
				m.remove(e)
				if random.IntN(2) == 0 { // an edit
					e.joined = len(all)
					e.node = q.push(e.rank, len(all))
					all = append(all, e)
					m.join(e)
				}
			}
			if len(m.waits) != q.length {
				t.Fatalf("seed %d: %d wait, want %d", seed, q.length, len(m.waits))
			}
		}
		checkAhead(t, seed, &q, m)
	}
}

// checkAhead empties the queue, and compares what it told each item with what came.
func checkAhead(t *testing.T, seed uint64, q *queue[int], m *model) {
	t.Helper()
	ahead := map[int]int{}
	for _, e := range m.waits {
		ahead[e.joined] = q.ahead(e.node)
	}
	owners := len(q.turns)
	for i := 0; q.length > 0; i++ {
		if got := q.pop(); ahead[got] < i || ahead[got] >= i+owners {
			t.Fatalf("seed %d: %d came before, %d were told", seed, i, ahead[got])
		}
	}
}

// With many owners the estimate is a bound, and never more than all.
func TestWithManyOwnersWhatIsAheadIsABound(t *testing.T) {
	t.Parallel()
	var q queue[string]
	var last *node[string]
	for i := range 3 * maxCounted {
		last = q.push(rank(fmt.Sprint(i), i, "x"), "x")
	}
	if got := q.ahead(last); got != q.length-1 {
		t.Errorf("%d are ahead of the last, want %d", got, q.length-1)
	}
	first := q.push(rank("0", -1, "x"), "x")
	if got := q.ahead(first); got >= q.length {
		t.Errorf("%d are ahead of the first of %d", got, q.length)
	}
}

// BenchmarkTurn is what one turn costs: who is served joins again at the end.
func BenchmarkTurn(b *testing.B) {
	for _, waiting := range []int{100, 50_000} {
		for _, owners := range []int{1, 40} {
			b.Run(fmt.Sprintf("%d of %d owners", waiting, owners), func(b *testing.B) {
				l, now := New[int](func(string) int { return 20 }, 0), time.Now()
				join := func(i int) {
					l.Acquire(key, i, Rank{fmt.Sprint(i % owners), now.Add(time.Duration(i) * time.Millisecond), ""})
				}
				for i := range waiting {
					join(i)
				}
				budget := l.budget(key)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					w := budget.queue.pop()
					delete(l.waiters, w.id)
					join(waiting + i)
				}
			})
		}
	}
}

func TestAnOwnerThatLeavesBeforeItsTurnIsForgotten(t *testing.T) {
	t.Parallel()
	var q queue[string]
	q.remove(q.push(rank("a", 1, "a"), "a"))
	if len(q.owners)+len(q.served) > 0 {
		t.Errorf("%d owners and %d served are kept", len(q.owners), len(q.served))
	}
}

// With up to maxCounted owners the place of an item is exact. With more it is an upper bound: each owner has a turn before it.
func TestThePlaceOfAnItem(t *testing.T) {
	t.Parallel()
	for _, owners := range []int{maxCounted, maxCounted + 1} {
		var q queue[string]
		second := 0
		push := func(owner string) *node[string] { second++; return q.push(rank(owner, second, ""), owner) }
		items := []*node[string]{push("oldest")}
		for i := range owners - 2 {
			push(fmt.Sprint(i))
		}
		items = append(items, push("youngest"), push("youngest"), push("youngest"))
		var places []int
		for _, n := range items {
			places = append(places, q.ahead(n))
		}
		want := []int{0, owners - 1, owners, owners + 1}
		if owners > maxCounted {
			want = []int{owners - 1, owners - 1, owners + 1, owners + 1} // never more than there are
		}
		if !slices.Equal(places, want) {
			t.Errorf("%d owners: the places are %v, want %v", owners, places, want)
		}
	}
}
