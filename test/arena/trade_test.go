// SPDX-License-Identifier: Apache-2.0

package arena

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// holds are for how many seconds a window stays below the size that was refused, in the table of the trade. shipped is the operator's.
var holds = []int{2, 4, 6, 8, 12, 16, 24}

const shipped = 8

// trade is what three clients reach with such a hold.
type trade struct {
	hold int
	result
}

// printed is a summary as JSON.
type printed struct {
	Used, Refused, Fairness float64
	Worst                   int
	Median, Slowest         time.Duration
	Lost                    int
}

// TestSummary prints what this operator reaches with three clients, as JSON, for a build with another hold.
func TestSummary(t *testing.T) {
	s := scenarioOf(t, "three")
	is, _ := repeated(t, s, this, *seeds)
	text, err := json.Marshal(printed{is.used, is.refused, is.fairness, is.worst, is.median, is.slowest, is.lost})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("summary %s", text)
}

func scenarioOf(t *testing.T, name string) scenario {
	t.Helper()
	for _, s := range scenarios {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("there is no scenario %s", name)
	return scenario{}
}

// TestTrade plays three clients with other holds than the operator's, and writes the table and the picture of what a hold costs and gains.
func TestTrade(t *testing.T) {
	if !*write {
		t.Skip("make arena plays other holds and writes them into docs")
	}
	var trades []trade
	for _, hold := range holds {
		is := playedWith(t, hold)
		t.Logf("a hold of %d s: %s", hold, is.row())
		trades = append(trades, is)
	}
	picture, err := pictureOf(trades)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, filepath.Join("pictures", "arena-trade.svg"), picture)
	page, err := os.ReadFile(filepath.Join(docs, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := insert(string(page), tradeMarks, []string{section(trades)})
	if err != nil {
		t.Fatal(err)
	}
	replace(t, "benchmarks.md", []byte(text))
}

// playedWith builds these tests with another hold in internal/quota, and returns what TestSummary prints.
func playedWith(t *testing.T, hold int) trade {
	t.Helper()
	original, err := filepath.Abs(filepath.Join("..", "..", "internal", "quota", "window.go"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	changedText := string(source)
	for from, to := range map[string]string{
		fmt.Sprintf("hold      = %d * time.Second", shipped):     fmt.Sprintf("hold      = %d * time.Second", hold),
		fmt.Sprintf("shortHold = %d * time.Second", shipped*3/4): fmt.Sprintf("shortHold = %d * time.Second / 4", hold*3),
	} {
		if strings.Count(changedText, from) != 1 {
			t.Fatalf("window.go does not say %q once", from)
		}
		changedText = strings.Replace(changedText, from, to, 1)
	}
	changed, overlay := filepath.Join(t.TempDir(), "window.go"), filepath.Join(t.TempDir(), "overlay.json")
	list, _ := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	for path, content := range map[string]string{changed: changedText, overlay: string(list)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	output, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "-overlay="+overlay, "-run=TestSummary", ".").CombinedOutput()
	_, text, found := strings.Cut(string(output), "summary ")
	if err != nil || !found {
		t.Fatalf("a hold of %d s: %v\n%s", hold, err, output)
	}
	var is printed
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&is); err != nil {
		t.Fatal(err)
	}
	f := figures{used: is.Used, refused: is.Refused, fairness: is.Fairness, worst: is.Worst}
	return trade{hold, result{summary: summary{f, is.Median, is.Slowest, is.Lost}}}
}

var tradeColumns = scenario{clients: 3, recovery: patience}

func (t trade) row() string {
	t.rival = fmt.Sprintf("%d s", t.hold)
	if t.hold == shipped {
		t.rival += ", as it ships"
	}
	return tradeColumns.row(t.result)
}

func section(trades []trade) string {
	rows := tradeColumns.titles("hold")
	for _, t := range trades {
		rows += t.row() + "\n"
	}
	return rows + "\n![Refused calls and the time until the one that stays has all of the quota, by hold](pictures/arena-trade.svg)\n"
}

// pictureOf draws refusals against recovery, a point for each hold.
func pictureOf(trades []trade) ([]byte, error) {
	p := newPlot("three clients of one quota: each point is a hold")
	p.X.Label.Text, p.Y.Label.Text = "recovery, at the worst, s", "refused, %"
	var points plotter.XYs
	var names []string
	for _, t := range trades {
		points = append(points, plotter.XY{X: t.slowest.Seconds(), Y: 100 * t.refused})
		names = append(names, fmt.Sprintf(" %d s", t.hold))
	}
	connection, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return nil, err
	}
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: points, Labels: names})
	if err != nil {
		return nil, err
	}
	connection.LineStyle, dots.GlyphStyle = style(0x1f, 0x4f, 0xaf, 1.3), draw.GlyphStyle{Color: connection.Color, Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
	labels.Offset = vg.Point{X: vg.Points(2), Y: vg.Points(3)}
	for i := range labels.TextStyle {
		labels.TextStyle[i].Font.Variant, labels.TextStyle[i].Font.Size = "Sans", vg.Points(8)
	}
	p.Add(plotter.NewGrid(), connection, dots, labels)
	p.X.Min, p.Y.Min, p.X.Max, p.Y.Max = 0, 0, p.X.Max*1.1, p.Y.Max*1.1
	canvas := vgsvg.New(panelWidth, 2*panelHeight)
	p.Draw(draw.New(canvas))
	var text bytes.Buffer
	_, err = canvas.WriteTo(&text)
	return withCommonFonts(text.Bytes()), err
}
