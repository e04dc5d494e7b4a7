// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

var lookupCases = flag.Int("lookup.cases", 5000, "how many cases the property test of the lookup has")

// listedImport is an import on the instance, with the pages between which its record was there, and between which it was unfinished.
type listedImport struct {
	importjob.Record
	born, died, began, ended int
}

// instance is a listing that changes while it is read, and then no more.
type instance struct {
	*rand.Rand
	imports []*listedImport // that are listed, in order
	all     []*listedImport
	page    int // pages read
}

const never = 1 << 30

func (i *instance) add() {
	n := len(i.all)
	added := &listedImport{born: i.page, died: never, began: never, ended: never, Record: importjob.Record{
		AsyncRequestID: fmt.Sprint("a-", n), CreateTime: fmt.Sprintf("%03d", n), State: importjob.RecordSuccessful,
		DatabaseName: pick(i.Rand, "shop", "shop", "other", ""), FileName: pick(i.Rand, "shop.sql", "other.sql"),
	}}
	if i.Float64() < 0.4 {
		added.State, added.began = pick(i.Rand, importjob.RecordInitializing, importjob.RecordRunning), i.page
	}
	i.all = append(i.all, added)
	i.imports = slices.Insert(i.imports, i.IntN(len(i.imports)+1), added)
}

// change is what can happen between two pages.
func (i *instance) change() {
	switch i.IntN(4) {
	case 0:
		i.add()
	case 1:
		i.Shuffle(len(i.imports), func(a, b int) { i.imports[a], i.imports[b] = i.imports[b], i.imports[a] })
	case 2:
		if n := len(i.imports); n > 0 {
			at := i.IntN(n)
			i.imports[at].died = i.page
			i.imports = slices.Delete(i.imports, at, at+1)
		}
	case 3:
		if n := len(i.imports); n > 0 {
			if one := i.imports[i.IntN(n)]; one.began < never && one.ended == never {
				one.ended, one.State = i.page, pick(i.Rand, importjob.RecordSuccessful, importjob.RecordFailed)
			}
		}
	}
}

func (i *instance) read(offset, size int) importjob.Page {
	page := importjob.Page{Total: len(i.imports)}
	for _, one := range i.imports[min(offset, len(i.imports)):min(offset+size, len(i.imports))] {
		page.Records = append(page.Records, one.Record)
	}
	return page
}

// Whatever moves, appears, ends and goes while the pages are read: no import but one that matches is found, and never one of two. When the
// listing is steady, it is found soon.
func TestALookupFindsTheOneImportThatMatches(t *testing.T) {
	t.Parallel()
	begin, verdicts := time.Now(), map[int]int{}
	for seed := range *lookupCases {
		i := &instance{Rand: rand.New(rand.NewPCG(uint64(seed), 1))}
		for range i.IntN(12) {
			i.add()
		}
		filter := cdbv1.ImportFilter{InstanceID: "cdb-1", DatabaseName: pick(i.Rand, "", "shop"), FileName: pick(i.Rand, "", "shop.sql")}
		found, since := i.lookUp(t, filter)
		verdicts[min(len(found.matches), 2)]++
		for _, one := range i.all {
			throughout := one.born <= since && one.died == never && one.began <= since && one.ended == never
			isFound := slices.ContainsFunc(found.matches, func(r importjob.Record) bool { return r.AsyncRequestID == one.AsyncRequestID })
			switch matches := isMatch(filter, &one.Record); {
			case isFound && (!matches || one.began == never):
				t.Fatalf("seed %d: found %+v, which does not match %+v", seed, one, filter)
			case !isFound && matches && throughout:
				t.Fatalf("seed %d: did not find %+v, which was there since page %d of %d", seed, one, since, i.page)
			}
		}
	}
	t.Logf("%d lookups in %s: none, one and several found: %v", *lookupCases, time.Since(begin).Round(time.Millisecond), verdicts)
}

// lookUp reads until the finding is final. It returns it, and the page at which the first of the two listings that agree began.
func (i *instance) lookUp(t *testing.T, filter cdbv1.ImportFilter) (found *Finding, since int) {
	t.Helper()
	object := after()
	object.Spec.AsyncRequestID, object.Spec.Import = "", &filter
	lookup, size, restless := NewLookup(object), 1+i.IntN(4), i.IntN(60)
	begins := []int{0, 0, 0}
	for found == nil || !found.IsFinal() {
		if i.page > restless+200 {
			t.Fatalf("nothing found in 200 pages of a steady listing")
		}
		if lookup.Offset() == 0 {
			begins = append(begins[1:], i.page)
		}
		found = lookup.Add(i.read(lookup.Offset(), size))
		i.page++
		for range i.IntN(4) {
			if i.page < restless {
				i.change()
			}
		}
	}
	return found, begins[1]
}

// Another program shares the quota, so that every fortieth page is refused: 10,000 records are read all the same.
func TestARefusedPageDoesNotBeginTheListingAnew(t *testing.T) {
	t.Parallel()
	turn, total := 0, 10_000
	lookup := NewLookup(after(byInstance))
	for found := (*Finding)(nil); found == nil || !found.IsFinal(); turn++ {
		if turn > 400 {
			t.Fatalf("after %d calls the listing is at %d of %d", turn, lookup.Offset(), total)
		}
		if turn%40 == 39 {
			lookup.Fail(importjob.Throttled)
			continue
		}
		var records []importjob.Record
		for i := range importjob.PageSize {
			records = append(records, record(fmt.Sprint("a-", lookup.Offset()+i), importjob.RecordSuccessful, "shop"))
		}
		if lookup.Offset() == 500 {
			records[0].State = importjob.RecordRunning
		}
		found = lookup.Add(importjob.Page{Total: total, Records: records})
	}
}

func TestALookupCountsTheFailuresInARow(t *testing.T) {
	t.Parallel()
	lookup := NewLookup(after(byInstance))
	for want := range int32(3) {
		if got := lookup.Fail(importjob.Transient); got != want+1 {
			t.Errorf("failure %d, want %d", got, want+1)
		}
	}
	lookup.Add(page(2, record("a-b", importjob.RecordRunning, "shop")))
	if got := lookup.Fail(importjob.Transient); got != 1 {
		t.Errorf("after a page, failure %d", got)
	}
}

// The cloud may list an import before it has an id: each such record is one of its own.
func TestRecordsWithoutAnID(t *testing.T) {
	t.Parallel()
	nameless := record("", importjob.RecordRunning, "shop")
	var all listing
	for _, test := range []struct {
		size     int
		complete bool
	}{{2, false}, {3, true}} {
		complete, steady := all.add(page(5, slices.Repeat([]importjob.Record{nameless}, test.size)...))
		if !steady || complete != test.complete {
			t.Errorf("after a page of %d records: complete %t, steady %t", test.size, complete, steady)
		}
	}
}

// A page without records before the end of the listing says that it has changed. Nobody needs to know before it happens twice.
func TestAListingThatEndsEarlyIsReadAgain(t *testing.T) {
	t.Parallel()
	lookup := NewLookup(after(byInstance))
	for round, want := range []*Finding{nil, {certainty: unsteady, unsteady: 2}, {certainty: unsteady, unsteady: 3}} {
		if got := lookup.Add(page(2, record("a-b", importjob.RecordRunning, "shop"))); got != nil {
			t.Errorf("round %d: the first page says %+v", round, got)
		}
		got := lookup.Add(page(2))
		if (got == nil) != (want == nil) || got != nil && (got.certainty != want.certainty || got.unsteady != want.unsteady) {
			t.Errorf("round %d: %+v, want %+v", round, got, want)
		}
		if lookup.Offset() != 0 {
			t.Errorf("round %d: it goes on at %d", round, lookup.Offset())
		}
	}
}

func TestAsManyRecordsAsAreReadAtMost(t *testing.T) {
	t.Parallel()
	running := record("a-b", importjob.RecordRunning, "shop")
	for total, want := range map[int]bool{maxRecords: false, maxRecords + 1: true} {
		found := NewLookup(after(byInstance)).Add(page(total, running))
		if got := found != nil && found.certainty == tooMany; got != want {
			t.Errorf("%d records are too many: %t, want %t", total, got, want)
		}
	}
}
