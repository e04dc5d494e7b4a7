// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Operator is a running manager.
type Operator struct {
	command *exec.Cmd
	probe   string // address of its probes
	done    chan struct{}
	mu      sync.Mutex
	log     bytes.Buffer
	err     error
}

// Write takes the manager's log.
func (o *Operator) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.Write(p)
}

// Log is what the manager has printed so far.
func (o *Operator) Log() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.String()
}

// Pid of the manager's process.
func (o *Operator) Pid() int { return o.command.Process.Pid }

// Kill is kill -9.
func (o *Operator) Kill() {
	_ = o.command.Process.Kill()
	<-o.done
}

// Signal sends a signal to the manager's process.
func (o *Operator) Signal(s syscall.Signal) { _ = o.command.Process.Signal(s) }

// Ended is closed when the process has ended.
func (o *Operator) Ended() <-chan struct{} { return o.done }

// Terminate asks the manager to stop, and returns how it ended.
func (o *Operator) Terminate() error {
	_ = o.command.Process.Signal(syscall.SIGTERM)
	<-o.done
	return o.err
}

// WithVariable returns an environment like e where the manager has one more variable, as in NAME=value.
func (e *Environment) WithVariable(variable string) *Environment {
	other := *e
	other.variables = append(slices.Clip(e.variables), variable)
	return &other
}

// Run starts the manager with the permissions of its ServiceAccount and waits until it is ready. Later flags win over earlier ones.
func (e *Environment) Run(ctx context.Context, args ...string) (*Operator, error) {
	o, err := e.Launch(args...)
	if err != nil {
		return nil, err
	}
	return o, o.untilReady(ctx)
}

// Launch starts the manager as Run does, and does not wait.
func (e *Environment) Launch(args ...string) (*Operator, error) {
	probe, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	o := &Operator{done: make(chan struct{}), probe: probe}
	args = append([]string{"--kubeconfig=" + e.restricted, "--endpoint=" + e.CloudURL, "--health-probe-bind-address=" + probe}, args...)
	o.command = exec.Command(e.program, args...)
	o.command.Stdout, o.command.Stderr = o, o
	o.command.Env = append(os.Environ(), "POD_NAMESPACE="+Namespace, "GOMEMLIMIT=440MiB") // as config/manager has it
	o.command.Env = append(o.command.Env, e.variables...)
	if err := o.command.Start(); err != nil {
		return nil, err
	}
	go func() { o.err = o.command.Wait(); close(o.done) }()
	return o, nil
}

func (o *Operator) untilReady(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if response, err := http.Get("http://" + o.probe + "/readyz"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-o.done:
			return fmt.Errorf("the operator ended: %w: %s", o.err, o.Log())
		case <-ctx.Done():
			o.Kill()
			return fmt.Errorf("the operator is not ready: %w: %s", ctx.Err(), o.Log())
		case <-tick.C:
		}
	}
}
