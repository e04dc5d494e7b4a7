// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// screen is as much of a terminal as kubectl, the plugin and the demo use: carriage return, colours, and the erasing of a line. Lines wrap before a word
// that does not fit, so that a picture can be read.
type screen struct {
	width   int
	rows    []row
	column  int
	colour  string
	pending []byte // the beginning of a character or of a sequence
}

// row is a line, and when it became what it is.
type row struct {
	cells []cell
	at    time.Duration
}

type cell struct {
	r      rune
	colour string // empty: the default
}

func newScreen(width int) *screen { return &screen{width: width, rows: make([]row, 1)} }

// write what a program printed at a time.
func (s *screen) write(text []byte, at time.Duration) {
	s.pending = append(s.pending, text...)
	for len(s.pending) > 0 {
		if s.pending[0] == 0x1b {
			size := sequence(s.pending)
			if size == 0 {
				return
			}
			s.control(string(s.pending[:size]), at)
			s.pending = s.pending[size:]
			continue
		}
		if !utf8.FullRune(s.pending) {
			return
		}
		r, size := utf8.DecodeRune(s.pending)
		s.pending = s.pending[size:]
		s.put(r, at)
	}
}

// sequence returns the length of the escape sequence that text begins with, and 0 if its end is not there yet.
func sequence(text []byte) int {
	for i, b := range text {
		if i > 1 && b >= '@' && b <= '~' {
			return i + 1
		}
	}
	return 0
}

func (s *screen) control(sequence string, at time.Duration) {
	body := strings.TrimPrefix(sequence, "\x1b[")
	current := &s.rows[len(s.rows)-1]
	switch body[len(body)-1] {
	case 'm':
		s.colour = colours[strings.TrimSuffix(body, "m")]
	case 'K':
		current.cells, current.at = current.cells[:min(s.column, len(current.cells))], at
	}
}

var colours = map[string]string{"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341"}

func (s *screen) put(r rune, at time.Duration) {
	switch {
	case r == '\r':
		s.column = 0
		return
	case r == '\n':
		s.rows, s.column = append(s.rows, row{at: at}), 0
		return
	case r < ' ':
		return
	case s.column == s.width && r == ' ':
		s.rows, s.column = append(s.rows, row{at: at}), 0
		return
	case s.column == s.width:
		s.wrap(at)
	}
	current := &s.rows[len(s.rows)-1]
	for len(current.cells) <= s.column {
		current.cells = append(current.cells, cell{r: ' '})
	}
	current.cells[s.column], current.at = cell{r, s.colour}, at
	s.column++
}

// wrap takes the last word of a full line into the next one. A word that fills a line is cut.
func (s *screen) wrap(at time.Duration) {
	current := &s.rows[len(s.rows)-1]
	begin := len(current.cells)
	for begin > 0 && current.cells[begin-1].r != ' ' {
		begin--
	}
	var word []cell
	if begin > 0 {
		word = slices.Clone(current.cells[begin:])
		current.cells = current.cells[:begin]
	}
	s.rows, s.column = append(s.rows, row{cells: word, at: at}), len(word)
}

// text of the screen, without blanks at the ends of lines.
func (s *screen) text() string {
	var b strings.Builder
	for _, r := range s.rows {
		for _, c := range r.cells {
			b.WriteRune(c.r)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
