// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// served starts an endpoint and returns its address.
func served(t *testing.T, e Endpoint, l limits) string {
	t.Helper()
	e.Address, e.Gatherer = "127.0.0.1:0", prometheus.NewRegistry()
	server, err := e.server(t.Context(), &rest.Config{Host: "127.0.0.1:1"}, l)
	if err != nil {
		t.Fatal(err)
	}
	begin(t, server)
	return server.Listener.Addr().String()
}

func begin(t *testing.T, server *manager.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A flood of invalid tokens costs the API server no more than a fixed rate, although the manager's own client has no limit.
func TestInvalidTokensDoNotFloodTheAPIServer(t *testing.T) {
	t.Parallel()
	var reviews atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reviews.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": {"authenticated": false}}`)
	}))
	defer server.Close()
	config := &rest.Config{Host: server.URL, QPS: -1}
	handler, err := reviewed(http.NotFoundHandler(), config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	start := time.Now()
	var clients sync.WaitGroup
	for i := range 500 {
		clients.Go(func() {
			request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil)
			request.Header.Set("Authorization", fmt.Sprint("Bearer garbage-", i))
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, request)
			if w.Code == http.StatusOK {
				t.Error("a client got in")
			}
		})
	}
	clients.Wait()
	most := reviewBurst + reviewQPS*int32(time.Since(start).Seconds()+1)
	if n := reviews.Load(); n < reviewBurst || n > most {
		t.Errorf("%d TokenReviews in %s, want %d to %d", n, time.Since(start), reviewBurst, most)
	}
	if config.QPS != -1 {
		t.Error("the manager's own rate has changed")
	}
}

// Clients that connect and are silent neither pile up nor keep others out for long.
func TestSilentConnectionsAreFewAndDropped(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		l := limits{connections: 3, header: time.Second, read: time.Second, write: 10 * time.Second, idle: time.Second}
		address := served(t, Endpoint{Secure: secure}, l)
		var silent []net.Conn
		for range 20 {
			connection, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = connection.Close() }()
			silent = append(silent, connection)
		}
		_ = silent[0].SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := silent[0].Read(make([]byte, 1)); !dropped(err) {
			t.Errorf("secure %t: a silent connection ended with %v", secure, err)
		}
		_ = silent[len(silent)-1].SetReadDeadline(time.Now().Add(time.Second))
		if _, err := silent[len(silent)-1].Read(make([]byte, 1)); dropped(err) {
			t.Errorf("secure %t: the last of 20 connections was served beside the first: %v", secure, err)
		}
	}
}

// A connection that was used, and is now idle, is dropped too.
func TestIdleConnectionsAreDropped(t *testing.T) {
	t.Parallel()
	l := limits{connections: 3, header: 5 * time.Second, read: 5 * time.Second, write: 5 * time.Second, idle: 200 * time.Millisecond}
	connection, err := tls.Dial("tcp", served(t, Endpoint{Secure: true}, l), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_ = connection.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(connection, "GET /metrics HTTP/1.1\r\nHost: metrics\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusUnauthorized {
		t.Errorf("HTTP %d without a token, %v", response.StatusCode, err)
	}
	if _, err := reader.ReadByte(); !dropped(err) {
		t.Errorf("the idle connection ended with %v", err)
	}
}

// dropped tells an end by the server from a deadline of our own.
func dropped(err error) bool {
	var timeout net.Error
	return err != nil && (!errors.As(err, &timeout) || !timeout.Timeout())
}

// What cannot be served ends the start, instead of a scrape later.
func TestAnEndpointThatCannotServeIsRefused(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for name, e := range map[string]Endpoint{
		"taken":          {Address: taken.Addr().String()},
		"no certificate": {Address: "127.0.0.1:0", Secure: true, CertDir: t.TempDir()},
	} {
		if _, err := e.server(t.Context(), &rest.Config{}, defaultLimits); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := (Endpoint{Address: "0"}).AddTo(t.Context(), nil); err != nil {
		t.Errorf("disabled: %v", err)
	}
}
