// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// progress shows each new situation on a line of its own, and on a terminal that something is still going on. It is where a person reads and replies.
type progress struct {
	output     io.Writer
	input      *bufio.Reader
	canReply   bool // somebody can be asked
	isTerminal bool // something may turn
	last       string
	ticker     *time.Ticker // nil: nothing turns
	turns      int
}

// newProgress writes to the output, or to the error output where the output is for a program.
func (o *options) newProgress() *progress {
	p := &progress{output: o.Out, input: bufio.NewReader(o.In), canReply: o.isTerminal(o.In)}
	if o.isWanted() {
		p.output = o.ErrOut
	}
	p.isTerminal = o.isTerminal(p.output)
	return p
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

const clearLine = "\r\x1b[K"

// show a situation, unless it is the one that was shown last.
func (p *progress) show(reason, message string) {
	if reason == p.last {
		return
	}
	p.last = reason
	p.say("%s: %s", reason, message)
}

// say writes a line.
func (p *progress) say(format string, args ...any) {
	p.wipe()
	_, _ = fmt.Fprintln(p.output, printable(fmt.Sprintf(format, args...)))
}

// question returns the reply of a person. The end of the input is an empty reply.
func (p *progress) question(ctx context.Context, text string) (string, error) {
	_, _ = fmt.Fprint(p.output, text)
	replies := make(chan string, 1)
	go func() {
		row, _ := p.input.ReadString('\n')
		replies <- strings.TrimSpace(row)
	}()
	select {
	case reply := <-replies:
		return reply, nil
	case <-ctx.Done():
		_, _ = fmt.Fprintln(p.output)
		return "", cause(ctx, ctx.Err())
	}
}

func (p *progress) begin() {
	if p.isTerminal {
		p.ticker = time.NewTicker(100 * time.Millisecond)
	}
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
		p.ticker = nil
	}
}
