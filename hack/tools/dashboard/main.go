// SPDX-License-Identifier: Apache-2.0

// dashboard DASHBOARD SCRAPES PICTURE draws the panels of a Grafana dashboard over scrapes: a folder of files, each with what an operator's
// /metrics said at the time, in milliseconds, that is its name. The queries are evaluated by Prometheus' own engine.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"sort"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: dashboard DASHBOARD SCRAPES PICTURE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

// panel is one of the dashboard.
type panel struct {
	Title       string `json:"title"`
	Type        string `json:"type"`
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Targets []struct {
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
	} `json:"targets"`
}

// curve is one series of a panel.
type curve struct {
	name   string
	points []promql.FPoint
}

// scrapeWindow stands for the window of five minutes that the dashboard has, since the run is shorter.
const scrapeWindow = "[10s]"

func run(dashboardPath, scrapes, picture string) error {
	text, err := os.ReadFile(dashboardPath)
	if err != nil {
		return err
	}
	var dashboard struct {
		Panels []panel `json:"panels"`
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "dashboard")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	store, from, to, err := load(scrapes, folder)
	if err != nil {
		return err
	}
	defer store.Close()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e7, Timeout: time.Minute, LookbackDelta: 5 * time.Second, Parser: parser.NewParser(parser.Options{})})
	curves := make([][]curve, len(dashboard.Panels))
	for i, p := range dashboard.Panels {
		if curves[i], err = evaluate(engine, store, p, from, to); err != nil {
			return fmt.Errorf("%s: %w", p.Title, err)
		}
	}
	return os.WriteFile(picture, []byte(draw(dashboard.Panels, curves, from, to)), 0o644)
}

var window = regexp.MustCompile(`\[\d+m\]`)

func evaluate(engine *promql.Engine, store storage.Queryable, p panel, from, to time.Time) (curves []curve, err error) {
	for _, target := range p.Targets {
		query, err := engine.NewRangeQuery(context.Background(), store, nil, window.ReplaceAllString(target.Expr, scrapeWindow), from, to, time.Second)
		if err != nil {
			return nil, err
		}
		result := query.Exec(context.Background())
		matrix, err := result.Matrix()
		if err != nil {
			return nil, err
		}
		for _, series := range matrix {
			points := make([]promql.FPoint, 0, len(series.Floats))
			for _, point := range series.Floats {
				if !math.IsNaN(point.F) {
					points = append(points, point)
				}
			}
			if len(points) > 0 {
				curves = append(curves, curve{legend(target.LegendFormat, series.Metric), points})
			}
		}
		query.Close()
	}
	sort.SliceStable(curves, func(i, j int) bool { return curves[i].name < curves[j].name })
	return curves, nil
}

var placeholder = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

func legend(format string, metric labels.Labels) string {
	return placeholder.ReplaceAllStringFunc(format, func(p string) string { return metric.Get(placeholder.FindStringSubmatch(p)[1]) })
}

// axis returns a round number that is not below the largest value, and how values of a unit are written.
func axis(curves []curve, unit string) (top float64, write func(float64) string) {
	for _, c := range curves {
		for _, point := range c.points {
			top = math.Max(top, point.F)
		}
	}
	if top == 0 {
		top = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(top)))
	for _, times := range []float64{1, 2, 5, 10} {
		if times*step >= top {
			top = times * step
			break
		}
	}
	suffix := map[string]string{"s": " s", "reqps": "/s", "percent": " %"}[unit]
	return top, func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) + suffix }
}
