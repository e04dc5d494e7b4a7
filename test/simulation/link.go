// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// effect is how a request goes wrong.
type effect string

// The effects. With drop and refuse nothing is done; with the others the request is carried out.
const (
	drop        effect = "drop"         // the connection breaks before
	refuse      effect = "refuse"       // the server answers with a code
	lose        effect = "lose"         // it is done, and the connection breaks before the answer
	deny        effect = "deny"         // it is done, and a proxy answers with a code
	repeat      effect = "repeat"       // it is done twice, as by a proxy that retries; the second answer counts
	late        effect = "late"         // the answer takes its time
	slow        effect = "slow"         // the request takes its time
	freeze      effect = "freeze"       // it is done, and the process is stopped before it reads the answer, as by SIGSTOP
	outage      effect = "outage"       // it is done, and from then on nobody answers, or a proxy does with a code
	meanwhile   effect = "meanwhile"    // something else happens before the request arrives
	crashBefore effect = "crash before" // the process dies with the request unsent
	crashAfter  effect = "crash after"  // the process dies with the request done
)

// fault happens to the next requests of a kind.
type fault struct {
	effect effect
	on     string // a name of requests
	code   int
	delay  time.Duration
	times  int
	do     func(object string) // what happens meanwhile; the request is about this object, if it is known
}

func (f fault) String() string {
	text := fmt.Sprintf("%s %s, %d times", f.effect, f.on, f.times)
	if f.code > 0 {
		text += fmt.Sprintf(", code %d", f.code)
	}
	if f.delay > 0 {
		text += fmt.Sprintf(", %s", f.delay)
	}
	return text
}

// requests by what they are for.
var requests = map[string]func(r *http.Request, body []byte) bool{
	"any":     func(r *http.Request, _ []byte) bool { return !isWatch(r) },
	"attempt": func(r *http.Request, body []byte) bool { return isStatus(r) && isAttempt(body) },
	"result": func(r *http.Request, body []byte) bool {
		return isStatus(r) && !isAttempt(body) && bytes.Contains(body, []byte(`"lastAttempt"`))
	},
	"status": func(r *http.Request, _ []byte) bool { return isStatus(r) },
	"live read": func(r *http.Request, _ []byte) bool {
		return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/importjobstops/")
	},
	"list": func(r *http.Request, _ []byte) bool {
		return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/importjobstops")
	},
	"Secret":   func(r *http.Request, _ []byte) bool { return strings.Contains(r.URL.Path, "/secrets/") },
	"event":    func(r *http.Request, _ []byte) bool { return strings.HasSuffix(r.URL.Path, "/events") },
	"lease":    func(r *http.Request, _ []byte) bool { return strings.Contains(r.URL.Path, "/leases") },
	"stop":     func(r *http.Request, _ []byte) bool { return strings.HasPrefix(action(r), "Stop") },
	"describe": func(r *http.Request, _ []byte) bool { return strings.HasPrefix(action(r), "Describe") },
	"cloud":    func(r *http.Request, _ []byte) bool { return action(r) != "" },
}

// action of the cloud that a request is for. The SDK does not write the header in its canonical form.
func action(r *http.Request) string {
	for name, values := range r.Header {
		if strings.EqualFold(name, "X-TC-Action") {
			return values[0]
		}
	}
	return ""
}

func isWatch(r *http.Request) bool { return r.URL.Query().Get("watch") != "" }

func isStatus(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/status")
}

func isAttempt(body []byte) bool { return bytes.Contains(body, []byte(`"reason":"Stopping"`)) }

// link is the network of one process.
type link struct {
	next   http.RoundTripper
	crash  func(why string)
	freeze func(d time.Duration) // stops the process for a while
	lost   func(text string)     // is called with what does not reach the process

	mu          sync.Mutex
	random      *rand.Rand
	dead        bool
	heldUntil   time.Time
	frozenUntil time.Time
	outageUntil time.Time
	outageCode  int // 0: the connection breaks
	faults      []*fault
}

// play adds a fault.
func (l *link) play(f fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, &f)
}

// heal ends all faults.
func (l *link) heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults, l.heldUntil, l.frozenUntil, l.outageUntil = nil, time.Time{}, time.Time{}, time.Time{}
}

// hold keeps requests back for a while, as a process that is not scheduled does.
func (l *link) hold(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heldUntil = time.Now().Add(d)
}

// stopFor keeps the process from sending anything, and from reading what was answered, whatever its timers say meanwhile.
func (l *link) stopFor(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frozenUntil = time.Now().Add(d)
}

// untilAwake returns when the process that was stopped goes on.
func (l *link) untilAwake() {
	for {
		l.mu.Lock()
		d := time.Until(l.frozenUntil)
		l.mu.Unlock()
		if d <= 0 {
			return
		}
		time.Sleep(min(d, time.Second)) // it may be healed before
	}
}

// begin begins an outage.
func (l *link) begin(f fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outageUntil, l.outageCode = time.Now().Add(f.delay), f.code
}

func (l *link) sever() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
}

func (l *link) isDead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// take returns what happens to a request, and how long it travels.
func (l *link) take(r *http.Request, body []byte) (f fault, travel time.Duration, dead bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	travel = time.Duration(l.random.Int64N(int64(3 * time.Millisecond)))
	if time.Now().Before(l.outageUntil) {
		f = fault{effect: drop}
		if l.outageCode > 0 {
			f = fault{effect: refuse, code: l.outageCode}
		}
		return f, travel, l.dead
	}
	for i, known := range l.faults {
		if !requests[known.on](r, body) {
			continue
		}
		f = *known
		if known.times--; known.times <= 0 {
			l.faults = append(l.faults[:i:i], l.faults[i+1:]...)
		}
		break
	}
	return f, travel, l.dead
}

// RoundTrip carries a request, with what goes wrong.
func (l *link) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	l.untilAwake()
	f, travel, dead := l.take(r, body)
	if dead {
		return l.nothing(r, body)
	}
	if f.effect == slow {
		travel += f.delay
	}
	if err := l.travel(r, travel); err != nil {
		return nil, err
	}
	switch f.effect {
	case drop:
		return nil, errCut
	case refuse:
		return refusal(r, f.code), nil
	case crashBefore:
		l.crash(fmt.Sprintf("crash before %s %s", f.on, r.URL.Path))
		return l.nothing(r, body)
	case repeat:
		first, err := l.send(r, body)
		if err != nil {
			return nil, err
		}
		_ = first.Body.Close()
	case meanwhile:
		f.do(named.FindString(r.URL.Path + " " + string(body)))
	}
	response, err := l.send(r, body)
	if err != nil {
		return nil, err
	}
	response.Body = &unread{response.Body, l}
	return l.after(r, f, response)
}

// unread is an answer that a process that is stopped reads when it goes on.
type unread struct {
	io.ReadCloser
	link *link
}

func (u *unread) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	u.link.untilAwake()
	return n, err
}

// after is what goes wrong with an answer.
func (l *link) after(r *http.Request, f fault, response *http.Response) (*http.Response, error) {
	if l.isDead() && !isWatch(r) { // it was killed with the request under way
		l.lose(response)
		return l.nothing(r, nil)
	}
	switch f.effect {
	case lose:
		l.lose(response)
		return nil, errCut
	case deny:
		_ = response.Body.Close()
		return refusal(r, f.code), nil
	case crashAfter:
		l.lose(response)
		l.crash(fmt.Sprintf("crash after %s %s", f.on, r.URL.Path))
		return l.nothing(r, nil)
	case freeze:
		l.freeze(f.delay)
	case outage:
		l.begin(f)
	case late:
		if err := l.travel(r, f.delay); err != nil {
			l.lose(response)
			return nil, err
		}
	}
	return response, nil
}

// lose reads an answer that the process never sees.
func (l *link) lose(response *http.Response) {
	text, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	l.lost(string(text))
}

func (l *link) send(r *http.Request, body []byte) (*http.Response, error) {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return l.next.RoundTrip(again)
}

// travel takes its time, and as long as the process is held up.
func (l *link) travel(r *http.Request, d time.Duration) error {
	for d > 0 {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
			return r.Context().Err()
		}
		l.mu.Lock()
		d = time.Until(l.heldUntil)
		l.mu.Unlock()
	}
	return nil
}

// nothing answers a dead process. It says that the object is gone, so that the goroutines of the process end; what they do reaches nobody.
// Lists and watches are still served: the manager ends only after its cache has synced.
func (l *link) nothing(r *http.Request, body []byte) (*http.Response, error) {
	if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/importjobstops") {
		return l.send(r, body)
	}
	if !strings.Contains(r.URL.Path, "/importjobstops/") {
		return nil, errors.New("simulation: the process is dead")
	}
	parts := strings.Split(strings.TrimSuffix(r.URL.Path, "/status"), "/")
	text := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,`+
		`"message":"gone","details":{"group":"cdb.tencentcloud.com","kind":"importjobstops","name":%q}}`, parts[len(parts)-1])
	return respond(r, http.StatusNotFound, "application/json", text), nil
}

// refusal is what a proxy or a busy server answers; nothing of it is about the object.
func refusal(r *http.Request, code int) *http.Response {
	return respond(r, code, "text/plain", http.StatusText(code)+"\n")
}

func respond(r *http.Request, code int, contentType, text string) *http.Response {
	return &http.Response{
		StatusCode: code, Status: fmt.Sprintf("%d %s", code, http.StatusText(code)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)), Request: r,
	}
}
