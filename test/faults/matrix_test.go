// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"slices"
	"strings"
	"testing"
)

// row is one of the matrix: what is injected, and what must come of it besides what the oracle checks.
type row struct {
	name string
	long bool // takes more than a few seconds
	run  func(*fixture)
}

func TestMatrix(t *testing.T) {
	for _, r := range slices.Concat(operatorRows, apiServerRows, hostileRows, objectRows, statusRows, crowdRows, networkRows, cloudRows) {
		if r.long && !*long {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			if !strings.HasPrefix(r.name, "stale") { // which sets a variable
				t.Parallel()
			}
			w := newFixture(t)
			w.Account("creds")
			r.run(w)
			w.report(r.name)
		})
	}
}

// TestPlaneRestarts runs before the rest, which share the control plane.
func TestPlaneRestarts(t *testing.T) {
	for _, process := range []string{"kube-apiserver", "etcd"} {
		t.Run(process, func(t *testing.T) {
			w := newFixture(t)
			w.Account("creds")
			w.many("a", 40)
			w.Start()
			w.called(5)
			w.Must(env.RestartPlane(w.Context(), process))
			w.inject("kill -9 of "+process, 1)
			w.Stop("b")
			w.settle(41, isDone)
			w.report(process + " restarted")
		})
	}
}
