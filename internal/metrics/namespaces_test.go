// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// Each namespace has what there is to look at; a reason that nobody sets is Other.
func TestTroubleIsCountedByNamespace(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	err := m.Troubles(func() ([]Trouble, error) {
		return []Trouble{{"shop", "StopAccepted", 2, 0}, {"shop", "None", 0, 90 * time.Second}, {"billing", "Invented", 1, time.Minute}, {"billing", "Made-up", 1, time.Hour}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `# HELP importjobstop_oldest_unfinished_seconds For how long the operator has worked on the oldest ImportJobStop that is neither finished nor suspended, by namespace and reason. A namespace without any has no series. If more than 100 have some, other is the oldest of the rest.
# TYPE importjobstop_oldest_unfinished_seconds gauge
importjobstop_oldest_unfinished_seconds{object_namespace="billing",reason="Other"} 3600
importjobstop_oldest_unfinished_seconds{object_namespace="shop",reason="None"} 90
# HELP importjobstop_recently_failed_objects ImportJobStops whose Ready condition became False within the last hour, by their namespace and reason. A namespace without any has no series. If more than 100 have some, other is the sum of the rest.
# TYPE importjobstop_recently_failed_objects gauge
importjobstop_recently_failed_objects{object_namespace="billing",reason="Other"} 2
importjobstop_recently_failed_objects{object_namespace="shop",reason="StopAccepted"} 2
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "importjobstop_oldest_unfinished_seconds", "importjobstop_recently_failed_objects"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// However many namespaces there are, the worst hundred have series of their own, and the rest is one.
func TestNamespacesAreBounded(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	var all []Trouble
	for i := range 10_000 {
		all = append(all, Trouble{fmt.Sprint("team-", i), "None", i, time.Duration(i) * time.Second})
	}
	if err := m.Troubles(func() ([]Trouble, error) { return all, nil }); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"importjobstop_recently_failed_objects", "importjobstop_oldest_unfinished_seconds"} {
		if n, err := testutil.GatherAndCount(registry, name); err != nil || n != maxNamespaces+1 {
			t.Errorf("%d series of %s, %v", n, name, err)
		}
	}
	sums := (&troubles{snapshots: snapshots{Metrics: m}}).sums(all)
	if sums[troubleLabels{"team-9900", "None"}].RecentlyFailed != 9900 || sums[troubleLabels{other, "None"}] != (Trouble{RecentlyFailed: 9899 * 9900 / 2, OldestUnfinished: 9899 * time.Second}) {
		t.Errorf("the sums are %v and %v", sums[troubleLabels{"team-9900", "None"}], sums[troubleLabels{other, "None"}])
	}
}

// Before the cache is filled, and after a panic, a scrape has all else.
func TestAScrapeWithoutTrouble(t *testing.T) {
	t.Parallel()
	for _, read := range []func() ([]Trouble, error){
		func() ([]Trouble, error) { return nil, errors.New("not yet") },
		func() ([]Trouble, error) { panic("trouble") },
	} {
		m, registry := newMetrics(t)
		if err := m.Troubles(read); err != nil {
			t.Fatal(err)
		}
		if n, err := testutil.GatherAndCount(registry, "importjobstop_recently_failed_objects"); err != nil || n != 0 {
			t.Errorf("%d series, %v", n, err)
		}
	}
}
