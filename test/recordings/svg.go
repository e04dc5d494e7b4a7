// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"strings"
	"time"
)

const (
	charWidth, lineHeight, margin = 7.8, 18, 8
	// longest is how long a picture stands still at the most, where the run took longer.
	longest = 1200 * time.Millisecond
)

// svg draws the screen. Its lines appear one after the other, as they did; at once for those who want nothing to move.
func (s *screen) svg() string {
	rows := s.rows
	for len(rows) > 0 && len(rows[len(rows)-1].cells) == 0 {
		rows = rows[:len(rows)-1]
	}
	width, height := float64(s.width)*charWidth+2*margin, len(rows)*lineHeight+2*margin
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 %.0f %d" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="13">
<style>text{fill:#e6edf3;white-space:pre;animation:s .01s both}@keyframes s{from{opacity:0}to{opacity:1}}@media(prefers-reduced-motion:reduce){text{animation:none}}</style>
<rect width="100%%" height="100%%" rx="8" fill="#0d1117"/>
`, width, height)
	var shown, last time.Duration
	for i, r := range rows {
		at := max(r.at, last)
		shown += min(at-last, longest)
		last = at
		if len(r.cells) > 0 {
			_, _ = fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" style=\"animation-delay:%.2fs\">%s</text>\n", margin, margin+13+i*lineHeight, shown.Seconds(), spans(r.cells))
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// spans are the characters of a line, by colour.
func spans(cells []cell) string {
	var b strings.Builder
	for i := 0; i < len(cells); {
		end := i
		var text strings.Builder
		for end < len(cells) && cells[end].colour == cells[i].colour {
			text.WriteRune(cells[end].r)
			end++
		}
		if escaped := html.EscapeString(text.String()); cells[i].colour == "" {
			b.WriteString(escaped)
		} else {
			_, _ = fmt.Fprintf(&b, `<tspan fill="%s">%s</tspan>`, cells[i].colour, escaped)
		}
		i = end
	}
	return b.String()
}
