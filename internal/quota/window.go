// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"time"
)

// A window stays below the size that was refused for hold, before it tries that size again. It stays for shortHold if of late its own tries
// had ownTries more refusals than those of others. A second longer costs a second when the others leave, and saves one refusal in ten.
// maxJitter keeps those that share a limit from trying at the same time.
const (
	hold      = 8 * time.Second
	shortHold = 6 * time.Second
	maxJitter = time.Second / 2
	ownTries  = 2
)

// growth is the factor by which the steps grow above the size that was refused.
const growth = 3

// window is how many credits a budget has. Answers open it, refusals narrow it.
type window struct {
	size, limit int
	successes   int       // answers since the last full window or refusal
	step        int       // credits to grow by next, from the ceiling on
	ceiling     int       // the size that was refused last; 0: none, the limit is ours alone
	refusals    int       // since the last full window without one
	tries       int       // refusals of late that came when this window tried a size, less those that came when another program did
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
		w.step *= growth
	}
}

// refused counts the refusal of a call, which was sent at a time before now.
func (w *window) refused(sent, now time.Time) {
	if sent.Before(w.cutAt) {
		return
	}
	w.refusals++
	shared, few := w.ceiling > 0, w.refusals <= 1+w.size/4
	w.heldUntil = now.Add(w.holdAfterRefusal())
	w.ceiling = w.size
	if shared && few {
		w.size -= max(w.step/growth, (w.size-2)/3, 1)
	} else {
		w.size /= 2
		w.pausedUntil, w.refusals = now.Add(period+jitter(period)), 0
	}
	w.size = max(w.size, 1)
	w.successes, w.step, w.cutAt = 0, 1, now
}

// holdAfterRefusal is how long the window stays below the size that is refused now.
func (w *window) holdAfterRefusal() time.Duration {
	if w.ceiling > 0 && w.size >= w.ceiling {
		w.tries = min(w.tries+1, 2*ownTries)
	} else {
		w.tries = max(w.tries-1, 0)
	}
	later := jitter(maxJitter)
	if w.tries >= ownTries {
		return shortHold + later
	}
	return hold + later
}
