// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"bytes"
	"net/http"
	"strings"
)

// What requests are for.

func isWatch(r *http.Request) bool { return r.URL.Query().Get("watch") != "" }

func ofObjects(r *http.Request) bool { return strings.Contains(r.URL.Path, "/importjobstops") }

func isList(r *http.Request, _ []byte) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/importjobstops") && !isWatch(r)
}

func isObjectWatch(r *http.Request, _ []byte) bool { return ofObjects(r) && isWatch(r) }

func isStatus(r *http.Request, _ []byte) bool {
	return r.Method == http.MethodPut && ofObjects(r) && strings.HasSuffix(r.URL.Path, "/status")
}

func isAttempt(r *http.Request, body []byte) bool {
	return isStatus(r, body) && bytes.Contains(body, []byte(`"reason":"Stopping"`)) && hasAttempt(body)
}

func hasAttempt(body []byte) bool { return bytes.Contains(body, []byte(`"lastAttempt"`)) }

// hasFound: status says which import was found.
func hasFound(body []byte) bool { return bytes.Contains(body, []byte(`"observedTime"`)) }

func isOutcome(r *http.Request, body []byte) bool {
	return isStatus(r, body) && !isAttempt(r, body) && hasAttempt(body)
}

func isEvent(r *http.Request, _ []byte) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/events")
}

func isSecret(r *http.Request, _ []byte) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/secrets/")
}

// isRead is a list or a watch of objects: a cache is filled by either.
func isRead(r *http.Request, _ []byte) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/importjobstops")
}

// isLiveRead is a read of one object, past the cache.
func isLiveRead(r *http.Request, _ []byte) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/importjobstops/")
}

func isDelete(r *http.Request, _ []byte) bool { return r.Method == http.MethodDelete && ofObjects(r) }

func isAny(r *http.Request, _ []byte) bool { return !isWatch(r) }
