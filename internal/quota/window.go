// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"math/rand/v2"
	"time"
)

// hold is how long a window stays below the size that was refused before it tries that size again.
const hold = 4 * time.Second

// window is the size of a budget in credits, as answers move it.
type window struct {
	size, limit int
	successes   int // answers since the last growth, cut or refusal
	step        int // of the next growth from the ceiling on, in credits
	ceiling     int // the size that was refused last; 0: the limit is ours alone
	refusals    int // refusals since the last full window without one
	cutAt       time.Time
	heldUntil   time.Time // it stays below the ceiling
	pausedUntil time.Time // nothing is spent
}

func newWindow(limit int) window { return window{size: limit, limit: limit, step: 1} }

// answered counts an answer that was no refusal.
func (w *window) answered(now time.Time) {
	if w.successes++; w.successes < w.size {
		return
	}
	w.successes, w.refusals = 0, 0
	switch {
	case w.size == w.limit:
		w.ceiling = 0
	case w.ceiling == 0 || w.size+1 < w.ceiling:
		w.size++
	case !now.Before(w.heldUntil):
		w.size = min(w.size+w.step, w.limit)
		w.step *= 2
	}
}

// refused counts a refusal of a call that was sent at that time.
func (w *window) refused(sent, now time.Time) {
	if sent.Before(w.cutAt) {
		return
	}
	w.refusals++
	shared, few := w.ceiling > 0, w.refusals <= 1+w.size/4
	w.ceiling = w.size
	if shared && few {
		w.size -= max(w.step/2, (w.size+5)/6)
	} else {
		w.size /= 2
		w.pausedUntil, w.refusals = now.Add(period+rand.N(period)), 0 //nolint:gosec // jitter is no secret
	}
	w.size = max(w.size, 1)
	w.successes, w.step, w.cutAt, w.heldUntil = 0, 1, now, now.Add(hold)
}
