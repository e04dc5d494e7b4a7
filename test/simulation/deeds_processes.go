// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// processDeeds happen to replicas.
var processDeeds = []deed{
	{"kill -9", 3, func(r *run, random *rand.Rand) (string, error) {
		replica := r.any(random)
		process := replica.now()
		replica.crash(process, "kill -9")
		<-process.ended
		return replica.name, nil
	}},
	{"SIGTERM", 2, func(r *run, random *rand.Rand) (string, error) {
		replica := r.any(random)
		process := replica.now()
		process.stop()
		select {
		case <-process.ended:
		case <-time.After(30 * time.Second): // Kubernetes kills it then
			replica.crash(process, "killed 30 s after SIGTERM")
			<-process.ended
		}
		return replica.name, nil
	}},
	{"held up", 2, func(r *run, random *rand.Rand) (string, error) {
		replica, d := r.any(random), time.Duration(random.Int64N(int64(25*time.Second)))
		process := replica.now()
		process.api.hold(d)
		process.cloud.hold(d)
		r.killed(replica.name + ": held up for " + d.String())
		return "", nil
	}},
	{"crash at a request", 4, func(r *run, random *rand.Rand) (string, error) {
		replica := r.any(random)
		effect := []effect{crashBefore, crashAfter}[random.IntN(2)]
		on := []string{"attempt", "result", "status", "Secret", "event", "stop", "describe"}[random.IntN(7)]
		replica.now().linkOf(on).play(fault{effect: effect, on: on, times: 1})
		return string(effect) + " " + on + " of " + replica.name, nil
	}},
	{"stopped at a request", 6, func(r *run, random *rand.Rand) (string, error) {
		on := []string{"attempt", "attempt", "attempt", "result", "lease", "stop"}[random.IntN(6)]
		f := fault{effect: freeze, on: on, times: 1, taken: new(atomic.Bool), delay: time.Duration(random.Int64N(int64(50 * time.Second)))}
		for _, replica := range r.replicas { // whichever makes one first
			replica.now().linkOf(on).play(f)
		}
		return f.String(), nil
	}},
}

// any is one of the replicas.
func (r *run) any(random *rand.Rand) *replica { return r.replicas[random.IntN(len(r.replicas))] }

// linkOf is the link that carries requests of a name.
func (p *process) linkOf(on string) *link {
	if on == "stop" || on == "describe" || on == "cloud" {
		return p.cloud
	}
	return p.api
}
