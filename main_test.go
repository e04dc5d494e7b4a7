// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const (
	asOperator = "RUN_AS_OPERATOR"
	waitLine   = "waiting until the API server lists ImportJobStops"
)

// TestMain runs the operator itself in a process that a test starts: flags, signals and exit codes are the real ones.
func TestMain(m *testing.M) {
	if os.Getenv(asOperator) != "" {
		waitLogInterval /= 100
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a running operator.
type process struct {
	*testing.T
	command *exec.Cmd
	probes  string
	ended   chan error
	mu      sync.Mutex
	log     bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *process) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// operate starts the operator for an API server.
func operate(t *testing.T, server string, flags ...string) *process {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	content := fmt.Sprintf(`{"clusters": [{"name": "c", "cluster": {"server": "http://%s"}}], "contexts": [{"name": "c", "context": {"cluster": "c"}}], "current-context": "c"}`, server)
	if err := os.WriteFile(kubeconfig, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &process{T: t, probes: freeAddress(t), ended: make(chan error, 1)}
	p.command = exec.Command(os.Args[0], append(flags, "--kubeconfig="+kubeconfig, "--health-probe-bind-address="+p.probes)...)
	p.command.Env = append(os.Environ(), asOperator+"=1")
	p.command.Stdout, p.command.Stderr = p, p
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.command.Wait() }()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		if t.Failed() {
			t.Log(p.printed())
		}
	})
	return p
}

// freeAddress returns an address that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := harness.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func (p *process) probe(path string) int {
	response, err := http.Get("http://" + p.probes + path)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func (p *process) until(what string, condition func() bool) {
	p.Helper()
	for deadline := time.Now().Add(40 * time.Second); !condition(); time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-p.ended:
			p.Fatalf("the operator ended while the test waits for %s: %v", what, err)
		default:
		}
		if time.Now().After(deadline) {
			p.Fatalf("no %s", what)
		}
	}
}

// terminate sends SIGTERM. The process must end well within 10 seconds.
func (p *process) terminate() {
	p.Helper()
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.ended:
		if err != nil {
			p.Errorf("it ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		p.Error("it has not ended 10 seconds after SIGTERM")
	}
}

// apiServer answers requests for ImportJobStops as importJobStops does, and knows nothing else.
func apiServer(importJobStops http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/cdb.tencentcloud.com/v1alpha1/importjobstops") {
			importJobStops(w, r)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
}

// refuse is an API server on which the operator has no permission.
func refuse(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusForbidden)
	_, _ = fmt.Fprint(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "message": "importjobstops is forbidden", "code": 403}`)
}

// hang is an API server that accepts requests and never answers.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// serve is an API server without objects.
func serve(w http.ResponseWriter, r *http.Request) {
	const kind, version = `"apiVersion": "cdb.tencentcloud.com/v1alpha1", "kind": "ImportJobStop`, `"resourceVersion": "1"`
	if r.URL.Query().Get("watch") == "" {
		_, _ = fmt.Fprintf(w, `{%sList", "metadata": {%s}, "items": []}`, kind, version)
		return
	}
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		_, _ = fmt.Fprintf(w, `{"type": "BOOKMARK", "object": {%s", "metadata": {%s, "annotations": {"k8s.io/initial-events-end": "true"}}}}`, kind, version)
	}
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// Until the cache has synced, SIGTERM ends the process at once: Kubernetes would kill it after the grace period, and an upgrade would take as long.
func TestSIGTERMBeforeTheCacheHasSynced(t *testing.T) {
	t.Parallel()
	for name, importJobStops := range map[string]http.HandlerFunc{"refused": refuse, "hanging": hang} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(apiServer(importJobStops))
			t.Cleanup(func() {
				server.CloseClientConnections()
				server.Close()
			})
			p := operate(t, server.Listener.Addr().String())
			p.until("healthz", func() bool { return p.probe("/healthz") == http.StatusOK })
			p.until("log line about the wait", func() bool { return strings.Contains(p.printed(), waitLine) })
			if code := p.probe("/readyz"); code == http.StatusOK {
				t.Error("it is ready")
			}
			p.terminate()
		})
	}
}

// An API server that is away at the start is waited for, visibly.
func TestTheAPIServerIsWaitedFor(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	p := operate(t, address)
	p.until("healthz", func() bool { return p.probe("/healthz") == http.StatusOK })
	p.until("log line about the wait", func() bool {
		return strings.Contains(p.printed(), waitLine) && strings.Contains(p.printed(), "connection refused")
	})
	if code := p.probe("/readyz"); code == http.StatusOK {
		t.Error("it is ready without an API server")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(apiServer(serve))
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	p.until("readyz", func() bool { return p.probe("/readyz") == http.StatusOK })
	lines := strings.Count(p.printed(), waitLine)
	time.Sleep(3 * waitLogInterval / 100)
	if n := strings.Count(p.printed(), waitLine); n > lines {
		t.Error("it still logs that it waits")
	}
	p.terminate()
}

// A mistake in a flag ends the process, and says what is right.
func TestWrongFlagsEndTheProcess(t *testing.T) {
	t.Parallel()
	p := operate(t, "127.0.0.1:1", "--secret-poll-interval=0")
	if err := <-p.ended; err == nil || !strings.Contains(p.printed(), "--secret-poll-interval is 0s: use at least 1s") {
		t.Errorf("%v: %s", err, p.printed())
	}
}
