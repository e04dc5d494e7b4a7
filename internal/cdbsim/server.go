// SPDX-License-Identifier: Apache-2.0

// Package cdbsim is a simulator of the cloud API: it checks signatures, regions, policies and quotas,
// keeps imports and plays faults.
package cdbsim

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Call is one request that arrived.
type Call struct {
	Time           time.Time
	SecretID       string
	Host           string
	Action         string
	Region         string
	AsyncRequestID string
	InstanceID     string `json:",omitempty"` // of a listing
	Offset, Limit  int    `json:",omitempty"` // of a listing
	RequestID      string
	Code           string // empty: it was done
	Fault          string `json:",omitempty"`
}

// The actions that the simulator knows.
const (
	actionStop     = "StopDBImportJob"
	actionDescribe = "DescribeAsyncRequestInfo"
	actionList     = "DescribeDBImportRecords"
)

// wentWrong is the code of a call that a fault kept from being done.
const wentWrong = "fault"

// Server is the simulated cloud. Use New; it serves HTTP and is safe for concurrent use.
type Server struct {
	mu         sync.Mutex
	accounts   map[string]Account
	identities map[string]Identity // by SecretId
	imports    map[[2]string]*Import
	instances  map[[2]string]*instance
	regions    map[string]bool // that are known
	limits     map[string]int  // of a sub-account, by action
	ownerLimit int             // of a main account; 0: none
	arrivals   map[budget][]time.Time
	faults     []*Fault
	log        []Call
	latency    func() time.Duration
	clock      time.Duration // ahead of ours
}

// New returns a cloud with the vendor's limits, and no accounts or imports.
func New() *Server {
	return &Server{
		accounts: map[string]Account{}, identities: map[string]Identity{}, imports: map[[2]string]*Import{},
		instances: map[[2]string]*instance{}, regions: vendorRegions(), arrivals: map[budget][]time.Time{},
		limits:  map[string]int{actionStop: 20, actionDescribe: 40, actionList: 100},
		latency: func() time.Duration { return 0 },
	}
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

// CallLog returns the log of what arrived, oldest first.
func (s *Server) CallLog() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call{}, s.log...)
}

// ServeHTTP answers POST / as the API does, and GET / with the call log as JSON.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.CallLog())
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 10<<20))
	if err != nil {
		return
	}
	way, back := s.travel()
	time.Sleep(way)
	call, output, fault := s.handle(r, body, time.Now())
	response, quoted := s.response(call, output), ""
	if fault.quoting() {
		quoted = quotation(r, s.account(call.SecretID), fault.Form)
		fault.quoteIn(response, quoted)
	}
	text, _ := json.Marshal(map[string]any{"Response": response})
	select {
	case <-time.After(back):
	case <-r.Context().Done():
		return
	}
	fault.play(w, r, text, quoted)
}

// response is what the API answers to a call.
func (s *Server) response(call Call, output map[string]any) map[string]any {
	response := map[string]any{"RequestId": call.RequestID}
	switch call.Code {
	case "":
		maps.Copy(response, output)
	case wentWrong:
		response["Error"] = map[string]string{"Code": "InternalError", "Message": s.messageOf("InternalError", call)}
	default:
		response["Error"] = map[string]string{"Code": call.Code, "Message": s.messageOf(call.Code, call)}
	}
	return response
}

func (s *Server) account(secretID string) Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts[secretID]
}

// handle decides on one request and logs it.
func (s *Server) handle(r *http.Request, body []byte, now time.Time) (call Call, output map[string]any, fault *Fault) {
	call, readable := read(r, body, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	fault = s.takeFault(call)
	switch {
	case fault != nil && fault.Code != "":
		call.Code = fault.Code
	case fault != nil && !fault.done():
		call.Code = wentWrong
	default:
		call.Code = s.refuse(r, body, call, readable, now)
		if call.Code == "" {
			output, call.Code = s.act(call, fault, now)
		}
	}
	if fault != nil {
		call.Fault = string(fault.Kind)
	}
	s.log = append(s.log, call)
	return call, output, fault
}

// read returns the call that a request makes, and whether its parameters have the right types.
func read(r *http.Request, body []byte, now time.Time) (call Call, readable bool) {
	var input struct {
		AsyncRequestID string `json:"AsyncRequestId"`
		InstanceID     string `json:"InstanceId"`
		Offset, Limit  int
	}
	call = Call{
		Time: now, SecretID: secretID(r), Host: r.Host, Action: r.Header.Get("X-TC-Action"), Region: r.Header.Get("X-TC-Region"), RequestID: requestID(),
	}
	if call.Action == actionList {
		input.Limit = defaultLimit
	}
	readable = json.Unmarshal(body, &input) == nil
	call.AsyncRequestID = input.AsyncRequestID
	if call.Action == actionList {
		call.InstanceID, call.Offset, call.Limit = input.InstanceID, input.Offset, input.Limit
	}
	return call, readable
}

// hasParameters says whether the parameters of a call are there, and within their ranges.
func (c Call) hasParameters() bool {
	if c.Action == actionList {
		return strings.TrimSpace(c.InstanceID) != "" && c.Offset >= 0 && c.Limit >= 1 && c.Limit <= maxLimit
	}
	return strings.TrimSpace(c.AsyncRequestID) != ""
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
	if code := s.authenticate(r, body, now); code != "" {
		return code
	}
	who := s.identity(call.SecretID)
	switch _, known := s.limits[call.Action]; {
	case !known:
		return "InvalidAction"
	case r.Header.Get("X-TC-Version") != "2017-03-20":
		return "NoSuchVersion"
	case call.Region == "":
		return "MissingParameter"
	}
	if code := s.misdirected(call.Host, call.Region, who.International); code != "" {
		return code
	}
	if !readable || !call.hasParameters() {
		return "InvalidParameter"
	}
	if code := s.admit(call, who, now); code != "" {
		return code
	}
	if !who.allows(call) {
		return "UnauthorizedOperation"
	}
	return ""
}

func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
}
