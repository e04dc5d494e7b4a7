// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"maps"
	"time"
)

// StatusNull is the status that the API answers as a JSON null.
const StatusNull = "null"

// Import is an asynchronous task of the cloud.
type Import struct {
	Region, ID string
	// Owner is the main account that it belongs to. Another one's calls do not find it. Empty: the default main account.
	Owner string
	// InstanceID of the database instance that it runs on, as in cdb-c1nl9rpv. Empty: no listing has it.
	InstanceID string
	// DatabaseName and FileName of its record, either of which can be empty.
	DatabaseName, FileName string
	// FileSize of its record, in bytes.
	FileSize int64
	// Percent is the progress of its record; a successful one has 100.
	Percent int
	// CreateTime of its record. Zero: when SetImport first had the import.
	CreateTime time.Time
	// ListedAfter is how long after CreateTime its record appears.
	ListedAfter time.Duration
	// RecordLag is how long its record goes on saying running after the end.
	RecordLag time.Duration
	// Record has fields that its record has instead of the right ones, by the vendor's names: nil is null, and Omit leaves the field out.
	Record map[string]any

	// Status by the vendor's words, or StatusNull. UNDEFINED, INITIAL and RUNNING can be stopped, once.
	Status string
	// RunsOn is how long the import goes on saying RUNNING after an accepted stop. Zero: not at all.
	RunsOn time.Duration
	// EndsAfter is how long it says PAUSED then. Zero: not at all.
	EndsAfter time.Duration
	// EndsAs is the last status, by the vendor's words, or StatusNull. Empty: KILLED.
	EndsAs string
	// LateCode answers a stop that comes after the end or after another stop. Empty: CdbError.ImportError.
	LateCode string

	setAt     time.Time // when SetImport put it into its state
	stoppedAt time.Time // zero: no stop was accepted
}

// SetImport creates an import, or puts it into another state. Its region and its instance are known from then on.
func (s *Server) SetImport(i Import) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i.setAt, i.Record = time.Now(), maps.Clone(i.Record)
	key := [2]string{i.Region, i.ID}
	before := s.imports[key]
	if i.CreateTime.IsZero() {
		i.CreateTime = i.setAt
		if before != nil {
			i.CreateTime = before.CreateTime
		}
	}
	s.regions[i.Region] = true
	s.unlist(before)
	s.list(&i)
	s.imports[key] = &i
}

// Imports returns all that were set, in no order.
func (s *Server) Imports() []Import {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Import, 0, len(s.imports))
	for _, i := range s.imports {
		all = append(all, *i)
	}
	return all
}

// act does what the action says, and returns what the answer has beside the RequestId.
func (s *Server) act(call Call, fault *Fault, now time.Time) (output map[string]any, code string) {
	if call.Action == actionList {
		return s.listing(call, fault, now)
	}
	i := s.imports[[2]string{call.Region, call.AsyncRequestID}]
	switch {
	case i == nil || i.Owner != s.identity(call.SecretID).Owner:
		return nil, "InvalidParameter.InvalidAsyncRequestId"
	case call.Action == actionStop:
		return nil, i.stop(now)
	case i.statusAt(now) == StatusNull:
		return map[string]any{"Status": nil, "Info": ""}, ""
	default:
		return map[string]any{"Status": i.statusAt(now), "Info": ""}, ""
	}
}

// stop accepts a stop, or returns the code that refuses it.
func (i *Import) stop(now time.Time) string {
	unfinished := i.Status == "UNDEFINED" || i.Status == "INITIAL" || i.Status == "RUNNING"
	switch {
	case unfinished && i.stoppedAt.IsZero():
		i.stoppedAt = now
		return ""
	case i.LateCode != "":
		return i.LateCode
	default:
		return "CdbError.ImportError"
	}
}

func (i *Import) statusAt(now time.Time) string {
	since := now.Sub(i.stoppedAt)
	switch {
	case i.stoppedAt.IsZero():
		return i.Status
	case since < i.RunsOn:
		return "RUNNING"
	case since < i.RunsOn+i.EndsAfter:
		return "PAUSED"
	case i.EndsAs != "":
		return i.EndsAs
	default:
		return "KILLED"
	}
}
