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
	output io.Writer
	last   string
	ticker *time.Ticker // nil: no terminal
	turns  int
}

func newProgress(output io.Writer) *progress {
	p := &progress{output: output}
	if file, ok := output.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
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
	_, _ = fmt.Fprintf(p.output, "%s: %s\n", reason, message)
}

// tick returns the channel that turns the spinner; nil without a terminal.
func (p *progress) tick() <-chan time.Time {
	if p.ticker == nil {
		return nil
	}
	return p.ticker.C
}

func (p *progress) turn() {
	p.turns++
	_, _ = fmt.Fprintf(p.output, "\r%c", []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")[p.turns%10])
}

func (p *progress) wipe() {
	if p.ticker != nil {
		_, _ = fmt.Fprint(p.output, clearLine)
	}
}

func (p *progress) end() {
	p.wipe()
	if p.ticker != nil {
		p.ticker.Stop()
	}
}
