// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Write is an update of a status by a process of the operator.
type Write struct {
	Process  string
	UID      types.UID
	Begun    time.Time
	From     int64 // the version that it was made from
	Answered time.Time
	To       int64 // the version that it became, as far as the process knows; 0: it was refused, or nobody answered
}

// ownWritesCount is how long a process knows what it wrote. A restored backup of etcd can take it back.
const ownWritesCount = 25 * time.Second

// stale: no process writes from a copy that is older than what it wrote itself. It would be refused, and keep a credit meanwhile.
func (h *History) stale(v *Findings) {
	type key struct {
		process string
		uid     types.UID
	}
	latest := map[key]Write{}
	for _, w := range h.Writes {
		k := key{w.Process, w.UID}
		own, known := latest[k]
		if known && w.From < own.To && w.Begun.After(own.Answered) && w.Begun.Sub(own.Answered) < ownWritesCount {
			v.fault("%s wrote %s from version %d, although it had written version %d itself %s before", w.Process, w.UID, w.From, own.To, w.Begun.Sub(own.Answered))
		}
		if w.To > own.To {
			latest[k] = w
		}
	}
}
