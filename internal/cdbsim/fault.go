// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Kind is how an answer goes wrong.
type Kind string

// The kinds. AnswerLost, AnswerHeld and Slow do what was asked; with the others nothing is done.
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
	Quoting    Kind = "quoting" // an error that quotes what the caller sent
)

// bodies are the wrong answers that are always the same.
var bodies = map[Kind]string{HTML: "<html>captive portal</html>", Null: "null", NoID: `{"Response":{}}`}

// done says whether what was asked is done all the same.
func (f *Fault) done() bool {
	return f.Kind == AnswerLost || f.Kind == AnswerHeld || f.Kind == Slow
}

// Fault goes wrong with the calls that it matches.
type Fault struct {
	Action         string // empty: any
	AsyncRequestID string // empty: any
	SecretID       string // empty: any
	Times          int    // how often; 0 is without end
	Code           string // answer with this error code
	Kind           Kind   // or go wrong like this
	Location       string // of a redirect
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
		if (f.Action == "" || f.Action == c.Action) && (f.AsyncRequestID == "" || f.AsyncRequestID == c.AsyncRequestID) &&
			(f.SecretID == "" || f.SecretID == c.SecretID) && (f.Times == 0 || f.played < f.Times) {
			f.played++
			return f
		}
	}
	return nil
}

// play answers with text, or goes wrong. A nil fault answers.
func (f *Fault) play(w http.ResponseWriter, r *http.Request, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	kind := Kind("")
	if f != nil {
		kind = f.Kind
	}
	switch kind {
	case "":
		_, _ = w.Write(text)
	case HTTPError:
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("<html>503 Service Unavailable</html>"))
	case Quoting:
		quote(w, r)
	case HTML, Empty, Null, NoID:
		_, _ = w.Write([]byte(bodies[kind]))
	case Truncated:
		_, _ = w.Write(text[:len(text)/2])
	case Redirect:
		http.Redirect(w, r, f.Location, http.StatusTemporaryRedirect)
	case Huge:
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range 64 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	case Trickle:
		trickle(w, r, text)
	case Slow:
		time.Sleep(2 * time.Second)
		_, _ = w.Write(text)
	case Hang, AnswerHeld:
		<-r.Context().Done()
	default:
		panic(http.ErrAbortHandler)
	}
}

// quote says all that it knows of the caller in each part of its answer.
func quote(w http.ResponseWriter, r *http.Request) {
	sent := r.Header.Get("Authorization") + " " + r.Header.Get("X-TC-Token")
	_ = json.NewEncoder(w).Encode(map[string]any{"Response": map[string]any{
		"RequestId": sent, "Error": map[string]string{"Code": "InternalError." + secretID(r), "Message": sent},
	}})
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
