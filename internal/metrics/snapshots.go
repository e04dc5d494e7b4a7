// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"fmt"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

var (
	credits = prometheus.NewDesc("importjobstop_budget_credits",
		"Calls that a budget allows in a second. The busiest budgets have a number while they are among them; other is the sum of the rest.",
		[]string{"budget", "action"}, nil)
	waiting = prometheus.NewDesc("importjobstop_budget_waiting",
		"Calls in the queue of a budget. The budget other is the sum of all that have no number.", []string{"budget", "action"}, nil)
	paused = prometheus.NewDesc("importjobstop_budget_paused",
		"1 while a budget makes no calls because the cloud refused one for its quota, else 0. For the budget other, the number of such budgets.",
		[]string{"budget", "action"}, nil)
	objects = prometheus.NewDesc("importjobstop_objects",
		"ImportJobStops by the reason of their Ready condition. None is an object that has no Ready condition yet, Other a reason that the operator does not set.",
		[]string{"reason"}, nil)
)

// snapshots reads the budgets and the objects when it is scraped.
type snapshots struct {
	*Metrics
	budgets func() []quota.State
	objects func() (map[string]int, error)
	busiest busiest
}

func (*snapshots) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{credits, waiting, paused, objects} {
		ch <- d
	}
}

func (s *snapshots) Collect(ch chan<- prometheus.Metric) {
	s.survive(func() { s.collectBudgets(ch) })
	s.survive(func() { s.collectObjects(ch) })
}

// survive recovers a panic. A registry collects in goroutines of its own, where a panic would end the process or fail the whole scrape.
func (s *snapshots) survive(collect func()) {
	defer func() {
		if p := recover(); p != nil {
			s.Recovered()
			log.Log.WithName("metrics").Error(fmt.Errorf("panic: %v", p), "recovered from a panic while collecting metrics", "stack", string(debug.Stack()))
		}
	}()
	collect()
}

func (s *snapshots) collectBudgets(ch chan<- prometheus.Metric) {
	for series, sum := range s.busiest.sums(s.budgets()) {
		gauge(ch, credits, sum.credits, series.budget, series.action)
		gauge(ch, waiting, sum.waiting, series.budget, series.action)
		gauge(ch, paused, sum.paused, series.budget, series.action)
	}
}

func (s *snapshots) collectObjects(ch chan<- prometheus.Metric) {
	counts, err := s.objects()
	if err != nil {
		log.Log.WithName("metrics").V(1).Info("listing objects failed, leaving out the metric importjobstop_objects", "error", err.Error())
		return
	}
	sums := map[string]int{}
	for reason, n := range counts {
		sums[s.reasons.value(reason, otherReason)] += n
	}
	for reason, n := range sums {
		gauge(ch, objects, n, reason)
	}
}

// gauge leaves out a sample that cannot be built, where the library's shorter way would panic or fail the scrape.
func gauge(ch chan<- prometheus.Metric, d *prometheus.Desc, value int, labels ...string) {
	m, err := prometheus.NewConstMetric(d, prometheus.GaugeValue, float64(value), labels...)
	if err != nil {
		log.Log.WithName("metrics").Error(err, "building a sample failed, leaving it out")
		return
	}
	ch <- m
}
