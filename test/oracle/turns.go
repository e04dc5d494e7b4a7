// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

const (
	// settling is how long an object may take to join its queue, and to use its turn.
	settling = time.Second
	// refilling is how long after a start the queues may be out of order: the first credits come after one second.
	refilling = 2 * time.Second
	// promptly is how soon an object is called whose account has credits left.
	promptly = 250 * time.Millisecond
	// tellAfter is after how long a wait must be in the status, and tellRate how many of these writes there are in a second.
	tellAfter, tellRate = 5 * time.Second, 20
	// unfair is by how many turns in two seconds one namespace may be ahead of another that waits, too.
	unfair = 4
)

// wait is one wait of an object for its turn to stop an import.
type wait struct {
	first    Version // of the object
	from, to time.Time
	said     time.Time // when the status did; zero: never
}

// isOlder says whether the object of w goes first in its namespace.
func (w *wait) isOlder(x *wait) bool {
	order := cmp.Or(w.first.CreationTimestamp.Compare(x.first.CreationTimestamp.Time), cmp.Compare(w.first.Name, x.first.Name))
	return order < 0
}

// spans says whether the object waited at a time, and both before and after it for long enough to be sure.
func (w *wait) spans(at time.Time) bool {
	return w.from.Before(at.Add(-settling)) && w.to.After(at.Add(settling))
}

// turns: of one account, the oldest object of a namespace goes first, namespaces take turns, who need not wait is called promptly, and who
// waits for long is told so.
func (h *History) turns(v *Findings) {
	if !h.Undisturbed {
		return
	}
	accounts := map[string][]*wait{} // by the name of the Secret
	for _, versions := range h.Versions {
		secret := versions[0].Spec.CredentialsSecretRef.Name
		accounts[secret] = append(accounts[secret], waitsOf(versions, h.SecretSince[secret])...)
	}
	for _, waits := range accounts {
		slices.SortFunc(waits, func(a, b *wait) int { return a.to.Compare(b.to) })
		for i, w := range waits {
			if h.isRefilling(w.to) {
				continue
			}
			overtaken(v, waits, w)
			h.prompt(v, waits[:i], w)
			h.tells(v, waits, w)
		}
		h.fair(v, waits)
	}
}

// waitsOf are the waits of an object that ended with a call. A wait begins when the object is there, may go on and has nothing else to wait
// for, as each retry is. Before its Secret came, it waited for that, also if it had no turn to say so.
func waitsOf(versions []Version, since time.Time) (waits []*wait) {
	var w *wait
	for i, o := range versions {
		if i > 0 && isAttempt(versions[i-1], o) {
			called := o.Status.LastAttempt.StartTime.Time
			if w == nil { // it waited for something else until then
				w = &wait{first: versions[0], from: called}
			}
			w.to = called
			waits, w = append(waits, w), nil
			continue
		}
		switch ready := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady); {
		case o.Deleted, o.Spec.Suspend, o.Seen.Before(since):
			w = nil
		case ready != nil && ready.Reason != cdbv1.ReasonWaitingForQuota:
			w = nil
		default:
			if w == nil {
				w = &wait{first: versions[0], from: o.Seen}
			}
			if ready != nil && w.said.IsZero() {
				w.said = o.Seen
			}
		}
	}
	return waits
}

// isAttempt says whether an attempt was recorded between two versions.
func isAttempt(was, o Version) bool {
	last, before := o.Status.LastAttempt, was.Status.LastAttempt
	return last != nil && (before == nil || !before.StartTime.Equal(&last.StartTime))
}

// isRefilling says whether the queues may be out of order because of a kill: what was on its way is lost, and the next process begins anew.
func (h *History) isRefilling(at time.Time) bool {
	return slices.ContainsFunc(h.Kills, func(kill time.Time) bool {
		return at.After(kill.Add(-promptly)) && at.Before(kill.Add(settling+refilling))
	})
}

// overtaken: no older object of the namespace waited before this one was called, and for long after.
func overtaken(v *Findings, waits []*wait, w *wait) {
	for _, x := range waits {
		if x.first.Namespace == w.first.Namespace && x.isOlder(w) && x.spans(w.to) {
			v.fault("%s was called %s before %s, which is older and waited since %s", w.first.Name, x.to.Sub(w.to), x.first.Name, x.from.Format(time.StampMilli))
			return
		}
	}
}

// prompt: where the account had credits left, the object was called at once.
func (h *History) prompt(v *Findings, before []*wait, w *wait) {
	busy := 0
	for _, x := range before {
		if x.to.After(w.from.Add(-2 * settling)) {
			busy++
		}
	}
	if took := w.to.Sub(w.from); busy == 0 && took > promptly && !h.isRefilling(w.from) {
		v.fault("%s waited for %s, and nobody used its account", w.first.Name, took)
	}
}

// tells: the status says that the object waits when it has waited for long, or as soon as those before it say so.
func (h *History) tells(v *Findings, waits []*wait, w *wait) {
	crowd := 0
	for _, x := range waits {
		if x.from.Before(w.to) && x.to.After(w.from) {
			crowd++
		}
	}
	latest := w.from.Add(tellAfter + settling + time.Duration(crowd)*time.Second/tellRate)
	restarted := slices.ContainsFunc(h.Kills, func(kill time.Time) bool { return kill.After(w.from) && kill.Before(w.to) })
	if w.to.After(latest) && !restarted && (w.said.IsZero() || w.said.After(latest)) {
		v.fault("%s waited for %s, and its status did not say so in time", w.first.Name, w.to.Sub(w.from))
	}
}

// fair: namespaces that both wait for two seconds have nearly as many turns in them.
func (h *History) fair(v *Findings, waits []*wait) {
	for _, w := range waits {
		from, to := w.to, w.to.Add(2*settling)
		if h.isRefilling(from) || h.isRefilling(to) {
			continue
		}
		turns, waiting := map[string]int{}, map[string]bool{}
		for _, x := range waits {
			name := x.first.Namespace
			if !x.to.Before(from) && x.to.Before(to) {
				turns[name]++
			}
			waiting[name] = waiting[name] || (x.spans(from) && x.spans(to))
		}
		for one := range waiting {
			for other := range waiting {
				if waiting[one] && waiting[other] && turns[one] > turns[other]+unfair {
					v.fault("in the two seconds from %s, %s had %d turns and %s had %d, and both waited", from.Format(time.StampMilli), one, turns[one], other, turns[other])
					return
				}
			}
		}
	}
}
