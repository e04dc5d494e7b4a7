// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// maxNamespaces is how many namespaces have series of their own at a time.
const maxNamespaces = 100

// The label is not named namespace: that is what Prometheus calls the namespace of the pod that it scrapes.
var (
	recentlyFailed = prometheus.NewDesc("importjobstop_recently_failed_objects",
		"ImportJobStops whose Ready condition became False within the last hour, by their namespace and reason. A namespace without any has no series. If more than 100 have some, other is the sum of the rest.",
		[]string{"object_namespace", "reason"}, nil)
	oldestUnfinished = prometheus.NewDesc("importjobstop_oldest_unfinished_seconds",
		"For how long the operator has worked on the oldest ImportJobStop that is neither finished nor suspended, by namespace and reason. A namespace without any has no series. If more than 100 have some, other is the oldest of the rest.",
		[]string{"object_namespace", "reason"}, nil)
)

// Trouble is what somebody may have to look at: objects of one namespace whose Ready has one reason.
type Trouble struct {
	Namespace, Reason string
	// RecentlyFailed is the number of objects that failed within the last hour.
	RecentlyFailed int
	// OldestUnfinished is the age of the oldest object that the operator works on; zero if it works on none.
	OldestUnfinished time.Duration
}

// Troubles registers what is read at each scrape about the objects of each namespace. While read returns an error, a scrape has nothing of it.
func (m *Metrics) Troubles(read func() ([]Trouble, error)) error {
	return m.register(&troubles{snapshots{Metrics: m}, read})
}

type troubles struct {
	snapshots
	read func() ([]Trouble, error)
}

func (*troubles) Describe(ch chan<- *prometheus.Desc) { ch <- recentlyFailed; ch <- oldestUnfinished }

func (t *troubles) Collect(ch chan<- prometheus.Metric) {
	t.survive(func() {
		all, err := t.read()
		if err != nil {
			log.Log.WithName("metrics").V(1).Info("listing objects failed, leaving out the metrics by namespace", "error", err.Error())
			return
		}
		for labels, sum := range t.sums(all) {
			if sum.RecentlyFailed > 0 {
				gauge(ch, recentlyFailed, sum.RecentlyFailed, labels.namespace, labels.reason)
			}
			if sum.OldestUnfinished > 0 {
				gauge(ch, oldestUnfinished, int(sum.OldestUnfinished.Seconds()), labels.namespace, labels.reason)
			}
		}
	})
}

type troubleLabels struct{ namespace, reason string }

// sums returns the samples of a scrape: at most so many namespaces, those with the most trouble.
func (t *troubles) sums(all []Trouble) map[troubleLabels]Trouble {
	own := worst(all)
	sums := map[troubleLabels]Trouble{}
	for _, trouble := range all {
		key := troubleLabels{own.value(trouble.Namespace, other), t.reasons.value(trouble.Reason, otherReason)}
		sum := sums[key]
		sum.RecentlyFailed += trouble.RecentlyFailed
		sum.OldestUnfinished = max(sum.OldestUnfinished, trouble.OldestUnfinished)
		sums[key] = sum
	}
	return sums
}

// worst are the namespaces with the most failed objects, and with the oldest unfinished ones among equals.
func worst(all []Trouble) known {
	of := map[string]Trouble{}
	for _, trouble := range all {
		sum := of[trouble.Namespace]
		sum.RecentlyFailed += trouble.RecentlyFailed
		sum.OldestUnfinished = max(sum.OldestUnfinished, trouble.OldestUnfinished)
		of[trouble.Namespace] = sum
	}
	names := slices.SortedFunc(maps.Keys(of), func(a, b string) int {
		return cmp.Or(cmp.Compare(of[b].RecentlyFailed, of[a].RecentlyFailed), cmp.Compare(of[b].OldestUnfinished, of[a].OldestUnfinished), cmp.Compare(a, b))
	})
	return newKnown(names[:min(len(names), maxNamespaces)]...)
}
