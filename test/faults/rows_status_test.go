// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"math"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// statusRows are about statuses that the operator did not write, or wrote with a wrong clock.
var statusRows = []row{
	{"status by hand while the operator is down", false, func(f *fixture) { byHand(f, false) }},
	{"status by hand while the operator is up", false, func(f *fixture) { byHand(f, true) }},
	{"restore with status while the operator is down", false, func(f *fixture) { restore(f, true, false) }},
	{"restore with status while the operator is up", false, func(f *fixture) { restore(f, true, true) }},
	{"restore without status while the operator is down", false, func(f *fixture) { restore(f, false, false) }},
	{"restore without status while the operator is up", false, func(f *fixture) { restore(f, false, true) }},
	{"clock a day ahead that is put right", false, clockAhead},
}

const handwritten = "00000000-1111-2222-3333-444444444444" // a RequestId that the cloud never gave

// written is a status that somebody writes, and what must come of it.
type written struct {
	name  string
	edit  func(*cdbv1.ImportJobStop)
	want  string
	stops int
}

// byHand writes what the schema allows. The objects are held back until it is written.
func byHand(f *fixture, up bool) {
	if up {
		f.Start()
	}
	cases := writtenCases()
	for _, c := range cases {
		f.StopImport(c.name, func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = up })
		if up {
			f.UntilReason(c.name, cdbv1.ReasonSuspended)
		}
		if c.want == cdbv1.ReasonImportStopped {
			f.SetImport(c.name, cdbsim.Import{Status: "KILLED"})
		}
		f.writeStatus(c.name, c.edit)
		f.Update(c.name, func(o *cdbv1.ImportJobStop) {
			o.Spec.Suspend = false
			if c.want == cdbv1.ReasonImportStopped {
				o.Spec.WaitFor = cdbv1.WaitForStopped
			}
		})
	}
	if !up {
		f.Start()
	}
	for _, c := range cases {
		f.Until(c.name, c.want, func(o *cdbv1.ImportJobStop) bool { // some say so from the beginning, without a RequestId
			return harness.HasReason(o, c.want) && o.Status.RequestID != ""
		})
		if n := len(f.Stops(c.name)); n != c.stops {
			f.Errorf("%s: %d calls, want %d", c.name, n, c.stops)
		}
	}
	select {
	case <-f.Operator.Ended():
		f.Error("the operator has ended")
	default:
	}
}

// writtenCases: whatever the schema allows leads to a truthful end.
func writtenCases() []written {
	target := func(o *cdbv1.ImportJobStop) *cdbv1.Target { t := o.Spec.Target(); return &t }
	condition := func(kind, status, reason, message string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: metav1.ConditionStatus(status), Reason: reason, Message: message, LastTransitionTime: metav1.Now()}
	}
	status := func(s cdbv1.ImportJobStopStatus) func(*cdbv1.ImportJobStop) {
		return func(o *cdbv1.ImportJobStop) {
			o.Status = s
			o.Status.Target = target(o)
		}
	}
	ended := func(offset time.Duration) *cdbv1.Attempt {
		return &cdbv1.Attempt{StartTime: metav1.NewMicroTime(time.Now().Add(offset)), EndTime: &metav1.MicroTime{Time: time.Now().Add(offset)}, ErrorCode: "InternalError"}
	}
	retry := []metav1.Condition{condition(cdbv1.ConditionReady, "Unknown", cdbv1.ReasonRetryScheduled, "")}
	long := strings.Repeat("x", 32<<10)
	const century = 100 * 365 * 24 * time.Hour
	off := func(offset time.Duration) func(*cdbv1.ImportJobStop) {
		at := metav1.NewTime(time.Now().Add(offset))
		return status(cdbv1.ImportJobStopStatus{
			ObservedGeneration: 1, StartTime: &at, WaitingSince: &at, CompletionTime: &at, NextAttemptTime: &metav1.MicroTime{Time: at.Time},
			LastAttempt: ended(offset), Conditions: retry, Attempts: 3,
		})
	}
	return []written{
		{"accepted-without-attempt", status(cdbv1.ImportJobStopStatus{RequestID: handwritten}), cdbv1.ReasonImportStopped, 0},
		{"accepted", status(cdbv1.ImportJobStopStatus{RequestID: handwritten}), cdbv1.ReasonStopAccepted, 0},
		{"accepted-without-target", func(o *cdbv1.ImportJobStop) {
			o.Status = cdbv1.ImportJobStopStatus{RequestID: handwritten}
		}, cdbv1.ReasonStopAccepted, 0},
		{"accepted-with-unknown-reason", status(cdbv1.ImportJobStopStatus{
			RequestID: handwritten, Conditions: []metav1.Condition{condition(cdbv1.ConditionReady, "False", "Nonsense", "")},
		}), cdbv1.ReasonStopAccepted, 0},
		{"long-request-id", status(cdbv1.ImportJobStopStatus{RequestID: long}), cdbv1.ReasonStopAccepted, 0},
		{"other-target", func(o *cdbv1.ImportJobStop) {
			o.Status = cdbv1.ImportJobStopStatus{RequestID: handwritten, Target: &cdbv1.Target{Region: harness.Region, AsyncRequestID: "another", Site: cdbv1.SiteChina}}
		}, cdbv1.ReasonStopAccepted, 1},
		{"foreign-conditions", status(cdbv1.ImportJobStopStatus{Conditions: []metav1.Condition{
			condition("Foreign", "True", "Whatever", "of another tool"), condition(cdbv1.ConditionReady, "True", "Whatever", ""),
		}}), cdbv1.ReasonStopAccepted, 1},
		{"ready-without-request-id", status(cdbv1.ImportJobStopStatus{
			ObservedGeneration: 1, CompletionTime: &metav1.Time{Time: time.Now()},
			Conditions: []metav1.Condition{condition(cdbv1.ConditionReady, "True", cdbv1.ReasonStopAccepted, ""), condition(cdbv1.ConditionAccepted, "True", cdbv1.ReasonStopAccepted, "")},
		}), cdbv1.ReasonStopAccepted, 1},
		{"all-at-once", status(cdbv1.ImportJobStopStatus{
			LastAttempt: &cdbv1.Attempt{StartTime: metav1.NowMicro()},
			Conditions: []metav1.Condition{
				condition(cdbv1.ConditionReady, "True", cdbv1.ReasonStopping, ""), condition(cdbv1.ConditionReconciling, "True", cdbv1.ReasonStopping, ""),
				condition(cdbv1.ConditionStalled, "True", cdbv1.ReasonStopping, ""), condition(cdbv1.ConditionAccepted, "False", cdbv1.ReasonStopping, ""),
			},
		}), cdbv1.ReasonStopAccepted, 1},
		{"negative-attempts", status(cdbv1.ImportJobStopStatus{Attempts: math.MinInt32, Conditions: retry}), cdbv1.ReasonStopAccepted, 1},
		{"most-attempts", status(cdbv1.ImportJobStopStatus{Attempts: math.MaxInt32, LastAttempt: ended(0), Conditions: retry}), cdbv1.ReasonStopAccepted, 1},
		{"generation-of-the-future", status(cdbv1.ImportJobStopStatus{ObservedGeneration: math.MaxInt64}), cdbv1.ReasonStopAccepted, 1},
		{"unknown-import-status", status(cdbv1.ImportJobStopStatus{
			ImportStatus: "NONSENSE", LastAttempt: ended(0), Conditions: append(retry, condition(cdbv1.ConditionAccepted, "False", cdbv1.ReasonImportError, "")),
		}), cdbv1.ReasonStopAccepted, 1},
		{"long-messages", status(cdbv1.ImportJobStopStatus{
			LastAttempt: &cdbv1.Attempt{StartTime: metav1.NowMicro(), EndTime: &metav1.MicroTime{Time: time.Now()}, ErrorCode: long, Message: long, RequestID: long},
			Conditions: []metav1.Condition{
				condition(cdbv1.ConditionReady, "Unknown", cdbv1.ReasonRetryScheduled, long), condition(cdbv1.ConditionAccepted, "False", cdbv1.ReasonCloudError, long),
			},
		}), cdbv1.ReasonStopAccepted, 1},
		{"a-century-ahead", off(century), cdbv1.ReasonStopAccepted, 1},
		{"a-century-behind", off(-century), cdbv1.ReasonStopAccepted, 1},
	}
}

// restore deletes objects and creates them again, as a backup tool does: the status, if it brings one, comes after the object.
func restore(f *fixture, withStatus, up bool) {
	const objects = 3
	f.many("a", objects)
	f.Start()
	f.settle(objects, isDone)
	if up {
		f.proxy.hush() // the tool is quick
	} else {
		f.kill()
	}
	want := cdbv1.ReasonAlreadyStopped
	for i := range objects {
		name := fmt.Sprint("a-", i)
		saved := f.Get(name)
		f.delete(saved)
		f.Create(f.Object(name))
		if withStatus {
			want = cdbv1.ReasonStopAccepted
			f.writeStatus(name, func(o *cdbv1.ImportJobStop) { o.Status = saved.Status })
		}
	}
	f.inject("restored", objects)
	f.proxy.speak()
	if !up {
		f.Start()
	}
	f.settle(objects, func(o *cdbv1.ImportJobStop) bool { return harness.HasReason(o, want) })
	f.StopImport("b") // all before it was looked at
	f.UntilReason("b", cdbv1.ReasonStopAccepted)
	if n := len(f.Stops()); withStatus && n != objects+1 {
		f.Errorf("%d calls for %d imports", n, objects+1)
	}
}
