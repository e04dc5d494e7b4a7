// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

type cloud struct{ importjob.Cloud }

func (cloud) Stop(_ context.Context, _ importjob.Credentials, t importjob.Target) (string, error) {
	if t.AsyncRequestID == "known" {
		return "r-1", nil
	}
	return "", &importjob.Error{Code: "Code." + t.AsyncRequestID}
}

func TestCallsAreCountedByCodeAndLabelsAreBounded(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	m, err := New(registry)
	if err != nil {
		t.Fatal(err)
	}
	c := m.Observe(cloud{})
	_, _ = c.Stop(t.Context(), importjob.Credentials{}, importjob.Target{Region: "r", AsyncRequestID: "known"})
	for i := range 1000 {
		_, _ = c.Stop(t.Context(), importjob.Credentials{}, importjob.Target{Region: fmt.Sprint(i), AsyncRequestID: fmt.Sprint(i)})
	}
	if n := testutil.ToFloat64(m.calls.WithLabelValues("StopDBImportJob", "r", "OK")); n != 1 {
		t.Errorf("%v successes", n)
	}
	if n := testutil.ToFloat64(m.calls.WithLabelValues("StopDBImportJob", other, other)); n < 800 {
		t.Errorf("%v calls under other", n)
	}
	if n := testutil.CollectAndCount(m.calls); n > maxValues+2 {
		t.Errorf("%d series", n)
	}
	if n := testutil.ToFloat64(m.inFlight.WithLabelValues("StopDBImportJob")); n != 0 {
		t.Errorf("%v calls in flight", n)
	}
}

func TestSnapshotsNameNoAccount(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	m, err := New(registry)
	if err != nil {
		t.Fatal(err)
	}
	m.Waited(importjob.ActionStop, time.Second)
	m.Accepted(time.Second)
	err = Snapshots(registry, func() []quota.State {
		return []quota.State{{Key: quota.Key{Account: "AKIDsecret", Host: "h", Action: "StopDBImportJob"}, Window: 10, Line: 3, Paused: true}}
	}, func() (map[string]int, error) { return map[string]int{"StopAccepted": 7}, nil })
	if err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(families)
	for _, want := range []string{"importjobstop_budget_credits", "importjobstop_budget_waiting", "importjobstop_budget_paused", "importjobstop_objects", "StopAccepted"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(text, "AKID") {
		t.Error("an account is named")
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}
