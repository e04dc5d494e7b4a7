// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// TestOracle: an oracle that cannot fail proves nothing.
func TestOracle(t *testing.T) {
	t.Parallel()
	target := cdbv1.Target{Region: harness.Region, AsyncRequestID: "a", Site: cdbv1.SiteChina}
	at := time.Now()
	attempt := func(second int, edit func(*cdbv1.ImportJobStop)) version {
		o := &cdbv1.ImportJobStop{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "1", Generation: 1}}
		start := metav1.NewMicroTime(at.Add(time.Duration(second) * time.Second))
		o.Status = cdbv1.ImportJobStopStatus{Target: &target, ObservedGeneration: 1, LastAttempt: &cdbv1.Attempt{StartTime: start}}
		edit(o)
		return version{ImportJobStop: o, seen: start.Time}
	}
	open := func(*cdbv1.ImportJobStop) {}
	marked := func(o *cdbv1.ImportJobStop) { o.Status.LastAttempt.FollowsUnknown = true }
	acceptedAs := func(id string) func(*cdbv1.ImportJobStop) {
		return func(o *cdbv1.ImportJobStop) {
			end := o.Status.LastAttempt.StartTime
			o.Status.LastAttempt.EndTime, o.Status.RequestID = &end, id
			o.Status.Conditions = []metav1.Condition{
				{Type: cdbv1.ConditionReady, Status: "True"}, {Type: cdbv1.ConditionAccepted, Status: "True"},
			}
			o.Status.CompletionTime = &metav1.Time{Time: end.Time}
		}
	}
	withReason := func(reason string, edit func(*cdbv1.ImportJobStop)) func(*cdbv1.ImportJobStop) {
		return func(o *cdbv1.ImportJobStop) {
			o.Status.Conditions = []metav1.Condition{
				{Type: cdbv1.ConditionReady, Status: "Unknown", Reason: reason}, {Type: cdbv1.ConditionReconciling, Status: "True", Reason: reason},
			}
			edit(o)
		}
	}
	other := func(o *cdbv1.ImportJobStop) { acceptedAs("r")(o); o.Spec.AsyncRequestID = "b" }
	waiting := func(o *cdbv1.ImportJobStop) { o.Status.WaitingSince = &metav1.Time{Time: at} }
	ended := func(o *cdbv1.ImportJobStop) { o.Status.CompletionTime = &metav1.Time{Time: at} }
	call := func(second int, id, code string) cdbsim.Call {
		return cdbsim.Call{Time: at.Add(time.Duration(second)*time.Second + time.Millisecond), Action: "StopDBImportJob", Region: harness.Region, AsyncRequestID: "a", RequestID: id, Code: code}
	}
	for name, test := range map[string]struct {
		h    history
		want string
	}{
		"a call that was not written down": {history{stops: []cdbsim.Call{call(0, "r", "")}}, "nobody wrote down"},
		"more calls than intents":          {h(call(0, "r", ""), call(1, "s", "X"))(attempt(0, open)), "only 1 were written down"},
		"a repeat that nothing explains":   {h(call(0, "r", ""), call(1, "s", "X"))(attempt(0, open), attempt(1, marked)), "nothing explains it"},
		"an unmarked attempt":              {h(call(0, "r", "X"), call(1, "s", ""))(attempt(0, open), attempt(1, open)), "does not say"},
		"an acceptance that was not given": {h(call(0, "r", "X"))(attempt(0, acceptedAs("r"))), "never gave"},
		"a call after the acceptance":      {h(call(0, "r", ""), call(2, "s", "X"))(attempt(0, acceptedAs("r")), attempt(2, marked)), "after its acceptance"},
		"a generation from the future":     {h()(attempt(0, func(o *cdbv1.ImportJobStop) { o.Status.ObservedGeneration = 2 })), "generation 2"},
		"an acceptance that is taken back": {h(call(0, "r", ""))(attempt(0, acceptedAs("r")), attempt(0, open)), "went from r"},
		"a status that is lost":            {h()(attempt(0, open), attempt(0, func(o *cdbv1.ImportJobStop) { o.Status = cdbv1.ImportJobStopStatus{} })), "lost its status"},
		"too many calls in a second":       {h(burst(call(0, "r", "X"))...)(), "21 calls"},
		"an edited record":                 {h(call(0, "r", ""))(attempt(0, acceptedAs("r")), attempt(0, other)), "target was changed"},
		"accepted without a RequestId": {h()(attempt(0, func(o *cdbv1.ImportJobStop) {
			acceptedAs("")(o)
		})), "Accepted is True: true"},
		"a RequestId without Accepted": {h(call(0, "r", ""))(attempt(0, func(o *cdbv1.ImportJobStop) {
			acceptedAs("r")(o)
			o.Status.Conditions = o.Status.Conditions[:1]
		})), "Accepted is True: false"},
		"no Ready among conditions":    {h()(attempt(0, func(o *cdbv1.ImportJobStop) { o.Status.Conditions = []metav1.Condition{{Type: "X"}} })), "Ready false"},
		"waiting for nothing":          {h()(attempt(0, withReason(cdbv1.ReasonStopping, waiting))), "waitingSince"},
		"waiting since never":          {h()(attempt(0, withReason(cdbv1.ReasonWaitingForQuota, open))), "waitingSince"},
		"ended and going on":           {h()(attempt(0, withReason(cdbv1.ReasonStopping, ended))), "completionTime"},
		"ended without completionTime": {h(call(0, "r", ""))(attempt(0, func(o *cdbv1.ImportJobStop) { acceptedAs("r")(o); o.Status.CompletionTime = nil })), "completionTime"},
	} {
		if v := test.h.check(); !strings.Contains(v.String(), test.want) {
			t.Errorf("%s: the oracle says %q", name, v.String())
		}
	}
	if v := mendedTwice(attempt(0, open).ImportJobStop).check(); !strings.Contains(v.String(), "waitingSince") {
		t.Errorf("the second write after one by hand must fit: the oracle says %q", v.String())
	}
	passing := h(call(0, "r", ""))(attempt(0, open), attempt(0, acceptedAs("r")))
	passing.secrets = []string{accountOf("creds").SecretKey}
	if v := passing.check(); len(v.wrong) > 0 {
		t.Errorf("the oracle finds %v in a good history", v.wrong)
	}
}

// mendedTwice is a status by hand that does not fit together, and that the operator writes twice without putting it right.
func mendedTwice(o *cdbv1.ImportJobStop) *history {
	var versions []version
	for i := range 3 {
		next := o.DeepCopy()
		next.Status.Attempts = int32(i)
		next.Status.WaitingSince = &metav1.Time{Time: time.Now()}
		versions = append(versions, version{ImportJobStop: next})
	}
	output := h()(versions...)
	output.byHand = map[types.UID][]cdbv1.ImportJobStopStatus{o.UID: {versions[0].Status}}
	return &output
}

// TestOracleLooksForSecrets: in objects, events and logs; whole, cut, in the middle of something and in each form.
func TestOracleLooksForSecrets(t *testing.T) {
	t.Parallel()
	a := accountOf("creds")
	for _, secret := range []string{a.SecretKey, a.Token} {
		for _, form := range harness.Forms(secret) {
			for _, text := range []string{form, "it was " + form + "!", form[:len(form)*3/5], form[len(form)*2/5:]} {
				wantLeak(t, text, a.SecretKey, a.Token)
			}
		}
		for before := range 3 {
			whole := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret + " and more"))
			wantLeak(t, whole, a.SecretKey, a.Token)
		}
	}
	wantLeak(t, "Signature="+strings.Repeat("0a", 32))
	if v := (&history{secrets: []string{a.SecretKey}, logs: []string{"a key, a token and " + a.SecretID}}).check(); len(v.wrong) > 0 {
		t.Errorf("the oracle finds %v in a good log", v.wrong)
	}
}

func wantLeak(t *testing.T, text string, secrets ...string) {
	t.Helper()
	o := &cdbv1.ImportJobStop{Status: cdbv1.ImportJobStopStatus{LastAttempt: &cdbv1.Attempt{Message: text}}}
	row, err := json.Marshal(map[string]any{"msg": "failed", "why": []string{text}})
	harness.Must(t, err)
	for where, h := range map[string]*history{
		"an object":   {versions: map[types.UID][]version{"1": {{ImportJobStop: o}}}},
		"an event":    {events: []eventsv1.Event{{Note: text}}},
		"a log":       {logs: []string{"fine\n" + text + "\n"}},
		"a JSON log":  {logs: []string{"fine\n" + string(row) + "\n"}},
		"an old log":  {logs: []string{text, "fine"}},
		"a condition": {versions: map[types.UID][]version{"1": {{ImportJobStop: &cdbv1.ImportJobStop{Status: cdbv1.ImportJobStopStatus{Conditions: []metav1.Condition{{Message: text}}}}}}}},
	} {
		h.secrets = secrets
		var v findings
		h.leaks(&v)
		if len(v.wrong) == 0 {
			t.Errorf("the oracle does not notice %q in %s", text, where)
		}
	}
}

// h makes a history of calls and versions.
func h(stops ...cdbsim.Call) func(...version) history {
	return func(versions ...version) history {
		output := history{stops: stops}
		if len(versions) > 0 {
			output.versions = map[types.UID][]version{"1": versions}
		}
		return output
	}
}

func burst(c cdbsim.Call) (stops []cdbsim.Call) {
	for range 21 {
		stops = append(stops, c)
	}
	return stops
}
