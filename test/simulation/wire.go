// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// errCut is what a client sees when a connection breaks.
var errCut = errors.New("simulation: the connection was cut")

// wire carries requests to a handler without a socket, which would stop virtual time.
type wire struct{ handler http.Handler }

// RoundTrip returns as soon as the handler has begun to answer; the body follows.
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	reader, writer := io.Pipe()
	ctx, cancel := context.WithCancel(r.Context())
	response := &responseWriter{header: http.Header{}, body: writer, begun: make(chan struct{})}
	go func() {
		defer cancel()
		defer func() {
			if recover() != nil { // http.ErrAbortHandler
				_ = writer.CloseWithError(errCut)
				response.abort()
				return
			}
			response.WriteHeader(http.StatusOK)
			_ = writer.CloseWithError(r.Context().Err()) // nil ends the body well
		}()
		w.handler.ServeHTTP(response, r.Clone(ctx))
	}()
	select {
	case <-response.begun:
	case <-ctx.Done():
		_ = reader.Close()
		<-response.begun
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
	}
	if response.code == 0 {
		return nil, errCut
	}
	return &http.Response{
		StatusCode: response.code, Status: http.StatusText(response.code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: response.header, Body: reader, ContentLength: -1, Request: r,
	}, nil
}

type responseWriter struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	code   int
	begun  chan struct{}
}

func (w *responseWriter) Header() http.Header { return w.header }

func (w *responseWriter) WriteHeader(code int) {
	w.once.Do(func() { w.code = code; close(w.begun) })
}

func (w *responseWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush implements http.Flusher; a pipe holds nothing back.
func (*responseWriter) Flush() {}

func (w *responseWriter) abort() { w.once.Do(func() { close(w.begun) }) }
