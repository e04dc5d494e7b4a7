// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// maxRecords bounds the listing of an instance, and so the memory of a lookup.
const maxRecords = 20_000

// Lookup reads the imports of an instance until two complete listings in a row say the same of the import that an object means. It lives in
// memory: after a crash it starts over, which costs nothing but reads. Create one with NewLookup.
type Lookup struct {
	target   cdbv1.Target // without an id: it searches; with one: it checks
	listing  listing
	before   *Finding // of the complete listing before
	unsteady int32    // listings in a row that were incomplete, or said something else than the one before
	failures int32    // pages in a row that were not answered
}

// NewLookup begins the lookup of the import that an object means.
func NewLookup(object *cdbv1.ImportJobStop) *Lookup { return &Lookup{target: targetOf(object)} }

// IsFor says whether the object still means the import that is looked up.
func (l *Lookup) IsFor(object *cdbv1.ImportJobStop) bool { return l.target == targetOf(object) }

// Offset is that of the page to read next, in records.
func (l *Lookup) Offset() int { return l.listing.offset }

// Fail notes a page that was not answered, and returns how many there were in a row. Where the same question may be answered later, the
// listing goes on from there: a long one would never come to its end beside a program that shares the quota. Else it begins anew.
func (l *Lookup) Fail(class importjob.Class) int32 {
	if !isPassing(class) {
		l.listing, l.before = listing{}, nil
	}
	l.failures = min(l.failures+1, 1<<20)
	return l.failures
}

// Add takes the next page. It returns what is to be written into status, or nil if the page at Offset must be read first.
func (l *Lookup) Add(page importjob.Page) *Finding {
	l.failures = 0
	complete, steady := l.listing.add(page)
	switch {
	case l.listing.total > maxRecords:
		found := &Finding{target: l.target, certainty: tooMany, total: l.listing.total}
		l.listing = listing{}
		return found
	case !steady:
		l.listing, l.before = listing{}, nil
		return l.again(&Finding{target: l.target})
	case !complete:
		return nil
	}
	found, before := l.listing.find(l.target), l.before
	l.listing, l.before = listing{}, found
	switch {
	case before != nil && before.says() == found.says():
		l.unsteady, found.certainty = 0, agreed
		return found
	case found.isNothing():
		found.certainty = nothingYet
		return found
	case before == nil:
		return nil // it is read once more, at once
	}
	return l.again(found)
}

// again reads the listing once more. At the first time, nobody needs to know.
func (l *Lookup) again(found *Finding) *Finding {
	l.unsteady = min(l.unsteady+1, 1<<20)
	if l.unsteady == 1 {
		return nil
	}
	found.certainty, found.unsteady = unsteady, l.unsteady
	return found
}

// certainty says how far a finding can be relied on.
type certainty int

const (
	agreed     certainty = iota // two complete listings in a row say so
	nothingYet                  // the import is not listed; records can appear late
	unsteady                    // the listing keeps changing
	tooMany                     // more records than maxRecords
)

// Finding is what the listing of an instance says of the import that an object means.
type Finding struct {
	target    cdbv1.Target
	certainty certainty
	total     int                // records of the instance
	matches   []importjob.Record // that are not over, when searching
	record    *importjob.Record  // with the id, when checking; nil: there is none
	ids       string             // of all records
	newest    *importjob.Record  // nil: there is none
	unsteady  int32
}

// IsFinal says whether the lookup has come to its end.
func (f *Finding) IsFinal() bool { return f.certainty == agreed || f.certainty == tooMany }

// isNothing: no import is listed that could be the one.
func (f *Finding) isNothing() bool {
	if f.target.AsyncRequestID != "" {
		return f.record == nil
	}
	return len(f.matches) == 0
}

// says is what two listings must agree on: every id, so that none that was there all the time was missed by both, and what is known of the
// import. A record is missed when it moves to a page that was read already; then another one is read twice, and the listing has fewer
// than its total, unless a record was added and another one dropped while it was read. The same cannot have happened to both listings:
// what was added while the second was read is not in the first. The progress may differ.
func (f *Finding) says() string {
	var b strings.Builder
	b.WriteString(f.ids)
	for _, r := range f.matches {
		fmt.Fprintf(&b, "%q %q %q\n", r.AsyncRequestID, r.DatabaseName, r.FileName)
	}
	if r := f.record; r != nil {
		fmt.Fprintf(&b, "%q %q %q %t\n", r.State, r.DatabaseName, r.FileName, isUnfinished(r))
	}
	return b.String()
}

// listing is one reading of all pages. The zero value has read none.
type listing struct {
	records       map[string]importjob.Record
	total, offset int
}

// add adds a page. A listing that is not steady has changed while it was read: a record may have been missed.
func (l *listing) add(page importjob.Page) (complete, steady bool) {
	if l.records == nil {
		l.records, l.total = map[string]importjob.Record{}, page.Total
	}
	for i, r := range page.Records {
		key := r.AsyncRequestID
		if key == "" {
			key = fmt.Sprint("#", l.offset+i)
		}
		l.records[key] = r
	}
	l.offset += len(page.Records)
	complete = l.offset >= l.total
	steady = page.Total == l.total && (complete || len(page.Records) > 0) && (!complete || len(l.records) == l.total)
	return complete, steady
}

// find says what the listing has for a target.
func (l *listing) find(target cdbv1.Target) *Finding {
	keys := slices.Sorted(maps.Keys(l.records))
	found := &Finding{target: target, total: l.total, ids: strings.Join(keys, "\n") + "\n"}
	for _, key := range keys {
		r := l.records[key]
		switch {
		case target.AsyncRequestID == "" && isUnfinished(&r) && isMatch(target.Import, &r):
			found.matches = append(found.matches, r)
		case target.AsyncRequestID != "" && target.AsyncRequestID == r.AsyncRequestID:
			found.record = &r
		}
		if found.newest == nil || cmp.Compare(found.newest.CreateTime, r.CreateTime) < 0 {
			found.newest = &r
		}
	}
	return found
}

func isUnfinished(r *importjob.Record) bool {
	return r.State == importjob.RecordInitializing || r.State == importjob.RecordRunning
}

// isMatch compares exactly: what the cloud does not tell is no match.
func isMatch(filter cdbv1.ImportFilter, r *importjob.Record) bool {
	return (filter.DatabaseName == "" || filter.DatabaseName == r.DatabaseName) && (filter.FileName == "" || filter.FileName == r.FileName)
}
