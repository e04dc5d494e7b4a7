// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/metrics"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/operator"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/fakeapi"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/oracle"
)

// replica runs the operator again and again, as a Deployment does.
type replica struct {
	*run
	name string

	mu      sync.Mutex
	current *process
	ended   chan struct{} // closed when it is not started again
}

// process is one life of the operator.
type process struct {
	api, cloud *link
	stop       func()        // asks it to end
	ended      chan struct{} // closed then
	mu         sync.Mutex
	log        strings.Builder
}

// live runs one process after the other until the run is over.
func (p *replica) live() {
	defer close(p.ended)
	for !p.over() {
		process := p.start()
		<-process.ended
		if !p.over() {
			time.Sleep(200 * time.Millisecond)
		}
	}
}

// start runs the very wiring that ships.
func (p *replica) start() *process {
	ctx, cancel := context.WithCancel(context.Background())
	synced := make(chan struct{})
	stop := sync.OnceFunc(func() {
		go func() { // before, controller-runtime would spin, and virtual time stand still
			<-synced
			cancel()
		}()
	})
	process := &process{stop: stop, ended: make(chan struct{})}
	process.api = p.link(process, p.transport)
	process.cloud = p.link(process, wire{p.cloud})
	p.mu.Lock()
	p.current = process
	p.mu.Unlock()
	p.keep(process)
	go func() {
		defer close(process.ended)
		config := &rest.Config{Host: "http://api.invalid", Transport: process.api, ContentConfig: fakeapi.ContentConfig()}
		err := operator.Run(ctx, config, prometheus.NewRegistry(), operator.Options{
			CallsPerSecond: 20, Workers: 4, SecretPoll: 5 * time.Second, WaitLogInterval: time.Minute,
			Metrics: metrics.Endpoint{Address: "0"}, ProbeAddress: "0", PprofAddress: "0",
			LeaderElection: len(p.replicas) > 1, LeaseNamespace: leaseNamespace,
			Transport: process.cloud, Synced: func() { close(synced) }, Logger: funcr.NewJSON(process.write, funcr.Options{}),
		})
		if err != nil { // the program would exit
			p.crash(process, "the operator ended: "+err.Error())
		}
		stop()
	}()
	return process
}

func (p *replica) link(process *process, next http.RoundTripper) *link {
	return &link{
		next: next, slowest: p.slowest, random: p.fork(), lost: p.lose, onWrite: func(w oracle.Write) { p.keepWrite(process, w) },
		crash:  func(why string) { p.crash(process, why) },
		freeze: func(d time.Duration) { p.freeze(process, d) },
	}
}

// keepWrite keeps what a process wrote.
func (p *replica) keepWrite(by *process, w oracle.Write) {
	p.run.mu.Lock()
	defer p.run.mu.Unlock()
	w.Process = fmt.Sprintf("process %d of %s", slices.Index(p.processes, by), p.name)
	p.writes = append(p.writes, w)
}

// freeze stops a process, as SIGSTOP does. It does not know of it when it goes on.
func (p *replica) freeze(process *process, d time.Duration) {
	process.api.stopFor(d)
	process.cloud.stopFor(d)
	p.killed(p.name + ": stopped for " + d.String())
}

// crash is the end of a process: nothing of it reaches anybody any more.
func (p *replica) crash(process *process, why string) {
	process.api.sever()
	process.cloud.sever()
	process.stop()
	p.killed(p.name + ": " + why)
}

// now is the process that runs, or the last one.
func (p *replica) now() *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current
}

func (p *process) write(row string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log.WriteString(row + "\n")
}

func (p *process) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}
