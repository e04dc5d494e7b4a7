// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The colours: each is readable on white and on each fill.
const (
	ink, soft           = "#1f2328", "#59636e"
	blue, green         = "#0969da", "#1a7f37"
	red, amber          = "#cf222e", "#9a6700"
	paleBlue, paleGreen = "#ddf4ff", "#dafbe1"
	paleRed, paleAmber  = "#ffebe9", "#fff8c5"
	white, pale         = "#ffffff", "#f6f8fa"
)

// canvas is a picture on white. Lengths are pixels.
type canvas struct{ body strings.Builder }

func (c *canvas) add(format string, args ...any) {
	_, _ = fmt.Fprintf(&c.body, format+"\n", args...)
}

// svg is the picture of this size, with what it shows in words.
func (c *canvas) svg(width, height int, title string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="Verdana, DejaVu Sans, sans-serif">
<title>%s</title>
<rect width="%d" height="%d" fill="%s"/>
%s</svg>
`, width, height, width, height, html.EscapeString(title), width, height, white, c.body.String())
}

// text at its baseline. The anchor is start, middle or end.
func (c *canvas) text(x, y, size int, anchor, colour, text string) {
	c.add(`<text x="%d" y="%d" font-size="%d" text-anchor="%s" fill="%s">%s</text>`, x, y, size, anchor, colour, html.EscapeString(text))
}

// box is a rectangle with lines of text in its middle.
func (c *canvas) box(x, y, width, height int, fill, border string, lines ...string) {
	c.add(`<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="%s" stroke="%s"/>`, x, y, width, height, fill, border)
	top := y + height/2 - (len(lines)-1)*8 + 5
	for i, row := range lines {
		c.text(x+width/2, top+16*i, 13, "middle", ink, row)
	}
}

// group is a frame with a title at its top.
func (c *canvas) group(x, y, width, height int, fill, border, title string) {
	c.add(`<rect x="%d" y="%d" width="%d" height="%d" rx="8" fill="%s" stroke="%s"/>`, x, y, width, height, fill, border)
	c.text(x+12, y+22, 14, "start", border, title)
}

// arrow is a line with a head at its end.
func (c *canvas) arrow(x1, y1, x2, y2 int, colour string, dashed bool) {
	dashes := ""
	if dashed {
		dashes = ` stroke-dasharray="5 4"`
	}
	c.add(`<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="1.5"%s/>`, x1, y1, x2, y2, colour, dashes)
	angle := math.Atan2(float64(y2-y1), float64(x2-x1))
	corner := func(turn float64) string {
		return fmt.Sprintf("%.1f,%.1f", float64(x2)-9*math.Cos(angle+turn), float64(y2)-9*math.Sin(angle+turn))
	}
	c.add(`<polygon points="%d,%d %s %s" fill="%s"/>`, x2, y2, corner(0.4), corner(-0.4), colour)
}
