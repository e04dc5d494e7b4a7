// SPDX-License-Identifier: Apache-2.0

package oracle

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
)

// A key and a token with what each way of escaping escapes.
const (
	key   = `Canary-"<&>+/%\=5bXw9Tq2key-of-credsZr7-%>"&<+\/=end-of-Canary`
	token = `Canary-"<&>+/%\=5bXw9Tq2token-of-credsZr7-%>"&<+\/=end-of-Canary`
)

// TestOracle: an oracle that cannot fail proves nothing.
func TestOracle(t *testing.T) {
	t.Parallel()
	target := cdbv1.Target{Region: "ap-guangzhou", AsyncRequestID: "a", Site: cdbv1.SiteChina}
	at := time.Now()
	attempt := func(second int, edit func(*cdbv1.ImportJobStop)) Version {
		o := &cdbv1.ImportJobStop{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "1", Generation: 1}}
		start := metav1.NewMicroTime(at.Add(time.Duration(second) * time.Second))
		o.Status = cdbv1.ImportJobStopStatus{Target: &target, ObservedGeneration: 1, LastAttempt: &cdbv1.Attempt{StartTime: start}}
		edit(o)
		return Version{ImportJobStop: o, Seen: start.Time}
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
	// still: accepted, and waiting for the end of the import by a spec of this generation
	still := func(generation int64) func(*cdbv1.ImportJobStop) {
		return func(o *cdbv1.ImportJobStop) {
			acceptedAs("r")(o)
			o.Generation, o.Status.ObservedGeneration, o.Status.CompletionTime = generation, generation, nil
			o.Spec.WaitFor = cdbv1.WaitForStopped
			o.Status.Conditions[0].Status = "Unknown"
			o.Status.Conditions = append(o.Status.Conditions, metav1.Condition{Type: cdbv1.ConditionReconciling, Status: "True"})
		}
	}
	asked := func(o *cdbv1.ImportJobStop) { acceptedAs("r")(o); o.Spec.WaitFor = cdbv1.WaitForStopped }
	edited := func(o *cdbv1.ImportJobStop) { asked(o); o.Generation = 2 }
	call := func(second int, id, code string) cdbsim.Call {
		return cdbsim.Call{Time: at.Add(time.Duration(second)*time.Second + time.Millisecond), Action: "StopDBImportJob", Region: "ap-guangzhou", AsyncRequestID: "a", RequestID: id, Code: code}
	}
	for name, test := range map[string]struct {
		h    History
		want string
	}{
		"a call that was not written down": {History{CallLog: []cdbsim.Call{call(0, "r", "")}}, "nobody wrote down"},
		"more calls than attempts":         {h(call(0, "r", ""), call(1, "s", "X"))(attempt(0, open)), "only 1 were written down"},
		"a repeat that nothing explains":   {h(call(0, "r", ""), call(1, "s", "X"))(attempt(0, open), attempt(1, marked)), "nothing explains it"},
		"an unmarked attempt":              {h(call(0, "r", "X"), call(1, "s", ""))(attempt(0, open), attempt(1, open)), "does not say"},
		"an acceptance that was not given": {h(call(0, "r", "X"))(attempt(0, acceptedAs("r"))), "never gave"},
		"a call after the acceptance":      {h(call(0, "r", ""), call(2, "s", "X"))(attempt(0, acceptedAs("r")), attempt(2, marked)), "after its acceptance"},
		"a generation from the future":     {h()(attempt(0, func(o *cdbv1.ImportJobStop) { o.Status.ObservedGeneration = 2 })), "generation 2"},
		"an acceptance that is taken back": {h(call(0, "r", ""))(attempt(0, acceptedAs("r")), attempt(0, open)), "went from r"},
		"a status that is lost":            {h()(attempt(0, open), attempt(0, func(o *cdbv1.ImportJobStop) { o.Status = cdbv1.ImportJobStopStatus{} })), "lost its status"},
		"too many calls in a second":       {h(burst(call(0, "r", "X"))...)(), "21 calls"},
		"a stale copy":                     {History{Writes: []Write{{To: 5, Answered: at}, {From: 4, Begun: at.Add(time.Second)}}}, "from version 4"},
		"asking all the time":              {h(asking(call(0, "", ""))...)(), "asked for 9 times"},
		"an edited record":                 {h(call(0, "r", ""))(attempt(0, acceptedAs("r")), attempt(0, other)), "target was changed"},
		"accepted without a RequestId": {h()(attempt(0, func(o *cdbv1.ImportJobStop) {
			acceptedAs("")(o)
		})), "Accepted is True: true"},
		"a RequestId without Accepted": {h(call(0, "r", ""))(attempt(0, func(o *cdbv1.ImportJobStop) {
			acceptedAs("r")(o)
			o.Status.Conditions = o.Status.Conditions[:1]
		})), "Accepted is True: false"},
		"back from Ready":              {h(call(0, "r", ""))(attempt(0, asked), attempt(0, still(1))), "went back from Ready"},
		"no Ready among conditions":    {h()(attempt(0, func(o *cdbv1.ImportJobStop) { o.Status.Conditions = []metav1.Condition{{Type: "X"}} })), "Ready false"},
		"waiting for nothing":          {h()(attempt(0, withReason(cdbv1.ReasonStopping, waiting))), "waitingSince"},
		"waiting since never":          {h()(attempt(0, withReason(cdbv1.ReasonWaitingForQuota, open))), "waitingSince"},
		"ended and going on":           {h()(attempt(0, withReason(cdbv1.ReasonStopping, ended))), "completionTime"},
		"ended without completionTime": {h(call(0, "r", ""))(attempt(0, func(o *cdbv1.ImportJobStop) { acceptedAs("r")(o); o.Status.CompletionTime = nil })), "completionTime"},
	} {
		if v := test.h.Check(); !strings.Contains(v.String(), test.want) {
			t.Errorf("%s: the oracle says %q", name, v.String())
		}
	}
	if v := mendedTwice(attempt(0, open).ImportJobStop).Check(); !strings.Contains(v.String(), "waitingSince") {
		t.Errorf("the second write after one by hand must fit: the oracle says %q", v.String())
	}
	if v := h(call(0, "r", ""))(attempt(0, acceptedAs("r")), attempt(0, edited), attempt(0, still(2))); len(v.Check().Wrong) > 0 {
		t.Errorf("the spec asks for the end, too: the oracle finds %v", v.Check().Wrong)
	}
	mendedOnly := func(o *cdbv1.ImportJobStop) { edited(o); o.Status.ImportStatus = "RUNNING" } // it says nothing of the second generation yet
	if v := h(call(0, "r", ""))(attempt(0, acceptedAs("r")), attempt(0, edited), attempt(0, mendedOnly), attempt(0, still(2))); len(v.Check().Wrong) > 0 {
		t.Errorf("a status of the generation before is written once more: the oracle finds %v", v.Check().Wrong)
	}
	passing := h(call(0, "r", ""))(attempt(0, open), attempt(0, acceptedAs("r")))
	passing.Secrets = []string{key}
	if v := passing.Check(); len(v.Wrong) > 0 {
		t.Errorf("the oracle finds %v in a good history", v.Wrong)
	}
}

// mendedTwice is a status by hand that does not fit together, and that the operator writes twice without putting it right.
func mendedTwice(o *cdbv1.ImportJobStop) *History {
	var versions []Version
	for i := range 3 {
		next := o.DeepCopy()
		next.Status.Attempts = int32(i)
		next.Status.WaitingSince = &metav1.Time{Time: time.Now()}
		versions = append(versions, Version{ImportJobStop: next})
	}
	output := h()(versions...)
	output.ByHand = map[types.UID][]cdbv1.ImportJobStopStatus{o.UID: {versions[0].Status}}
	return &output
}

// TestOracleLooksForSecrets: in objects, events and logs; whole, cut, in the middle of something and in each form.
func TestOracleLooksForSecrets(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{key, token} {
		for _, form := range Forms(secret) {
			for _, text := range []string{form, "it was " + form + "!", form[:len(form)*3/5], form[len(form)*2/5:]} {
				wantLeak(t, text, key, token)
			}
		}
		for before := range 3 {
			whole := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret + " and more"))
			wantLeak(t, whole, key, token)
		}
	}
	wantLeak(t, "Signature="+strings.Repeat("0a", 32))
	if v := (&History{Secrets: []string{key}, Logs: []string{"a key, a token and AKIDcreds"}}).Check(); len(v.Wrong) > 0 {
		t.Errorf("the oracle finds %v in a good log", v.Wrong)
	}
}

func wantLeak(t *testing.T, text string, secrets ...string) {
	t.Helper()
	o := &cdbv1.ImportJobStop{Status: cdbv1.ImportJobStopStatus{LastAttempt: &cdbv1.Attempt{Message: text}}}
	row, err := json.Marshal(map[string]any{"msg": "failed", "why": []string{text}})
	if err != nil {
		t.Fatal(err)
	}
	for where, h := range map[string]*History{
		"an object":   {Versions: map[types.UID][]Version{"1": {{ImportJobStop: o}}}},
		"an event":    {Events: []eventsv1.Event{{Note: text}}},
		"a log":       {Logs: []string{"fine\n" + text + "\n"}},
		"a JSON log":  {Logs: []string{"fine\n" + string(row) + "\n"}},
		"an old log":  {Logs: []string{text, "fine"}},
		"a condition": {Versions: map[types.UID][]Version{"1": {{ImportJobStop: &cdbv1.ImportJobStop{Status: cdbv1.ImportJobStopStatus{Conditions: []metav1.Condition{{Message: text}}}}}}}},
	} {
		h.Secrets = secrets
		var v Findings
		h.leaks(&v)
		if len(v.Wrong) == 0 {
			t.Errorf("the oracle does not notice %q in %s", text, where)
		}
	}
}

// h makes a history of calls and versions.
func h(stops ...cdbsim.Call) func(...Version) History {
	return func(versions ...Version) History {
		output := History{CallLog: stops}
		if len(versions) > 0 {
			output.Versions = map[types.UID][]Version{"1": versions}
		}
		return output
	}
}

// asking is the same question ten times, each 100 ms after the one before.
func asking(c cdbsim.Call) (questions []cdbsim.Call) {
	c.Action = "DescribeAsyncRequestInfo"
	for range 10 {
		c.Time = c.Time.Add(100 * time.Millisecond)
		questions = append(questions, c)
	}
	return questions
}

func burst(c cdbsim.Call) (stops []cdbsim.Call) {
	for range 21 {
		stops = append(stops, c)
	}
	return stops
}
