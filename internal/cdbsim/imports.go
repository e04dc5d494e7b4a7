// SPDX-License-Identifier: Apache-2.0

package cdbsim

import "time"

// StatusNull is the status that the API answers as a JSON null.
const StatusNull = "null"

// Import is an asynchronous task of the cloud.
type Import struct {
	Region, ID string
	// Owner is the main account that it belongs to. Another one's calls do not find it. Empty: the default main account.
	Owner string
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

	stoppedAt time.Time // zero: no stop was accepted
}

// SetImport creates an import, or puts it into another state. Its region is known from then on.
func (s *Server) SetImport(i Import) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.imports[[2]string{i.Region, i.ID}] = &i
	s.regions[i.Region] = true
}

// act does what the action says.
func (s *Server) act(call Call, now time.Time) (status, code string) {
	i := s.imports[[2]string{call.Region, call.AsyncRequestID}]
	if i == nil || i.Owner != s.identity(call.SecretID).Owner {
		return "", "InvalidParameter.InvalidAsyncRequestId"
	}
	if call.Action != "DescribeAsyncRequestInfo" {
		code = i.stop(now)
	}
	return i.statusAt(now), code
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
