// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
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
	taken  *atomic.Bool        // by one of several links; nil: it is of one link
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
