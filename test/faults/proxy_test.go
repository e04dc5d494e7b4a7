// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

// proxy stands between a manager and the API server and injects faults, as its rules say.
type proxy struct {
	*httptest.Server
	host      string
	transport http.RoundTripper
	mu        sync.Mutex
	rules     []*rule
	oldList   []byte
	watches   map[*watchStream]bool
	silent    chan struct{} // closed when the watches may speak; nil: they may
}

// what a rule does to a request that it matches.
type what string

const (
	refuse     what = "refuse"      // answer with the rule's code, nothing reaches the API server
	notFound   what = "plain-404"   // answer as something that is not the API does: a proxy, or a version that is not served
	drop       what = "drop"        // cut the connection before the API server sees anything
	loseAnswer what = "lose-answer" // cut it after the API server has done what was asked
	slow       what = "slow"        // half a second late
	twice      what = "twice"       // deliver it a second time, and answer with what came of that
	hold       what = "hold"        // never deliver it
	holdAnswer what = "hold-answer" // deliver it and never answer
	stale      what = "stale"       // answer a list with the first one ever seen
)

// rule goes wrong with the requests that it matches.
type rule struct {
	what
	code   int
	match  func(*http.Request, []byte) bool
	times  int           // 0: without end
	chance float64       // 1: always
	hit    chan struct{} // gets one for each hit; buffered
	hits   int
}

func newProxy(config *rest.Config) (*proxy, error) {
	transport, err := rest.TransportFor(rest.AnonymousClientConfig(config))
	if err != nil {
		return nil, err
	}
	p := &proxy{host: strings.Trim(strings.TrimPrefix(config.Host, "https://"), "/"), transport: transport, watches: map[*watchStream]bool{}}
	p.Server = httptest.NewUnstartedServer(p)
	p.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that we cut
	p.StartTLS()
	return p, nil
}

// ca is the certificate to trust.
func (p *proxy) ca() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw})
}

// add plays a rule from now on.
func (p *proxy) add(w what, times int, match func(*http.Request, []byte) bool) *rule {
	return p.play(&rule{what: w, times: times, match: match, chance: 1})
}

// refuse answers with a code.
func (p *proxy) refuse(code, times int, match func(*http.Request, []byte) bool) *rule {
	return p.play(&rule{what: refuse, code: code, times: times, match: match, chance: 1})
}

// play makes a rule strike; nobody may change it from then on.
func (p *proxy) play(r *rule) *rule {
	r.hit = make(chan struct{}, 10_000)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = append(p.rules, r)
	return r
}

// heal ends all rules and silence.
func (p *proxy) heal() {
	p.mu.Lock()
	p.rules = nil
	p.mu.Unlock()
	p.speak()
}

// take returns the rule that this request runs into, or one that does nothing.
func (p *proxy) take(r *http.Request, body []byte) *rule {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.rules {
		if (one.times > 0 && one.hits >= one.times) || !one.match(r, body) || rand.Float64() >= one.chance {
			continue
		}
		one.hits++
		one.hit <- struct{}{}
		return one
	}
	return &rule{}
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	rule := p.take(r, body)
	if p.strike(w, r, body, rule) {
		return
	}
	response, err := p.forward(r, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = response.Body.Close() }()
	switch rule.what {
	case loseAnswer:
		panic(http.ErrAbortHandler)
	case holdAnswer:
		<-r.Context().Done()
	default:
		p.respond(w, r, response)
	}
}

// strike does what a rule does before the API server sees the request. Done: it must not see it.
func (p *proxy) strike(w http.ResponseWriter, r *http.Request, body []byte, rule *rule) (done bool) {
	switch rule.what {
	case refuse:
		status(w, rule.code)
	case notFound:
		http.NotFound(w, r)
	case drop:
		panic(http.ErrAbortHandler)
	case hold:
		<-r.Context().Done()
	case stale:
		p.mu.Lock()
		defer p.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(p.oldList)
	case slow:
		pause(r.Context(), 500*time.Millisecond)
		return false
	case twice:
		if response, err := p.forward(r, body); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		return false
	default:
		return false
	}
	return true
}

func (p *proxy) forward(r *http.Request, body []byte) (*http.Response, error) {
	output := r.Clone(r.Context())
	output.URL.Scheme, output.URL.Host, output.RequestURI, output.Body = "https", p.host, "", io.NopCloser(bytes.NewReader(body))
	output.ContentLength = int64(len(body))
	output.Header.Del("Accept-Encoding")
	return p.transport.RoundTrip(output)
}

func (p *proxy) respond(w http.ResponseWriter, r *http.Request, response *http.Response) {
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	if isWatch(r) {
		w.WriteHeader(response.StatusCode)
		p.stream(w, r, response.Body)
		return
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if isList(r, nil) {
		p.mu.Lock()
		if p.oldList == nil {
			p.oldList = body
		}
		p.mu.Unlock()
	}
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(body)
}

func status(w http.ResponseWriter, code int) {
	reason := map[int]string{http.StatusForbidden: "Forbidden", http.StatusConflict: "Conflict", http.StatusTooManyRequests: "TooManyRequests", http.StatusInternalServerError: "InternalError"}[code]
	w.Header().Set("Content-Type", "application/json")
	if code == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"message":"injected","code":%d}`, reason, code)
}
