// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/oracle"
)

// link is the network of one process.
type link struct {
	next    http.RoundTripper
	slowest time.Duration // how long a request travels at most
	onWrite func(oracle.Write)
	crash   func(why string)
	freeze  func(d time.Duration) // stops the process for a while
	lost    func(text string)     // is called with what does not reach the process

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
	travel = time.Duration(l.random.Int64N(int64(l.slowest)))
	if time.Now().Before(l.outageUntil) {
		f = fault{effect: drop}
		if l.outageCode > 0 {
			f = fault{effect: refuse, code: l.outageCode}
		}
		return f, travel, l.dead
	}
	for i, known := range l.faults {
		if !requests[known.on](r, body) || (known.taken != nil && known.taken.Swap(true)) {
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

// RoundTrip carries a request, with what goes wrong, and notes what is written into a status.
func (l *link) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	if !isStatus(r) {
		return l.carry(r, body)
	}
	from, begun := metaOf(body), time.Now()
	response, err := l.carry(r, body)
	to := metav1.ObjectMeta{}
	if err == nil && response.StatusCode == http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		response.Body = io.NopCloser(bytes.NewReader(text))
		to = metaOf(text)
	}
	l.onWrite(oracle.Write{UID: from.UID, Begun: begun, From: versionOf(from), Answered: time.Now(), To: versionOf(to)})
	return response, err
}

func metaOf(object []byte) metav1.ObjectMeta {
	var partial metav1.PartialObjectMetadata
	_ = json.Unmarshal(object, &partial)
	return partial.ObjectMeta
}

// versionOf is 0 if there is none.
func versionOf(m metav1.ObjectMeta) int64 {
	version, _ := strconv.ParseInt(m.ResourceVersion, 10, 64)
	return version
}

func (l *link) carry(r *http.Request, body []byte) (*http.Response, error) {
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
