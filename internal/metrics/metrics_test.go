// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

var testLabels = Labels{
	Regions: []string{"ap-guangzhou"},
	Codes:   []string{"AuthFailure", "AuthFailure.SignatureExpire", "RequestLimitExceeded"},
	Reasons: []string{"StopAccepted", "Suspended"},
}

func newMetrics(t *testing.T) (*Metrics, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	m, err := New(registry, testLabels)
	if err != nil {
		t.Fatal(err)
	}
	return m, registry
}

// cloud fails as the id of the import says.
type cloud struct{ importjob.Cloud }

func (cloud) Stop(_ context.Context, _ importjob.Credentials, t importjob.Target) (string, error) {
	switch t.AsyncRequestID {
	case "OK":
		return "r-1", nil
	case "unclassified":
		return "", errors.New("unclassified")
	case "panic":
		panic("the SDK")
	}
	return "", fmt.Errorf("call: %w", &importjob.Error{Code: t.AsyncRequestID})
}

func (cloud) Describe(context.Context, importjob.Credentials, importjob.Target) (importjob.Status, error) {
	return importjob.StatusRunning, nil
}

func (cloud) List(_ context.Context, _ importjob.Credentials, _ importjob.Target, instanceID string, offset int) (importjob.Page, error) {
	if instanceID == "none" {
		return importjob.Page{}, &importjob.Error{Code: "AuthFailure"}
	}
	return importjob.Page{Total: offset}, nil
}

// Each action is counted as itself, and its result is passed on.
func TestEachActionIsObserved(t *testing.T) {
	t.Parallel()
	m, _ := newMetrics(t)
	c, target := m.Observe(cloud{}), importjob.Target{Region: "ap-guangzhou", AsyncRequestID: "OK"}
	id, stopped := c.Stop(t.Context(), importjob.Credentials{}, target)
	status, described := c.Describe(t.Context(), importjob.Credentials{}, target)
	page, listed := c.List(t.Context(), importjob.Credentials{}, target, "cdb-c1nl9rpv", 300)
	_, refused := c.List(t.Context(), importjob.Credentials{}, target, "none", 0)
	if id != "r-1" || status != importjob.StatusRunning || page.Total != 300 || errors.Join(stopped, described, listed) != nil || refused == nil {
		t.Errorf("got %q, %q, %+v; %v, %v, %v, %v", id, status, page, stopped, described, listed, refused)
	}
	for series, want := range map[[2]string]float64{
		{"StopDBImportJob", "OK"}: 1, {"DescribeAsyncRequestInfo", "OK"}: 1, {"DescribeDBImportRecords", "OK"}: 1, {"DescribeDBImportRecords", "AuthFailure"}: 1,
	} {
		if n := testutil.ToFloat64(m.cloudCalls.WithLabelValues(series[0], "ap-guangzhou", series[1])); n != want {
			t.Errorf("%v: %v calls", series, n)
		}
		if n := testutil.ToFloat64(m.inFlight.WithLabelValues(series[0])); n != 0 {
			t.Errorf("%v calls of %s in flight", n, series[0])
		}
	}
}

func TestRegionsAndCodesAreTheVendors(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"OK":                                  "OK",
		"AuthFailure":                         "AuthFailure",
		"AuthFailure.SignatureExpire":         "AuthFailure.SignatureExpire",
		"AuthFailure.New.Kind":                "AuthFailure",
		"RequestLimitExceeded.UinLimitExceed": "RequestLimitExceeded",
		"ClientError.NetworkError":            "ClientError",
		"[redacted]uthFailure":                "other",
		"Invented":                            "other",
		"":                                    "other",
		"\xff":                                "other",
		"unclassified":                        "other",
		"panic":                               "other",
	} {
		m, _ := newMetrics(t)
		c := m.Observe(cloud{})
		for _, region := range []string{"ap-guangzhou", "ap-invented", "\xff"} {
			func() {
				defer func() { _ = recover() }()
				_, _ = c.Stop(t.Context(), importjob.Credentials{}, importjob.Target{Region: region, AsyncRequestID: code})
			}()
		}
		if n := testutil.ToFloat64(m.cloudCalls.WithLabelValues("StopDBImportJob", "ap-guangzhou", want)); n != 1 {
			t.Errorf("%q: %v calls of code %s", code, n, want)
		}
		if n := testutil.ToFloat64(m.cloudCalls.WithLabelValues("StopDBImportJob", other, want)); n != 2 {
			t.Errorf("%q: %v calls in other regions", code, n)
		}
		if n := testutil.ToFloat64(m.inFlight.WithLabelValues("StopDBImportJob")); n != 0 {
			t.Errorf("%v calls in flight", n)
		}
	}
}

// A tenant who invents accounts, regions or reasons, or renews a key again and again, adds no series.
func TestSeriesAreBounded(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	c := m.Observe(cloud{})
	round, reasons := 0, map[string]int{}
	states := func() (all []quota.State) {
		for i := range 300 {
			account := fmt.Sprintf("AKID-%d-%d", round, i)
			for _, action := range []string{"StopDBImportJob", "DescribeAsyncRequestInfo", "DescribeDBImportRecords"} {
				all = append(all, quota.State{Key: quota.Key{Account: account, Host: "h", Action: action}, Waiting: i, Window: 1})
			}
		}
		return all
	}
	if err := m.Snapshots(states, func() (map[string]int, error) { return reasons, nil }); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for round = range 10 {
		for i := range 100 {
			_, _ = c.Stop(t.Context(), importjob.Credentials{}, importjob.Target{Region: fmt.Sprint(round, i), AsyncRequestID: fmt.Sprint(round, i)})
			reasons[fmt.Sprint(round, i)]++
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, sample := range f.GetMetric() {
				seen[f.GetName()+fmt.Sprint(sample.GetLabel())] = true
			}
		}
		if strings.Contains(fmt.Sprint(families), "AKID") {
			t.Fatal("an account is named")
		}
	}
	// Calls, latency and in flight have 1 series each here, as do acceptance, panics and objects; each of 21 budgets has 3 of 3 actions.
	if want := 6 + 21*3*3; len(seen) != want {
		t.Errorf("%d series in ten rounds, want %d", len(seen), want)
	}
}

func TestObjectsAreCountedByTheReasonsOfReady(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	err := m.Snapshots(func() []quota.State {
		return []quota.State{{Key: quota.Key{Account: "a", Action: "StopDBImportJob"}, Window: 10, Waiting: 3, Paused: true}}
	}, func() (map[string]int, error) {
		return map[string]int{"StopAccepted": 7, "None": 2, "Invented": 1, "\xff": 3}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `# HELP importjobstop_objects ImportJobStops by the reason of their Ready condition. None is an object that has no Ready condition yet, Other a reason that the operator does not set.
# TYPE importjobstop_objects gauge
importjobstop_objects{reason="None"} 2
importjobstop_objects{reason="Other"} 4
importjobstop_objects{reason="StopAccepted"} 7
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "importjobstop_objects"); err != nil {
		t.Error(err)
	}
	m.Waited(importjob.ActionStop, time.Second)
	m.Accepted(time.Second)
	m.Recovered()
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// The longest queues have series of their own; the rest is one sum.
func TestTheRestOfTheBudgetsIsSummed(t *testing.T) {
	t.Parallel()
	var states []quota.State
	for i := range maxBudgets + 3 {
		key := quota.Key{Account: fmt.Sprintf("%02d", i), Host: "h", Action: "StopDBImportJob"}
		states = append(states, quota.State{Key: key, Window: 5, Waiting: 100 - i, Paused: i > maxBudgets})
	}
	sums := new(busiest).sums(states)
	for budget, want := range map[string]total{"1": {5, 100, 0}, "20": {5, 81, 0}, other: {15, 80 + 79 + 78, 2}} {
		if got := sums[series{budget, "StopDBImportJob"}]; got != want {
			t.Errorf("budget %s is %+v, want %+v", budget, got, want)
		}
	}
	if len(sums) != maxBudgets+1 {
		t.Errorf("%d series", len(sums))
	}
}

// A panic neither ends the process nor hides the metrics that can be collected.
func TestAPanicWhileCollectingIsSurvived(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	err := m.Snapshots(func() []quota.State { panic("budgets") }, func() (map[string]int, error) { return map[string]int{"Suspended": 1}, nil })
	if err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil || !strings.Contains(fmt.Sprint(families), "Suspended") {
		t.Errorf("%v %v", err, families)
	}
	if n := testutil.ToFloat64(m.recovered); n != 1 {
		t.Errorf("%v panics counted", n)
	}
}

// A budget that stays among the busiest keeps its number, whatever happens to others.
func TestABusyBudgetKeepsItsNumber(t *testing.T) {
	t.Parallel()
	var b busiest
	at := func(lengths map[string]int) map[owner]int {
		var states []quota.State
		for account, length := range lengths {
			states = append(states, quota.State{Key: quota.Key{Account: account}, Waiting: length})
		}
		b.sums(states)
		return b.numbers
	}
	if n := at(map[string]int{"a": 9, "b": 8}); n[owner{account: "a"}] != 1 || n[owner{account: "b"}] != 2 {
		t.Errorf("the numbers are %v", n)
	}
	if n := at(map[string]int{"b": 9, "c": 1}); n[owner{account: "b"}] != 2 || n[owner{account: "c"}] != 1 || len(n) != 2 {
		t.Errorf("the numbers are %v", n)
	}
}
