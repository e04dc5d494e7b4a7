// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

var update = flag.Bool("update", false, "write docs/metrics.md instead of comparing it")

// described keeps what is registered.
type described struct {
	prometheus.Registerer
	rows []string
}

// descText is how a Desc prints itself: it has no other way to tell.
var descText = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "(.*?)"(?:, unit: "[^"]*")?, constLabels: \{\}, variableLabels: \{(.*)\}\}$`)

func (d *described) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc, 100)
	c.Describe(descs)
	close(descs)
	for desc := range descs {
		m := descText.FindStringSubmatch(desc.String())
		if m == nil {
			return fmt.Errorf("%s is not read", desc)
		}
		kind := "gauge"
		switch c.(type) {
		case *prometheus.CounterVec, prometheus.Counter:
			kind = "counter"
		}
		switch c.(type) {
		case *prometheus.HistogramVec, prometheus.Histogram:
			kind = "histogram"
		}
		labels := strings.ReplaceAll(strings.ReplaceAll(m[3], ",", ", "), "  ", " ")
		d.rows = append(d.rows, fmt.Sprintf("| `%s` | %s | %s | %s |\n", m[1], kind, labels, strings.ReplaceAll(m[2], "|", `\|`)))
	}
	return nil
}

// metricsPage lists the metrics as they are registered.
func metricsPage(t *testing.T) string {
	t.Helper()
	d := &described{}
	m, err := New(d, testLabels)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range reflect.ValueOf(m).Methods() { // those that register what is read at each scrape
		if kind := method.Type(); kind.NumOut() == 1 && kind.Out(0) == reflect.TypeFor[error]() {
			arguments := make([]reflect.Value, kind.NumIn())
			for i := range arguments {
				arguments[i] = reflect.Zero(kind.In(i))
			}
			if err := method.Call(arguments)[0]; !err.IsNil() {
				t.Fatal(err)
			}
		}
	}
	slices.Sort(d.rows)
	return `<!-- Made from internal/metrics by: go test ./internal/metrics -run TestMetricsPage -update -->
# Metrics of the operator

This page is for whoever builds dashboards and alerts. Afterwards you know each metric and its labels. [Watching it](operation.md#watching-it) says how to scrape them.

Besides these, the endpoint has the metrics of controller-runtime, of Go and of the process.

| metric | type | labels | meaning |
| --- | --- | --- | --- |
` + strings.Join(d.rows, "")
}

func TestMetricsPage(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "metrics.md")
	if *update {
		if err := os.WriteFile(path, []byte(metricsPage(t)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shown, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(shown) != metricsPage(t) {
		t.Errorf("docs/metrics.md does not list the metrics as they are; run: go test ./internal/metrics -run TestMetricsPage -update")
	}
	for _, name := range named(t) {
		if !strings.Contains(string(shown), "`"+name+"`") {
			t.Errorf("docs/metrics.md does not list %s", name)
		}
	}
}

// named are the metrics that the source names in full.
func named(t *testing.T) (names []string) {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(importjobstop_[a-z_]+[a-z])"`).FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
	}
	if len(names) < 5 {
		t.Errorf("only %q were found", names)
	}
	return names
}
