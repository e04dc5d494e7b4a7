// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"net/http"
	"strings"
	"time"
)

// Kind is how an answer goes wrong.
type Kind string

// The kinds. AnswerLost, AnswerHeld, Slow, QuotingSuccess and those of listings do what was asked; with the others nothing is done.
const (
	HTTPError  Kind = "http-error" // 503 with an HTML page
	HTML       Kind = "html"       // 200 with an HTML page
	Empty      Kind = "empty"
	Null       Kind = "null"
	NoID       Kind = "no-request-id"
	Truncated  Kind = "truncated"
	Huge       Kind = "huge" // 64 MiB
	Reset      Kind = "reset"
	Hang       Kind = "hang"
	Trickle    Kind = "trickle" // a byte a second
	Redirect   Kind = "redirect"
	AnswerLost Kind = "answer-lost"
	AnswerHeld Kind = "answer-held"
	Slow       Kind = "slow"    // the right answer, two seconds late
	Quoting    Kind = "quoting" // an error that quotes the caller's credentials

	// QuotingSuccess is the right answer, which quotes them. If the call is refused all the same, its error has the right code.
	QuotingSuccess Kind = "quoting-success"

	// Moved and Changed are the right answers of DescribeDBImportRecords at a moment of its own for each call. They match no other action.
	// Moved rotates the listing by one record more with each call, so that pages overlap and leave records out.
	Moved Kind = "moved"
	// Changed lists another import more in each call, which runs and is like the newest one but for its id. Nobody finds it again.
	Changed Kind = "changed"
)

// ofListing says whether only a listing can go wrong like this.
func (k Kind) ofListing() bool { return k == Moved || k == Changed }

// bodies are the wrong answers that are always the same.
var bodies = map[Kind]string{HTML: "<html>captive portal</html>", Null: "null", NoID: `{"Response":{}}`}

// done says whether what was asked is done all the same.
func (f *Fault) done() bool {
	return f.Kind == AnswerLost || f.Kind == AnswerHeld || f.Kind == Slow || f.Kind == QuotingSuccess || f.Kind.ofListing()
}

// Fault goes wrong with the calls that it matches.
type Fault struct {
	Action         string // empty: any
	AsyncRequestID string // empty: any
	InstanceID     string // of a listing; empty: any
	FromOffset     int    // of a listing: pages that begin there or later; 0: any
	SecretID       string // empty: any
	Times          int    // how often; 0 is without end
	Code           string // answer with this error code, and do nothing
	Kind           Kind   // or go wrong like this
	Location       string // of a redirect
	Part           Part   // where Quoting and QuotingSuccess quote; empty: everywhere
	Form           Form   // how they write it; empty: one form after the other
	played         int
}

// Play adds a fault.
func (s *Server) Play(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Heal ends all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func (s *Server) takeFault(c Call) *Fault {
	for _, f := range s.faults {
		if f.matches(c) && (f.Times == 0 || f.played < f.Times) {
			f.played++
			return f
		}
	}
	return nil
}

// matches says whether a call is one of those that the fault goes wrong with.
func (f *Fault) matches(c Call) bool {
	for _, field := range [][2]string{
		{f.Action, c.Action}, {f.AsyncRequestID, c.AsyncRequestID}, {f.InstanceID, c.InstanceID}, {f.SecretID, c.SecretID},
	} {
		if field[0] != "" && field[0] != field[1] {
			return false
		}
	}
	return c.Offset >= f.FromOffset && (c.Action == actionList || !f.Kind.ofListing())
}

// play answers with text, or goes wrong. A nil fault answers. The quotation is that of a fault that quotes.
func (f *Fault) play(w http.ResponseWriter, r *http.Request, text []byte, quotation string) {
	w.Header().Set("Content-Type", "application/json")
	kind := Kind("")
	if f != nil {
		kind = f.Kind
	}
	switch kind {
	case "", Moved, Changed:
		_, _ = w.Write(text)
	case HTTPError:
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("<html>503 Service Unavailable</html>"))
	case Quoting, QuotingSuccess:
		f.playQuoting(w, text, quotation)
	case HTML, Empty, Null, NoID:
		_, _ = w.Write([]byte(bodies[kind]))
	case Truncated:
		_, _ = w.Write(text[:len(text)/2])
	case Redirect:
		http.Redirect(w, r, f.Location, http.StatusTemporaryRedirect)
	case Huge, Trickle, Slow, Hang, AnswerHeld:
		f.playAtLength(w, r, text)
	default:
		panic(http.ErrAbortHandler)
	}
}

// playAtLength plays what takes long.
func (f *Fault) playAtLength(w http.ResponseWriter, r *http.Request, text []byte) {
	switch f.Kind {
	case Huge:
		huge(w)
	case Trickle:
		trickle(w, r, text)
	case Slow:
		time.Sleep(2 * time.Second)
		_, _ = w.Write(text)
	default:
		<-r.Context().Done()
	}
}

func huge(w http.ResponseWriter) {
	chunk := []byte(strings.Repeat(" ", 1<<20))
	for range 64 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func trickle(w http.ResponseWriter, r *http.Request, text []byte) {
	for i := range text {
		_, _ = w.Write(text[i : i+1])
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-time.After(time.Second):
		}
	}
}
