// SPDX-License-Identifier: Apache-2.0

package arena

import (
	"bytes"
	"fmt"
	"image/color"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	columns     = 2
	panelWidth  = 3.3 * vg.Inch // two of them in a row can still be read on a telephone
	panelHeight = 1.9 * vg.Inch
	// top is where a panel ends. More calls a second are drawn there, and the title of the panel says how many they were.
	top = 2 * vendorLimit
)

// game is one scenario played by one rival.
type game struct {
	rival string
	seen  []arrival
}

// picture draws calls and refusals over time as SVG, a panel for each game.
func (s scenario) picture(games []game) ([]byte, error) {
	width, height := size(len(games))
	canvas := vgsvg.New(width, height)
	if err := s.draw(canvas, games); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	_, err := canvas.WriteTo(&text)
	return withCommonFonts(text.Bytes()), err
}

// size is that of a picture of so many games and a legend.
func size(games int) (width, height vg.Length) {
	return columns * panelWidth, vg.Length((games+columns)/columns) * panelHeight
}

func (s scenario) draw(canvas vg.CanvasSizer, games []game) error {
	panels := make([][]*plot.Plot, (len(games)+columns)/columns)
	for i := range panels {
		panels[i] = make([]*plot.Plot, columns)
	}
	for i := range len(games) + 1 {
		p, err := s.legend(), error(nil)
		if i < len(games) {
			p, err = s.panel(games[i])
		}
		if err != nil {
			return err
		}
		panels[i/columns][i%columns] = p
	}
	tiles := draw.Tiles{
		Rows: len(panels), Cols: columns, PadX: vg.Points(14), PadY: vg.Points(8),
		PadTop: vg.Points(4), PadBottom: vg.Points(4), PadLeft: vg.Points(4), PadRight: vg.Points(10),
	}
	for i, row := range plot.Align(panels, tiles, draw.New(canvas)) {
		for j, p := range panels[i] {
			if p != nil {
				p.Draw(row[j])
			}
		}
	}
	return nil
}

// withCommonFonts names fonts that readers have, next to the plotting library's own.
func withCommonFonts(svg []byte) []byte {
	return bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
}

// curve is what is counted in a panel, and how it is drawn.
type curve struct {
	name   string
	style  draw.LineStyle
	counts func(arrival) bool
}

func style(r, g, b uint8, width float64, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: color.RGBA{R: r, G: g, B: b, A: 0xff}, Width: vg.Points(width), Dashes: dashes}
}

var quotaStyle = style(0x40, 0x40, 0x40, 0.8, vg.Points(4), vg.Points(3))

// curves have the most important one last, on top of the others.
func (s scenario) curves() (all []curve) {
	if s.hasOtherProgram() {
		all = append(all, curve{"the other program", style(0x90, 0x90, 0x90, 1), func(a arrival) bool { return a.client == outside && !a.refused }})
	}
	for i := range s.clients {
		if s.clients > 1 {
			all = append(all, curve{"accepted of one client", style(0x86, 0xb6, 0xe8, 0.7), func(a arrival) bool { return a.client == i && !a.refused }})
		}
	}
	return append(
		all,
		curve{"refused", style(0xd0, 0x30, 0x20, 1), func(a arrival) bool { return a.client != outside && a.refused }},
		curve{"accepted", style(0x1f, 0x4f, 0xaf, 1.3), func(a arrival) bool { return a.client != outside && !a.refused }},
	)
}

func (s scenario) panel(g game) (*plot.Plot, error) {
	p := newPlot(g.rival)
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(seconds), plot.TickerFunc(perSecond)
	p.Add(plotter.NewGrid(), s.quota())
	for _, c := range s.curves() {
		points, highest := s.perSecondOf(g.seen, c.counts)
		drawn, err := plotter.NewLine(points)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g.rival, err)
		}
		drawn.LineStyle = c.style
		p.Add(drawn)
		if highest > top {
			p.Title.Text += fmt.Sprintf("\n%s: up to %.0f/s", c.name, highest)
		}
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, s.end().Seconds(), 0, top
	return p, nil
}

func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	for text, size := range map[*font.Font]float64{
		&p.Title.TextStyle.Font: 10, &p.X.Tick.Label.Font: 9.5, &p.Y.Tick.Label.Font: 9.5, &p.Legend.TextStyle.Font: 10,
		&p.X.Label.TextStyle.Font: 9.5, &p.Y.Label.TextStyle.Font: 9.5,
	} {
		text.Variant, text.Size = "Sans", vg.Points(size)
	}
	return p
}

func (s scenario) legend() *plot.Plot {
	p := newPlot("calls a second")
	p.HideAxes()
	p.Legend.Left, p.Legend.Top, p.Legend.Padding = true, true, vg.Points(3)
	p.Legend.Add("the quota", &plotter.Line{LineStyle: quotaStyle})
	known := map[string]bool{}
	for _, c := range s.curves() {
		if !known[c.name] {
			p.Legend.Add(c.name, &plotter.Line{LineStyle: c.style})
		}
		known[c.name] = true
	}
	return p
}

// quota is the line of what the server lets in.
func (s scenario) quota() *plotter.Line {
	at := func(t time.Duration, n float64) plotter.XY { return plotter.XY{X: t.Seconds(), Y: n} }
	return &plotter.Line{LineStyle: quotaStyle, XYs: plotter.XYs{
		at(0, vendorLimit), at(s.from, vendorLimit), at(s.from, s.perSecond), at(s.to, s.perSecond), at(s.to, vendorLimit), at(s.end(), vendorLimit),
	}}
}

// perSecondOf counts some of the calls in steps of a second, or of two where a scenario is long.
func (s scenario) perSecondOf(seen []arrival, counts func(arrival) bool) (points plotter.XYs, highest float64) {
	step := time.Second
	if s.end() > 2*time.Minute {
		step *= 2
	}
	sums := make([]float64, s.end()/step)
	for _, a := range seen {
		if i := int(a.at / step); i < len(sums) && counts(a) {
			sums[i] += 1 / step.Seconds()
		}
	}
	for i, n := range sums {
		highest = max(highest, n)
		points = append(points, plotter.XY{X: (time.Duration(i)*step + step/2).Seconds(), Y: min(n, top)})
	}
	return points, highest
}

// seconds are the ticks of the time: every 40 s, and more often where a scenario is short.
func seconds(_, last float64) (ticks []plot.Tick) {
	step := 10.0
	switch {
	case last > 120:
		step = 40
	case last > 80:
		step = 20
	}
	for at := 0.0; at <= last; at += step {
		ticks = append(ticks, plot.Tick{Value: at, Label: fmt.Sprintf("%.0f s", at)})
	}
	return ticks
}

// perSecond are the ticks of the rate: the limit among them.
func perSecond(_, last float64) (ticks []plot.Tick) {
	for n := 0.0; n <= last; n += vendorLimit / 2 {
		ticks = append(ticks, plot.Tick{Value: n, Label: fmt.Sprintf("%.0f/s", n)})
	}
	return ticks
}
