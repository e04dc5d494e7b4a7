// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"slices"
	"testing"
)

// row is one of the matrix: what is injected, and what must come of it besides what the oracle checks.
type row struct {
	name string
	long bool // takes more than a few seconds
	run  func(*fixture)
}

func TestMatrix(t *testing.T) {
	t.Parallel()
	for _, r := range slices.Concat(operatorRows, apiServerRows, hostileRows, objectRows, statusRows, crowdRows, networkRows, cloudRows, importRows) {
		if r.long && !*long {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.Account("creds")
			r.run(f)
			f.report(r.name)
		})
	}
}

// TestPlaneRestarts is not parallel, so that it runs before the others and alone: all share the control plane.
func TestPlaneRestarts(t *testing.T) {
	for _, process := range []string{"kube-apiserver", "etcd"} {
		t.Run(process, func(t *testing.T) {
			f := newFixture(t)
			f.Account("creds")
			f.many("a", 40)
			f.Start()
			f.called(5)
			f.Must(env.RestartPlane(f.Context(), process))
			f.inject("kill -9 of "+process, 1)
			f.StopImport("b")
			f.settle(41, isDone)
			f.report(process + " restarted")
		})
	}
}
