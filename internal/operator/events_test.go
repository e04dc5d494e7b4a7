// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// An event is written when Eventf returns, so that a shutdown loses none. A refusal is one request, and holds up nothing.
func TestEventsAreWrittenAtOnce(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]int{"written": http.StatusCreated, "refused": http.StatusForbidden} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got atomic.Pointer[eventsv1.Event]
			var requests atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
				event := &eventsv1.Event{}
				_ = json.NewDecoder(request.Body).Decode(event)
				got.Store(event)
				requests.Add(1)
				response.Header().Set("Content-Type", "application/json")
				response.WriteHeader(code)
				_, _ = response.Write([]byte(`{"apiVersion":"events.k8s.io/v1","kind":"Event"}`))
			}))
			t.Cleanup(server.Close)
			config := &rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
			mgr, err := ctrl.NewManager(config, Options{ProbeAddress: "0", PprofAddress: "0"}.manager())
			if err != nil {
				t.Fatal(err)
			}
			object := &cdbv1.ImportJobStop{}
			object.Namespace, object.Name, object.UID = "shop", strings.Repeat("a", 253), "u-1"
			newEventWriter(mgr).Eventf(object, nil, "Normal", cdbv1.ReasonStopAccepted, "StopDBImportJob", "%s", "100 %")
			event := got.Load()
			if event == nil || requests.Load() != 1 {
				t.Fatalf("%d requests", requests.Load())
			}
			if event.Reason != cdbv1.ReasonStopAccepted || event.Note != "100 %" || event.Regarding.UID != "u-1" || event.Regarding.Kind != "ImportJobStop" || len(event.Name) > 253 || event.EventTime.IsZero() {
				t.Errorf("got %+v", event)
			}
		})
	}
}
