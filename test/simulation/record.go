// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"bytes"
	"io"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/go-logr/logr"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// Prepare must be called once before a run: what the libraries log, and how they slow down after errors, keeps a time from outside the
// bubbles of testing/synctest.
func Prepare() {
	klog.SetLogger(logr.Discard())
	ctrl.SetLogger(logr.Discard())
	utilruntime.ErrorHandlers = nil
	debug.SetGCPercent(400) // memory is plenty, and a schedule is mostly garbage
}

// Exchange is one request to the API server, and what it answered.
type Exchange struct {
	Method, Path string
	Body         []byte
	Code         int
	Response     []byte
}

// Namespaces are those of the objects and of the Lease.
var Namespaces = []string{namespace, leaseNamespace}

// Record plays the schedule of a seed, and returns each request to the API server but watches, in the order in which they were served.
// It must be called in a bubble of testing/synctest.
func Record(seed uint64, replicas int) []Exchange {
	r := &recorder{}
	plan(seed, replicas).play(func(next http.RoundTripper) http.RoundTripper {
		r.next = next
		return r
	})
	return r.exchanges
}

// recorder keeps what passes through it.
type recorder struct {
	next      http.RoundTripper
	mu        sync.Mutex
	exchanges []Exchange
}

// RoundTrip serves one request after the other, so that the order is known. The server in memory never waits.
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	if isWatch(request) {
		return r.next.RoundTrip(request)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := Exchange{Method: request.Method, Path: request.URL.Path}
	if request.Body != nil {
		e.Body, _ = io.ReadAll(request.Body)
		_ = request.Body.Close()
		request = request.Clone(request.Context())
		request.Body = io.NopCloser(bytes.NewReader(e.Body))
	}
	response, err := r.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	e.Code = response.StatusCode
	e.Response, _ = io.ReadAll(response.Body)
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(e.Response))
	r.exchanges = append(r.exchanges, e)
	return response, nil
}
