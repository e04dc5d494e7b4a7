// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"io"
	"net/http"
)

// watchStream is a watch that goes through the proxy.
type watchStream struct{ stop context.CancelFunc }

// stream copies a watch until it ends or is cut, and holds it up while the watches are silent.
func (p *proxy) stream(w http.ResponseWriter, r *http.Request, body io.ReadCloser) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := &watchStream{cancel}
	p.mu.Lock()
	p.watches[s] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.watches, s)
		p.mu.Unlock()
	}()
	go func() { <-ctx.Done(); _ = body.Close() }()
	flush := http.NewResponseController(w)
	_ = flush.Flush()
	buffer := make([]byte, 32<<10)
	for {
		n, err := body.Read(buffer)
		p.mu.Lock()
		silent := p.silent
		p.mu.Unlock()
		if silent != nil {
			select {
			case <-silent:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			panic(http.ErrAbortHandler)
		}
		if _, werr := w.Write(buffer[:n]); err != nil || werr != nil || flush.Flush() != nil {
			return
		}
	}
}

// cutWatches cuts all watches and returns how many.
func (p *proxy) cutWatches() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.watches {
		s.stop()
	}
	return len(p.watches)
}

// hush lets no watch say anything until speak.
func (p *proxy) hush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent == nil {
		p.silent = make(chan struct{})
	}
}

func (p *proxy) speak() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent != nil {
		close(p.silent)
		p.silent = nil
	}
}
