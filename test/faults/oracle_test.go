// SPDX-License-Identifier: Apache-2.0

package faults

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

// findings are what the oracle says of a run.
type findings struct {
	objects, stops, repeated int
	wrong                    []string
}

func (v *findings) fault(format string, args ...any) {
	if len(v.wrong) < 10 {
		v.wrong = append(v.wrong, fmt.Sprintf(format, args...))
	}
}

// history is what the oracle looks at: all versions, calls, events and logs, when processes were killed or held up, which statuses
// somebody else wrote, and what must be seen nowhere.
type history struct {
	versions map[types.UID][]version
	stops    []cdbsim.Call
	kills    []time.Time
	byHand   map[types.UID][]cdbv1.ImportJobStopStatus
	secrets  []string
	events   []eventsv1.Event
	logs     []string
}

// isByHand: the status of this version is not the operator's.
func (h *history) isByHand(o version) bool {
	for i := range h.byHand[o.UID] {
		if equality.Semantic.DeepEqual(h.byHand[o.UID][i], o.Status) {
			return true
		}
	}
	return false
}

// judge is the oracle. It knows nothing of what was injected but the kills, and the faults that the cloud's log names.
func (h *history) check() (v findings) {
	v.objects = len(h.versions)
	h.window(&v)
	h.leaks(&v)
	claims, owners := map[cdbv1.Target]int{}, map[cdbv1.Target]int{}
	for uid, versions := range h.versions {
		h.order(&v, versions)
		h.claims(&v, uid, versions)
		attempts := attemptsOf(versions)
		for target, list := range attempts {
			target.Site = "" // the cloud's log does not tell
			claims[target] += len(list)
			owners[target]++
		}
	}
	for target, n := range claims {
		stops := h.stopsOf(target)
		v.stops += len(stops)
		if len(stops) > n {
			v.fault("%d calls for %s, but only %d were written down", len(stops), target.AsyncRequestID, n)
		}
		if owners[target] == 1 {
			h.repeats(&v, target, stops)
		}
	}
	for _, c := range h.stops {
		if _, known := claims[cdbv1.Target{Region: c.Region, AsyncRequestID: c.AsyncRequestID}]; !known && c.Action == "StopDBImportJob" {
			v.fault("a call for %q, which nobody wrote down", c.AsyncRequestID)
		}
	}
	return v
}

func (h *history) stopsOf(t cdbv1.Target) (stops []cdbsim.Call) {
	for _, c := range h.stops {
		if c.Action == "StopDBImportJob" && c.AsyncRequestID == t.AsyncRequestID && c.Region == t.Region {
			stops = append(stops, c)
		}
	}
	return stops
}

// attemptsOf are the attempts that were written down, in order, each as it was last seen.
func attemptsOf(versions []version) map[cdbv1.Target][]cdbv1.Attempt {
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
func (h *history) window(v *findings) {
	arrivals := map[[2]string][]time.Time{}
	for _, c := range h.stops {
		if strings.HasPrefix(c.Code, "AuthFailure") {
			continue
		}
		key := [2]string{c.SecretID, c.Action}
		arrivals[key] = append(arrivals[key], c.Time)
	}
	for key, times := range arrivals {
		limit := map[string]int{"StopDBImportJob": 20, "DescribeAsyncRequestInfo": 40}[key[1]]
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
func (h *history) claims(v *findings, uid types.UID, versions []version) {
	for _, o := range versions {
		id := o.Status.RequestID
		if id == "" {
			continue
		}
		if !h.isGiven(uid, o) {
			v.fault("%s (%s) claims the acceptance %s, which the cloud never gave", o.Name, uid, id)
		}
	}
	for target, attempts := range attemptsOf(versions) {
		for i := 1; i < len(attempts); i++ {
			if was := attempts[i-1]; (was.EndTime == nil || was.FollowsUnknown) && !attempts[i].FollowsUnknown {
				v.fault("attempt %d for %s does not say that it follows one of unknown outcome", i+1, target.AsyncRequestID)
			}
		}
	}
}

// isGiven: the cloud gave this RequestId for this import, or somebody wrote it by hand.
func (h *history) isGiven(uid types.UID, o version) bool {
	id := o.Status.RequestID
	for _, c := range h.stops {
		quoted := c.Fault == string(cdbsim.QuotingSuccess) // perhaps instead of the RequestId
		if (c.RequestID == id || quoted) && c.Code == "" && o.Status.Target != nil && c.AsyncRequestID == o.Status.Target.AsyncRequestID {
			return true
		}
	}
	for _, written := range h.byHand[uid] {
		if written.RequestID == id {
			return true
		}
	}
	return false
}

// repeats: after a call that was done, another one needs a lost answer or a kill as its reason, and must be marked.
func (h *history) repeats(v *findings, target cdbv1.Target, stops []cdbsim.Call) {
	for i, c := range stops {
		if c.Code != "" || i == len(stops)-1 {
			continue
		}
		v.repeated += len(stops) - 1 - i
		recorded := h.recordOf(c)
		if !recorded.IsZero() && stops[i+1].Time.After(recorded) {
			v.fault("%s was called again %s after its acceptance was in status", target.AsyncRequestID, stops[i+1].Time.Sub(recorded))
		}
		explained := c.Fault != ""
		for _, kill := range h.kills {
			explained = explained || (c.Time.Before(kill.Add(50*time.Millisecond)) && (recorded.IsZero() || recorded.After(kill)))
		}
		if !explained {
			v.fault("%s was called again at %s after the cloud had accepted it at %s, and nothing explains it",
				target.AsyncRequestID, stops[i+1].Time.Format(time.StampMicro), c.Time.Format(time.StampMicro))
		}
		break
	}
}

// recordOf is when the acceptance of a call was first seen in a status.
func (h *history) recordOf(c cdbsim.Call) time.Time {
	for _, versions := range h.versions {
		for _, o := range versions {
			if o.Status.RequestID == c.RequestID {
				return o.seen
			}
		}
	}
	return time.Time{}
}

func (v *findings) String() string {
	if len(v.wrong) == 0 {
		return "nothing lost"
	}
	return "WRONG: " + strings.Join(v.wrong, "; ")
}
