// SPDX-License-Identifier: Apache-2.0

// Package explorer walks through every interleaving of a small cluster: one object, one import, a leader that another one takes over from,
// a cache that lags by one version, and a few faults. The decisions are those of internal/lifecycle; recording, sending and recording again
// are modelled on controllers/call.go and controllers/status.go.
package explorer

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
)

// state is everything at a moment.
type state struct {
	Object  *cdbv1.ImportJobStop // as the API server has it
	Before  *cdbv1.ImportJobStop // its version before, which a cache may still have
	Version int
	Leader  int
	Leaders [2]leader
	Stopped bool // the import
	Given   int  // acceptances that the cloud gave
	Now     time.Time
	Faults  int // that may still happen
	Took    bool
	Excused bool // an acceptance was lost as it may be: with its answer, with its process, or to a later attempt
	without safeguard
	objects *objects
	parent  *state
	what    string
	broken  string
}

// safeguard is a part of the protocol that can be taken out of the model.
type safeguard string

const (
	recordFirst safeguard = "the record of the attempt"
	version     safeguard = "the check of the resourceVersion"
	kept        safeguard = "the result kept until it is in status"
	age         safeguard = "the age of an attempt"
	belonging   safeguard = "the attempt that a result belongs to"
)

var safeguards = []safeguard{recordFirst, version, kept, age, belonging}

// leader is a process that leads, or led.
type leader struct {
	Seen   int                  // the version that it wrote or read last
	Action importjob.Action     // of the call in flight
	Called *cdbv1.ImportJobStop // as it was recorded
	At     time.Time
	Result *lifecycle.Result // not in status yet
}

// maxAttemptAge is that of the controller.
const maxAttemptAge = 10 * time.Second

func (s *state) clone(what string, args ...any) *state {
	next := *s
	next.parent, next.what = s, fmt.Sprintf(what, args...)
	return &next
}

// fault is a clone that costs a fault; nil when there are none left.
func (s *state) fault(what string, args ...any) *state {
	if s.Faults == 0 {
		return nil
	}
	next := s.clone(what, args...)
	next.Faults--
	return next
}

// key is the same for equal states. Each object is a number in it.
func (s *state) key() string {
	flat := *s
	numbers := []int{s.objects.numbers[s.Object], s.objects.numbers[s.Before]}
	flat.Object, flat.Before = nil, nil
	for i := range flat.Leaders {
		numbers = append(numbers, s.objects.numbers[flat.Leaders[i].Called])
		flat.Leaders[i].Called = nil
	}
	return fmt.Sprint(numbers) + mustJSON(flat)
}

// objects has one copy of all objects that are equal, and numbers them. What is in it must not be changed.
type objects struct {
	known   map[string]*cdbv1.ImportJobStop
	numbers map[*cdbv1.ImportJobStop]int // 0: none
}

func (o *objects) one(object *cdbv1.ImportJobStop) *cdbv1.ImportJobStop {
	text := mustJSON(object)
	if o.known[text] == nil {
		o.known[text] = object
		o.numbers[object] = len(o.known)
	}
	return o.known[text]
}

// history is how the state came to be, oldest first.
func (s *state) history() string {
	var steps []string
	for ; s.parent != nil; s = s.parent {
		steps = append([]string{"  " + s.what}, steps...)
	}
	return strings.Join(steps, "\n")
}

// must notes a promise that does not hold.
func (s *state) must(holds bool, promise string, args ...any) {
	if !holds && s.broken == "" {
		s.broken = fmt.Sprintf(promise, args...)
	}
}

// write stores what a change makes of a copy, as an update with its resourceVersion does. It returns false after a conflict.
func (s *state) write(by int, copied *cdbv1.ImportJobStop, change lifecycle.Change) (*cdbv1.ImportJobStop, bool) {
	if copied.ResourceVersion != s.Object.ResourceVersion && s.without != version {
		return nil, false
	}
	next := copied.DeepCopy()
	change(next)
	if same, _ := json.Marshal(next.Status); string(same) == mustJSON(copied.Status) {
		return copied, true
	}
	s.check(next)
	s.Version++
	next.ResourceVersion = fmt.Sprint(s.Version)
	next = s.objects.one(next)
	s.Before, s.Object = s.Object, next
	s.Leaders[by].Seen = s.Version
	return next, true
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
