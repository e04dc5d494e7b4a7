// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// writerTo returns a writer of events to a server, for an object with a name as long as it can be.
func writerTo(t *testing.T, handler http.HandlerFunc) (*eventWriter, *cdbv1.ImportJobStop) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	mgr, err := ctrl.NewManager(&rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}, Options{ProbeAddress: "0", PprofAddress: "0"}.manager())
	if err != nil {
		t.Fatal(err)
	}
	w, err := newEventWriter(mgr)
	if err != nil {
		t.Fatal(err)
	}
	object := &cdbv1.ImportJobStop{}
	object.Namespace, object.Name, object.UID = "shop", strings.Repeat("a", 253), "u-1"
	return w, object
}

// A process that shuts down writes the events of its last results.
func TestAShutdownWaitsForItsEvents(t *testing.T) {
	t.Parallel()
	var got atomic.Pointer[eventsv1.Event]
	ending := make(chan chan struct{}, 1)
	w, object := writerTo(t, func(response http.ResponseWriter, request *http.Request) {
		event := &eventsv1.Event{}
		_ = json.NewDecoder(request.Body).Decode(event)
		<-<-ending // it is flushed
		got.Store(event)
		response.WriteHeader(http.StatusCreated)
		_, _ = response.Write([]byte(`{"apiVersion":"events.k8s.io/v1","kind":"Event"}`))
	})
	ending <- w.ending
	w.Eventf(object, nil, "Normal", cdbv1.ReasonStopAccepted, "StopDBImportJob", "%s", "100 %")
	w.flush(time.Minute)
	checkEvent(t, got.Load())
	w.Eventf(object, nil, "Normal", cdbv1.ReasonStopAccepted, "StopDBImportJob", "too late, and not written")
}

func checkEvent(t *testing.T, got *eventsv1.Event) {
	t.Helper()
	if got == nil {
		t.Fatal("the event was not waited for")
	}
	if got.Reason != cdbv1.ReasonStopAccepted || got.Note != "100 %" || got.Regarding.UID != "u-1" || got.Regarding.Kind != "ImportJobStop" || len(got.Name) > 253 || got.EventTime.IsZero() {
		t.Errorf("got %+v", got)
	}
}

// An answer ends an event, also a refusal. An API server that does not answer holds up no shutdown.
func TestEventsThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	tried := make(chan struct{}, 10)
	refused, object := writerTo(t, func(response http.ResponseWriter, _ *http.Request) {
		tried <- struct{}{}
		response.WriteHeader(http.StatusForbidden)
	})
	refused.Eventf(object, nil, "Normal", cdbv1.ReasonStopAccepted, "StopDBImportJob", "refused")
	refused.pending.Wait()
	if len(tried) != 1 {
		t.Errorf("%d requests", len(tried))
	}
	release := make(chan struct{})
	silent, object := writerTo(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	silent.Eventf(object, nil, "Normal", cdbv1.ReasonStopAccepted, "StopDBImportJob", "not answered")
	silent.flush(10 * time.Millisecond)
}
