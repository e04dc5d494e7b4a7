// SPDX-License-Identifier: Apache-2.0

// Package oracle checks what happened in a run against what docs/reliability.md and docs/security.md promise.
package oracle

import (
	"fmt"
	"strings"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// Version is an object as it was at a time.
type Version struct {
	*cdbv1.ImportJobStop
	Seen    time.Time // at the latest
	Deleted bool      // this is its end
}

// History is what the oracle knows of a run. It knows nothing of what was injected but the kills, and the faults in the cloud's log.
type History struct {
	Versions map[types.UID][]Version
	CallLog  []cdbsim.Call
	Kills    []time.Time                               // a process was killed or held up then, and lost what it knew
	ByHand   map[types.UID][]cdbv1.ImportJobStopStatus // statuses that the operator did not write
	Lost     map[string]bool                           // RequestIds of answers that the network lost
	Imports  []cdbsim.Import                           // as they really are
	Secrets  []string                                  // keys and tokens
	// AccountOf is the account that the quota of a SecretId belongs to. Nil: each SecretId has its own.
	AccountOf func(secretID string) string
	// SecretSince is when the Secret of a name came. Objects without an entry had theirs from the beginning.
	SecretSince map[string]time.Time
	// Undisturbed says that nothing came between an object and its turn but people, renewed credentials, restarts and the cloud.
	Undisturbed bool
	Events      []eventsv1.Event
	Logs        []string // one for each process
	Writes      []Write  // in the order of their answers; none: they are not known
}

// Findings are what the oracle says of a run.
type Findings struct {
	Objects, Stops, Repeated int      // seen; Repeated are stops after one that was done, each explained
	Wrong                    []string // broken promises, at most ten
}

func (v *Findings) fault(format string, args ...any) {
	if len(v.Wrong) < 10 {
		v.Wrong = append(v.Wrong, fmt.Sprintf(format, args...))
	}
}

// IsByHand returns true if somebody else than the operator wrote the status of this version.
func (h *History) IsByHand(o Version) bool {
	for i := range h.ByHand[o.UID] {
		if equality.Semantic.DeepEqual(h.ByHand[o.UID][i], o.Status) {
			return true
		}
	}
	return false
}

// sentences are what the oracle looks at. A new one is a file with a method like these, a row in TestOracle, and its name here.
var sentences = []func(*History, *Findings){
	(*History).window, (*History).pace, (*History).leaks, (*History).eachObject, (*History).written, (*History).stale, (*History).turns,
}

// Check compares the history with the promises.
func (h *History) Check() (v Findings) {
	v.Objects = len(h.Versions)
	for _, sentence := range sentences {
		sentence(h, &v)
	}
	return v
}

// eachObject: the versions of each object fit together, and claim what the cloud gave.
func (h *History) eachObject(v *Findings) {
	for uid, versions := range h.Versions {
		h.order(v, versions)
		h.claims(v, uid, versions)
		h.imports(v, versions)
	}
}

// written: each stop that the cloud saw is an attempt that was written down, and one after an acceptance has a reason.
func (h *History) written(v *Findings) {
	attempts, owners := map[cdbv1.Target]int{}, h.owners()
	for _, versions := range h.Versions {
		for target, list := range attemptsOf(versions) {
			attempts[inLog(target)] += len(list)
		}
	}
	for target, n := range attempts {
		stops := h.stopsOf(target)
		v.Stops += len(stops)
		if len(stops) > n {
			v.fault("%d calls for %s, but only %d were written down", len(stops), target.AsyncRequestID, n)
		}
		if owners[target] == 1 {
			h.repeats(v, target, stops)
		}
	}
	for _, c := range h.CallLog {
		if _, known := attempts[cdbv1.Target{Region: c.Region, AsyncRequestID: c.AsyncRequestID}]; !known && c.Action == "StopDBImportJob" {
			v.fault("a call for %q, which nobody wrote down", c.AsyncRequestID)
		}
	}
}

// inLog is a target as the log of the cloud tells it: without a site and a filter.
func inLog(t cdbv1.Target) cdbv1.Target {
	t.Site, t.Import = "", cdbv1.ImportFilter{}
	return t
}

// owners are how many objects attempted to stop each import.
func (h *History) owners() map[cdbv1.Target]int {
	owners := map[cdbv1.Target]int{}
	for _, versions := range h.Versions {
		for target := range attemptsOf(versions) {
			owners[inLog(target)]++
		}
	}
	return owners
}

func (h *History) stopsOf(t cdbv1.Target) (stops []cdbsim.Call) {
	for _, c := range h.CallLog {
		if c.Action == "StopDBImportJob" && c.AsyncRequestID == t.AsyncRequestID && c.Region == t.Region {
			stops = append(stops, c)
		}
	}
	return stops
}

// attemptsOf are the attempts that were written down, in order, each as it was last seen.
func attemptsOf(versions []Version) map[cdbv1.Target][]cdbv1.Attempt {
	attempts := map[cdbv1.Target][]cdbv1.Attempt{}
	for _, o := range versions {
		last := o.Status.LastAttempt
		if last == nil || o.Status.Target == nil {
			continue
		}
		list := attempts[*o.Status.Target]
		if n := len(list); n > 0 && list[n-1].StartTime.Equal(&last.StartTime) {
			list[n-1] = *last
		} else {
			list = append(list, *last)
		}
		attempts[*o.Status.Target] = list
	}
	return attempts
}

// window: no second saw more than the limit, of any account that was let in and any action.
func (h *History) window(v *Findings) {
	arrivals := map[[2]string][]time.Time{}
	for _, c := range h.CallLog {
		if strings.HasPrefix(c.Code, "AuthFailure") {
			continue
		}
		key := [2]string{c.SecretID, c.Action}
		if h.AccountOf != nil {
			key[0] = h.AccountOf(c.SecretID)
		}
		arrivals[key] = append(arrivals[key], c.Time)
	}
	for key, times := range arrivals {
		limit := map[string]int{"StopDBImportJob": 20, "DescribeAsyncRequestInfo": 40, "DescribeDBImportRecords": 100}[key[1]]
		from := 0
		for i, at := range times {
			for at.Sub(times[from]) >= time.Second {
				from++
			}
			if i-from+1 > limit {
				v.fault("%d calls of %s in a second", i-from+1, key[1])
				break
			}
		}
	}
}

// claims: an acceptance that is claimed was given, and an attempt after one of unknown outcome says so.
func (h *History) claims(v *Findings, uid types.UID, versions []Version) {
	for _, o := range versions {
		id := o.Status.RequestID
		if id == "" {
			continue
		}
		if !h.isGiven(uid, o) {
			v.fault("%s (%s) claims the acceptance %s, which the cloud never gave", o.Name, uid, id)
		}
	}
	for from := 0; from < len(versions); { // what somebody else wrote begins a new series
		to := from + 1
		for to < len(versions) && !h.IsByHand(versions[to]) {
			to++
		}
		unmarked(v, versions[from:to], from > 0)
		from = to
	}
}

// unmarked: an attempt after one of unknown outcome says so. An attempt from before somebody wrote the status can come back with its result.
func unmarked(v *Findings, versions []Version, byHand bool) {
	for target, attempts := range attemptsOf(versions) {
		for i := 1; i < len(attempts); i++ {
			if byHand && attempts[i].StartTime.Time.Before(versions[0].Seen) {
				continue
			}
			if was := attempts[i-1]; (was.EndTime == nil || was.FollowsUnknown) && !attempts[i].FollowsUnknown {
				v.fault("attempt %d for %s does not say that it follows one of unknown outcome", i+1, target.AsyncRequestID)
			}
		}
	}
}

// isGiven: the cloud gave this RequestId for this import, or somebody wrote it by hand.
func (h *History) isGiven(uid types.UID, o Version) bool {
	id := o.Status.RequestID
	for _, c := range h.CallLog {
		quoted := c.Fault == string(cdbsim.QuotingSuccess) // perhaps instead of the RequestId
		if (c.RequestID == id || quoted) && c.Code == "" && o.Status.Target != nil && c.AsyncRequestID == o.Status.Target.AsyncRequestID {
			return true
		}
	}
	for _, written := range h.ByHand[uid] {
		if written.RequestID == id {
			return true
		}
	}
	return false
}

// repeats: after a call that was done, another one needs a lost answer or a kill as its reason, and must be marked.
func (h *History) repeats(v *Findings, target cdbv1.Target, stops []cdbsim.Call) {
	for i, c := range stops {
		if c.Code != "" || i == len(stops)-1 {
			continue
		}
		v.Repeated += len(stops) - 1 - i
		recorded := h.recordOf(c)
		if h.erased(c.RequestID, stops[i+1].Time) {
			break
		}
		if !recorded.IsZero() && stops[i+1].Time.After(recorded) {
			v.fault("%s was called again %s after its acceptance was in status", target.AsyncRequestID, stops[i+1].Time.Sub(recorded))
		}
		explained := c.Fault != "" || h.Lost[c.RequestID]
		for _, kill := range h.Kills {
			explained = explained || (c.Time.Before(kill.Add(50*time.Millisecond)) && (recorded.IsZero() || recorded.After(kill)))
		}
		if !explained {
			v.fault("%s was called again at %s after the cloud had accepted it at %s, and nothing explains it",
				target.AsyncRequestID, stops[i+1].Time.Format(time.StampMicro), c.Time.Format(time.StampMicro))
		}
		break
	}
}

// erased: somebody wrote a status without the acceptance over the one that recorded it, so that the operator cannot know of it any more.
func (h *History) erased(requestID string, before time.Time) bool {
	for _, versions := range h.Versions {
		recorded := false
		for _, o := range versions {
			recorded = recorded || o.Status.RequestID == requestID
			if recorded && o.Seen.Before(before) && o.Status.RequestID != requestID && h.IsByHand(o) {
				return true
			}
		}
	}
	return false
}

// recordOf is when the acceptance of a call was first seen in a status.
func (h *History) recordOf(c cdbsim.Call) time.Time {
	for _, versions := range h.Versions {
		for _, o := range versions {
			if o.Status.RequestID == c.RequestID {
				return o.Seen
			}
		}
	}
	return time.Time{}
}

// String says what is wrong, or that nothing is.
func (v *Findings) String() string {
	if len(v.Wrong) == 0 {
		return "nothing lost"
	}
	return "WRONG: " + strings.Join(v.Wrong, "; ")
}
