// SPDX-License-Identifier: Apache-2.0

package quota

import "time"

// hold is how long a window stays below the size that was refused before it tries that size again.
const hold = 4 * time.Second

// window is how many credits a budget has. Answers open it, refusals narrow it.
type window struct {
	size, limit int
	successes   int       // answers since the last full window or refusal
	step        int       // credits to grow by next, from the ceiling on
	ceiling     int       // the size that was refused last; 0: none, the limit is ours alone
	refusals    int       // since the last full window without one
	cutAt       time.Time // a refusal of a call that was sent before does not count
	heldUntil   time.Time // the size stays below the ceiling
	pausedUntil time.Time // nothing is spent
}

func newWindow(limit int) window { return window{size: limit, limit: limit, step: 1} }

// answered counts an answer that was no refusal. Each full window of them may change the size.
func (w *window) answered(now time.Time) {
	if w.successes++; w.successes < w.size {
		return
	}
	w.successes, w.refusals = 0, 0
	if w.size == w.limit {
		w.ceiling = 0
	} else if w.size+1 < w.ceiling {
		w.size++
	} else if !now.Before(w.heldUntil) {
		w.size = min(w.size+w.step, w.limit)
		w.step *= 2
	}
}

// refused counts the refusal of a call, which was sent at a time before now.
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
		w.pausedUntil, w.refusals = now.Add(period+jitter(period)), 0
	}
	w.size = max(w.size, 1)
	w.successes, w.step, w.cutAt, w.heldUntil = 0, 1, now, now.Add(hold)
}
