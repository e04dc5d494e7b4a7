// SPDX-License-Identifier: Apache-2.0

package explorer

import (
	"fmt"
	"strconv"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
)

// moves are all states that can come next.
func (s *state) moves() (next []*state) {
	add := func(states ...*state) {
		for _, n := range states {
			if n != nil {
				next = append(next, n)
			}
		}
	}
	for i := range s.Leaders {
		switch l := s.Leaders[i]; {
		case l.Result != nil:
			add(s.recordResult(i)...)
		case l.Called != nil:
			add(s.call(i)...)
		case i == s.Leader:
			add(s.reconcile(i, s.Object)...)
			if s.Before != nil && versionOf(s.Before) >= l.Seen {
				add(s.reconcile(i, s.Before)...)
			}
		}
	}
	if crashed := s.fault("the leader crashes and starts again"); crashed != nil {
		crashed.excuse(crashed.Leaders[s.Leader].Result)
		crashed.Leaders[s.Leader] = leader{}
		add(crashed)
	}
	if !s.Took {
		taken := s.clone("another leader takes over from one that is held up")
		taken.Leader, taken.Took = 1, true
		taken.Now = taken.Now.Add(16 * time.Second)
		add(taken)
	}
	return next
}

func versionOf(o *cdbv1.ImportJobStop) int {
	version, _ := strconv.Atoi(o.ResourceVersion)
	return version
}

// reconcile does what lifecycle.Next wants of a copy in the cache.
func (s *state) reconcile(i int, copied *cdbv1.ImportJobStop) (next []*state) {
	stale := ""
	if copied != s.Object {
		stale = ", from a stale copy"
	}
	step := lifecycle.Next(copied.DeepCopy(), s.Now, false)
	switch step.Action {
	case importjob.ActionStop:
		return s.recordAttempt(i, copied, stale)
	case importjob.ActionDescribe:
		n := s.clone("leader %d asks for the status of the import%s", i, stale)
		n.Leaders[i].Action, n.Leaders[i].Called, n.Leaders[i].At = step.Action, copied, s.Now
		return []*state{n}
	}
	n := s.clone("leader %d writes what it waits for%s", i, stale)
	written, ok := n.write(i, copied, step.Change)
	if ok && n.Version > s.Version {
		return []*state{n}
	}
	if ok {
		if after := lifecycle.RequeueAfter(written.DeepCopy(), s.Now); after > 0 {
			n = s.clone("%s pass", after)
			n.Now = s.Now.Add(after)
			return []*state{n}
		}
	}
	return nil
}

// recordAttempt writes the attempt. If the answer to the write is lost, nothing is sent.
func (s *state) recordAttempt(i int, copied *cdbv1.ImportJobStop, stale string) (next []*state) {
	record := func(n *state) (*cdbv1.ImportJobStop, bool) {
		n.Now = n.Now.Add(time.Second) // each attempt has a time of its own
		n.must(s.Object.Status.RequestID == "" || copied != s.Object, "a stop is recorded although %s is accepted", s.Object.Status.RequestID)
		if s.without == recordFirst {
			unwritten := copied.DeepCopy()
			lifecycle.RecordAttempt(n.Now)(unwritten)
			return n.objects.one(unwritten), true
		}
		return n.write(i, copied, lifecycle.RecordAttempt(n.Now))
	}
	n := s.clone("leader %d records an attempt%s", i, stale)
	written, ok := record(n)
	if !ok {
		return nil // a conflict: it reads again
	}
	n.Leaders[i].Action, n.Leaders[i].Called, n.Leaders[i].At = importjob.ActionStop, written, n.Now
	next = append(next, n)
	if lost := s.fault("leader %d records an attempt%s, and the answer to the write is lost", i, stale); lost != nil {
		record(lost)
		lost.Leaders[i].Seen = s.Leaders[i].Seen
		next = append(next, lost)
	}
	return next
}

// call makes the call that is recorded, with each result that it can have.
func (s *state) call(i int) (next []*state) {
	l := s.Leaders[i]
	finish := func(n *state, requestID string, status importjob.Status, err *importjob.Error) {
		if n == nil {
			return
		}
		result := lifecycle.NewResult(l.Called, l.Action, 0)
		result.At, result.RequestID, result.Status, result.Err = n.Now, requestID, status, err
		n.Leaders[i].Result = result
		next = append(next, n)
	}
	if s.Now.Sub(l.At) > maxAttemptAge && s.without != age {
		finish(s.clone("leader %d does not send what it recorded too long ago", i), "", "", failure(importjob.Transient, "ClientError.NotSent", false))
		return next
	}
	if l.Action == importjob.ActionDescribe {
		status := importjob.StatusRunning
		if s.Stopped {
			status = importjob.StatusKilled
		}
		finish(s.clone("the cloud tells leader %d that the import is %s", i, status), "", status, nil)
		finish(s.fault("leader %d gets no answer", i), "", "", failure(importjob.Transient, "ClientError.Timeout", true))
		return next
	}
	n, refused := s.stop(i, "")
	finish(n, n.given(refused), "", refused)
	if n, _ := s.stop(i, ", and the answer is lost"); s.Faults > 0 {
		n.Faults--
		n.Excused = true
		finish(n, "", "", failure(importjob.Transient, "ClientError.Timeout", true))
	}
	for _, class := range []importjob.Class{importjob.Throttled, importjob.Transient, importjob.Ambiguous, importjob.Rejected, importjob.NotFound, importjob.Terminal} {
		finish(s.fault("the cloud refuses the stop of leader %d: %s", i, class), "", "", failure(class, "Refused."+string(class), false))
	}
	return next
}

// stop is what a stop does at the cloud.
func (s *state) stop(i int, and string) (*state, *importjob.Error) {
	if s.Stopped {
		n := s.clone("the cloud has stopped the import already, leader %d%s", i, and)
		n.mustBeSent(i)
		return n, failure(importjob.Ambiguous, "CdbError.ImportError", false)
	}
	n := s.clone("the cloud stops the import for leader %d%s", i, and)
	n.mustBeSent(i)
	n.Stopped = true
	n.Given++
	return n, nil
}

// mustBeSent: a stop that arrives was written down, and none arrives once an acceptance is in status.
func (s *state) mustBeSent(i int) {
	last, called := s.Object.Status.LastAttempt, s.Leaders[i].Called.Status.LastAttempt
	s.must(last != nil && called != nil && !last.StartTime.Before(&called.StartTime), "a stop is sent that is not written down")
	s.must(s.Object.Status.RequestID == "", "a stop is sent although the acceptance %s is in status", s.Object.Status.RequestID)
}

// excuse notes that nobody knows the result any more, and that nobody can.
func (s *state) excuse(r *lifecycle.Result) {
	s.Excused = s.Excused || (r != nil && r.RequestID != "")
}

func (s *state) given(refused *importjob.Error) string {
	if refused != nil {
		return ""
	}
	return fmt.Sprint("r-", s.Given)
}

func failure(class importjob.Class, code string, unknown bool) *importjob.Error {
	return &importjob.Error{Class: class, Code: code, Message: "said so", OutcomeUnknown: unknown}
}

// recordResult writes the result into the newest object, and keeps it until that is done.
func (s *state) recordResult(i int) (next []*state) {
	l := s.Leaders[i]
	apply := func(n *state) {
		if n == nil {
			return
		}
		object := n.Object.DeepCopy()
		rewound := l.Result.IsRewound(object, l.Called)
		if !rewound && !l.Result.Belongs(object) && s.without != belonging { // it is overtaken
			n.excuse(l.Result)
		} else {
			n.write(i, object, func(o *cdbv1.ImportJobStop) {
				if rewound {
					l.Called.Status.DeepCopyInto(&o.Status)
				}
				lifecycle.ApplyResult(o, l.Result)
			})
		}
	}
	n := s.clone("leader %d records its result", i)
	apply(n)
	if failed := s.fault("leader %d fails to write its result, and forgets it", i); failed != nil && s.without == kept {
		failed.Leaders[i].Called, failed.Leaders[i].Result, failed.Leaders[i].Action = nil, nil, ""
		next = append(next, failed)
	}
	n.Leaders[i].Called, n.Leaders[i].Result, n.Leaders[i].Action = nil, nil, ""
	next = append(next, n)
	if lost := s.fault("leader %d records its result, and the answer to the write is lost", i); lost != nil {
		apply(lost)
		if lost.Version > s.Version {
			next = append(next, lost)
		}
	}
	return next
}
