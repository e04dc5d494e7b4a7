// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

var (
	credits = prometheus.NewDesc("importjobstop_budget_credits",
		"Calls that a budget allows in a second. A budget is known by a hash that changes with each start of the operator.", []string{"budget", "action"}, nil)
	waiting = prometheus.NewDesc("importjobstop_budget_waiting", "Calls in the line of a budget.", []string{"budget", "action"}, nil)
	paused  = prometheus.NewDesc("importjobstop_budget_paused", "1 while a budget spends nothing because the cloud refused a call for its quota.",
		[]string{"budget", "action"}, nil)
	objects = prometheus.NewDesc("importjobstop_objects", "ImportJobStops by the reason of their Ready condition; None before the operator has seen them.",
		[]string{"reason"}, nil)
	salt = rand.Text()
)

// snapshots are looked up when they are asked for.
type snapshots struct {
	budgets func() []quota.State
	objects func() (map[string]int, error)
}

func (*snapshots) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{credits, waiting, paused, objects} {
		ch <- d
	}
}

func (s *snapshots) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value), labels...)
	}
	for _, b := range s.budgets() {
		name := hash(b.Key)
		gauge(credits, b.Window, name, b.Key.Action)
		gauge(waiting, b.Line, name, b.Key.Action)
		pause := 0
		if b.Paused {
			pause = 1
		}
		gauge(paused, pause, name, b.Key.Action)
	}
	counts, err := s.objects()
	if err != nil {
		return // the cache has not started
	}
	for reason, n := range counts {
		gauge(objects, n, reason)
	}
}

// hash tells budgets apart without telling whose they are.
func hash(k quota.Key) string {
	sum := sha256.Sum256([]byte(salt + "\n" + k.Account + "\n" + k.Host))
	return hex.EncodeToString(sum[:4])
}
