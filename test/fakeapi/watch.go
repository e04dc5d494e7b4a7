// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

// stream is the body of the response to a watch.
type stream struct {
	*io.PipeReader
	once   sync.Once
	closed chan struct{}
}

// Close ends the watch.
func (b *stream) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.PipeReader.Close()
}

// watcher sends the changes of one watch.
type watcher struct {
	server     *Server
	asked      request
	next       int // index of the first change that was not sent
	watchesEnd <-chan struct{}
	encoder    *json.Encoder
}

func (s *Server) watch(r *http.Request, asked request) (*http.Response, error) {
	reader, writer := io.Pipe()
	body := &stream{PipeReader: reader, closed: make(chan struct{})}
	w := &watcher{server: s, asked: asked, encoder: json.NewEncoder(writer)}
	first := w.start(r.URL.Query())
	var expiry <-chan time.Time
	if seconds, err := strconv.Atoi(r.URL.Query().Get("timeoutSeconds")); err == nil {
		timer := time.NewTimer(time.Duration(seconds) * time.Second)
		expiry = timer.C
	}
	go func() {
		defer func() { _ = writer.Close() }()
		for _, e := range first {
			if w.send(e) != nil || e.Type == watch.Error {
				return
			}
		}
		w.run(r.Context().Done(), body.closed, expiry)
	}()
	response := respond(r, http.StatusOK, nil)
	response.Body, response.ContentLength = body, -1
	return response, nil
}

// start returns what is sent first, and sets where the changes go on.
func (w *watcher) start(query url.Values) (first []watch.Event) {
	s := w.server
	s.mu.Lock()
	defer s.mu.Unlock()
	w.watchesEnd = s.watchesEnd
	revision, _ := strconv.ParseInt(query.Get("resourceVersion"), 10, 64)
	initial := query.Get("sendInitialEvents") == "true"
	if revision > 0 && !initial {
		if revision < s.compacted {
			return []watch.Event{{Type: watch.Error, Object: statusOf(apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", revision, s.compacted)))}}
		}
		for w.next < len(s.changes) && s.changes[w.next].revision <= revision {
			w.next++
		}
		return nil
	}
	w.next = len(s.changes)
	for _, o := range s.listed(w.asked.kind, w.asked.namespace) {
		first = append(first, watch.Event{Type: watch.Added, Object: o})
	}
	if initial {
		first = append(first, watch.Event{Type: watch.Bookmark, Object: w.bookmark(s.revision)})
	}
	return first
}

// bookmark says that the initial events have ended.
func (w *watcher) bookmark(revision int64) *unstructured.Unstructured {
	mark := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{}}}
	mark.SetGroupVersionKind(w.asked.kind.GroupVersionKind)
	mark.SetResourceVersion(strconv.FormatInt(revision, 10))
	mark.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	return mark
}

// run sends changes until the watch ends.
func (w *watcher) run(canceled, closed <-chan struct{}, expiry <-chan time.Time) {
	for {
		event, wait, changed := w.take()
		if event != nil {
			if w.send(*event) != nil {
				return
			}
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-changed:
		case <-timer.C:
		case <-w.watchesEnd:
			return
		case <-canceled:
			return
		case <-closed:
			return
		case <-expiry:
			return
		}
		timer.Stop()
	}
}

// idle is how long a watch waits when there is nothing to send.
const idle = time.Hour

// take returns the next event, or how long to wait for it unless something changes before.
func (w *watcher) take() (event *watch.Event, wait time.Duration, changed <-chan struct{}) {
	s := w.server
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; w.next < len(s.changes); w.next++ {
		c := s.changes[w.next]
		if c.name.kind != w.asked.kind || (w.asked.namespace != "" && c.name.namespace != w.asked.namespace) {
			continue
		}
		if wait := time.Until(c.at.Add(s.lag)); wait > 0 {
			return nil, wait, s.changed
		}
		w.next++
		return &c.Event, 0, nil
	}
	return nil, idle, s.changed
}

func (w *watcher) send(e watch.Event) error {
	return w.encoder.Encode(map[string]any{"type": e.Type, "object": e.Object})
}

func statusOf(err *apierrors.StatusError) *metav1.Status {
	status := err.Status()
	status.Kind, status.APIVersion = "Status", "v1"
	return &status
}
