// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"strings"
	"time"
)

const (
	// A picture of two panels in a row can still be read on a telephone.
	panelWidth, panelHeight      = 400, 290
	left, right, top, plotHeight = 62, 16, 38, 140
	// A row of the legend, and how wide a letter of it is at the most.
	legendRows, rowHeight, letterWidth = 5, 18, 8.5
)

// colours of the curves, readable on white and apart from each other.
var colours = []string{"#0969da", "#1a7f37", "#cf222e", "#9a6700", "#8250df", "#bf3989", "#1b7c83", "#59636e"}

// draw puts two panels into a row, as the dashboard has them.
func draw(panels []panel, curves [][]curve, from, to time.Time) string {
	var b strings.Builder
	height := (len(panels) + 1) / 2 * panelHeight
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="Verdana, DejaVu Sans, sans-serif" font-size="14" fill="#1f2328">
<title>The dashboard over a run of %.0f seconds</title>
<rect width="100%%" height="100%%" fill="#ffffff"/>
`, 2*panelWidth, height, 2*panelWidth, height, to.Sub(from).Seconds())
	for i, p := range panels {
		fmt.Fprintf(&b, "<g transform=\"translate(%d %d)\">\n", i%2*panelWidth, i/2*panelHeight)
		drawPanel(&b, p, curves[i], from, to)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func drawPanel(b *strings.Builder, p panel, curves []curve, from, to time.Time) {
	const width = panelWidth - left - right
	fmt.Fprintf(b, "<rect x=\"4\" y=\"4\" width=\"%d\" height=\"%d\" rx=\"4\" fill=\"none\" stroke=\"#d1d9e0\"/>\n", panelWidth-8, panelHeight-8)
	fmt.Fprintf(b, "<text x=\"14\" y=\"25\" font-weight=\"bold\">%s</text>\n", html.EscapeString(p.Title))
	most, write := axis(curves, p.FieldConfig.Defaults.Unit)
	for _, part := range []float64{0, .5, 1} {
		y := top + plotHeight*(1-part)
		fmt.Fprintf(b, "<path d=\"M%d %.0fh%d\" stroke=\"#eaeef2\"/><text x=\"%d\" y=\"%.0f\" text-anchor=\"end\" fill=\"#59636e\">%s</text>\n", left, y, width, left-5, y+5, write(most*part))
	}
	seconds := to.Sub(from).Seconds()
	for s := 0.; s <= seconds; s += 15 {
		fmt.Fprintf(b, "<text x=\"%.0f\" y=\"%d\" text-anchor=\"middle\" fill=\"#59636e\">%.0f s</text>\n", left+width*s/seconds, top+plotHeight+18, s)
	}
	for i, c := range curves {
		drawCurve(b, c, colours[i%len(colours)], func(at int64, value float64) (x, y float64) {
			return left + width*float64(at-from.UnixMilli())/1000/seconds, top + plotHeight*(1-value/most)
		})
	}
	drawLegend(b, curves)
}

// drawCurve has a gap where there was no value for more than two seconds.
func drawCurve(b *strings.Builder, c curve, colour string, place func(int64, float64) (x, y float64)) {
	var path strings.Builder
	last := int64(-1 << 60)
	for _, point := range c.points {
		step := 'L'
		if point.T-last > 2000 {
			step = 'M'
		}
		x, y := place(point.T, point.F)
		fmt.Fprintf(&path, "%c%.0f %.1f", step, x, y)
		last = point.T
	}
	fmt.Fprintf(b, "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\"/>\n", path.String(), colour)
}

// drawLegend names the curves under them, as far as there is room.
func drawLegend(b *strings.Builder, curves []curve) {
	const firstRow = top + plotHeight + 40
	const most = int((panelWidth - left - right - 16) / letterWidth)
	x, y := left, firstRow
	for i, c := range curves {
		name := c.name
		if len(name) > most {
			name = name[:most-1] + "…"
		}
		width := 30 + int(letterWidth*float64(len(name)))
		if x+width > panelWidth-right && x > left {
			x, y = left, y+rowHeight
		}
		if y == firstRow+rowHeight*(legendRows-1) && i < len(curves)-1 {
			fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" fill=\"#59636e\">and %d more</text>\n", left, y, len(curves)-i)
			return
		}
		fmt.Fprintf(b, "<rect x=\"%d\" y=\"%d\" width=\"11\" height=\"11\" fill=\"%s\"/><text x=\"%d\" y=\"%d\">%s</text>\n", x, y-11, colours[i%len(colours)], x+16, y, html.EscapeString(name))
		x += width
	}
	if len(curves) == 0 {
		fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" fill=\"#59636e\">none in this run</text>\n", x, y)
	}
}
