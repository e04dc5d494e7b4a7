// SPDX-License-Identifier: Apache-2.0

// Package cdbsim is a simulator of the cloud API: it checks signatures, enforces the quota, keeps imports and plays faults.
package cdbsim

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Account may call the API.
type Account struct {
	SecretID, SecretKey, Token string
}

// Import is an asynchronous task of the cloud.
type Import struct {
	Region, ID string
	// Status by the vendor's words. A stop takes INITIAL and RUNNING to KILLED.
	Status string
	// EndsAfter is how long a stopped import stays PAUSED before it is KILLED.
	EndsAfter time.Duration
	stoppedAt time.Time
}

// Call is one request that arrived.
type Call struct {
	Time           time.Time
	SecretID       string
	Host           string
	Action         string
	Region         string
	AsyncRequestID string
	RequestID      string
	Code           string // empty: it was done
	Fault          string `json:",omitempty"`
}

// Server is the simulated cloud. Use New; it serves HTTP and is safe for concurrent use.
type Server struct {
	mu       sync.Mutex
	accounts map[string]Account
	imports  map[[2]string]*Import
	limits   map[string]int
	arrivals map[[3]string][]time.Time
	faults   []*Fault
	calls    []Call
	latency  func() time.Duration
	clock    time.Duration // ahead of ours
}

// New returns a cloud with the vendor's limits, and no accounts or imports.
func New() *Server {
	return &Server{
		accounts: map[string]Account{}, imports: map[[2]string]*Import{}, arrivals: map[[3]string][]time.Time{},
		limits:  map[string]int{"StopDBImportJob": 20, "DescribeAsyncRequestInfo": 40},
		latency: func() time.Duration { return 0 },
	}
}

// SetAccount lets an account in, or changes its key or token.
func (s *Server) SetAccount(a Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[a.SecretID] = a
}

// SetImport creates an import, or puts it into another state.
func (s *Server) SetImport(i Import) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.imports[[2]string{i.Region, i.ID}] = &i
}

// SetLatency makes each call take as long as f returns; it arrives at some time within.
func (s *Server) SetLatency(f func() time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = f
}

// SetClock puts the cloud's clock ahead of ours.
func (s *Server) SetClock(ahead time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = ahead
}

// Calls returns the log of what arrived, oldest first.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call{}, s.calls...)
}

// ServeHTTP answers POST / as the API does, and GET / with the call log as JSON.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.Calls())
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 10<<20))
	if err != nil {
		return
	}
	way, back := s.travel()
	time.Sleep(way)
	call, status, fault := s.handle(r, body, time.Now())
	answer := map[string]any{"RequestId": call.RequestID}
	switch {
	case call.Code != "":
		answer["Error"] = map[string]string{"Code": call.Code, "Message": messageOf(call.Code)}
	case call.Action == "DescribeAsyncRequestInfo":
		answer["Status"], answer["Info"] = status, ""
	}
	text, _ := json.Marshal(map[string]any{"Response": answer})
	select {
	case <-time.After(back):
	case <-r.Context().Done():
		return
	}
	fault.play(w, r, text)
}

// handle decides on one request and logs it.
func (s *Server) handle(r *http.Request, body []byte, now time.Time) (call Call, status string, fault *Fault) {
	var input struct {
		AsyncRequestID string `json:"AsyncRequestId"`
	}
	readable := json.Unmarshal(body, &input) == nil
	call = Call{
		Time: now, SecretID: secretID(r), Host: r.Host, Action: r.Header.Get("X-TC-Action"), Region: r.Header.Get("X-TC-Region"),
		AsyncRequestID: input.AsyncRequestID, RequestID: requestID(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fault = s.takeFault(call)
	switch {
	case fault != nil && fault.Code != "":
		call.Code = fault.Code
	case fault != nil && !fault.done():
		call.Code = "fault"
	default:
		call.Code = s.refuse(r, body, call, readable, now)
		if call.Code == "" {
			status, call.Code = s.act(call, now)
		}
	}
	if fault != nil {
		call.Fault = string(fault.Kind)
	}
	s.calls = append(s.calls, call)
	return call, status, fault
}

// travel is how long a call takes to arrive, and its answer to come back.
func (s *Server) travel() (way, back time.Duration) {
	s.mu.Lock()
	latency := s.latency()
	s.mu.Unlock()
	way = time.Duration(mathrand.Float64() * float64(latency))
	return way, latency - way
}

// refuse returns the code of whatever is wrong with a request before its action is looked at.
func (s *Server) refuse(r *http.Request, body []byte, call Call, readable bool, now time.Time) string {
	id := secretID(r)
	account, known := s.accounts[id]
	switch {
	case r.Header.Get("Authorization") == "":
		return "AuthFailure.InvalidAuthorization"
	case id != "" && !known:
		return "AuthFailure.SecretIdNotFound"
	}
	if code := verify(r, body, account, now.Add(s.clock)); code != "" {
		return code
	}
	limit, known := s.limits[call.Action]
	switch {
	case !known:
		return "InvalidAction"
	case r.Header.Get("X-TC-Version") != "2017-03-20":
		return "NoSuchVersion"
	case call.Region == "":
		return "MissingParameter"
	case !readable || strings.TrimSpace(call.AsyncRequestID) == "":
		return "InvalidParameter"
	case !s.admit([3]string{id, call.Host, call.Action}, limit, now):
		return "RequestLimitExceeded"
	}
	return ""
}

// admit keeps a strict sliding window of one second over the arrivals that were let in.
func (s *Server) admit(key [3]string, limit int, now time.Time) bool {
	window := s.arrivals[key]
	for len(window) > 0 && now.Sub(window[0]) >= time.Second {
		window = window[1:]
	}
	if len(window) >= limit {
		s.arrivals[key] = window
		return false
	}
	s.arrivals[key] = append(window, now)
	return true
}

// act does what the action says.
func (s *Server) act(call Call, now time.Time) (status, code string) {
	i := s.imports[[2]string{call.Region, call.AsyncRequestID}]
	if i == nil {
		return "", "InvalidParameter.InvalidAsyncRequestId"
	}
	if i.Status == "PAUSED" && !i.stoppedAt.IsZero() && now.Sub(i.stoppedAt) >= i.EndsAfter {
		i.Status = "KILLED"
	}
	if call.Action == "DescribeAsyncRequestInfo" {
		return i.Status, ""
	}
	if i.Status != "RUNNING" && i.Status != "INITIAL" {
		return i.Status, "CdbError.ImportError"
	}
	i.Status, i.stoppedAt = "KILLED", now
	if i.EndsAfter > 0 {
		i.Status = "PAUSED"
	}
	return i.Status, ""
}

func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
}

func messageOf(code string) string {
	switch {
	case strings.HasPrefix(code, "RequestLimitExceeded"):
		return "Your current request times equals to `20` in a second, which exceeds the frequency limit `20` for a second. Please reduce the frequency of calls."
	case code == "InvalidParameter.InvalidAsyncRequestId":
		return "The asynchronous task does not exist."
	case code == "CdbError.ImportError":
		return "An error occurred with the import task."
	case code == "InternalError.TaskFrameError":
		return "An error occurred with the asynchronous task."
	case code == "InvalidParameter":
		return "Parameter error."
	default:
		return "The simulator was asked to answer " + code + "."
	}
}
