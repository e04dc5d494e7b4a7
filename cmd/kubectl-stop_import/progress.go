// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress shows each new situation on a line of its own, and on a terminal that something is still going on.
type progress struct {
	out    io.Writer
	last   string
	ticker *time.Ticker // nil: no terminal
	turns  int
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.ticker = time.NewTicker(100 * time.Millisecond)
	}
	return p
}

const clearLine = "\r\x1b[K"

func (p *progress) show(reason, message string) {
	if reason == p.last {
		return
	}
	p.last = reason
	p.wipe()
	_, _ = fmt.Fprintf(p.out, "%s: %s\n", reason, message)
}

// tick tells when to turn; never without a terminal.
func (p *progress) tick() <-chan time.Time {
	if p.ticker == nil {
		return nil
	}
	return p.ticker.C
}

func (p *progress) turn() {
	p.turns++
	_, _ = fmt.Fprintf(p.out, "\r%c", []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")[p.turns%10])
}

func (p *progress) wipe() {
	if p.ticker != nil {
		_, _ = fmt.Fprint(p.out, clearLine)
	}
}

func (p *progress) end() {
	p.wipe()
	if p.ticker != nil {
		p.ticker.Stop()
	}
}
