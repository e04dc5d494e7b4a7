// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record/util"
	"k8s.io/client-go/tools/reference"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// eventController is the name by which the operator reports events.
	eventController = "importjobstop-operator"
	// eventTimeout bounds the request for an event.
	eventTimeout = 5 * time.Second
	// maxInstance is the maximum length of reportingInstance at the API server, in bytes.
	maxInstance = 128
)

// eventWriter writes each event before it returns. client-go's recorder writes later, and drops what is left when the process shuts
// down: the events of the calls that were in flight.
type eventWriter struct {
	client   client.Client
	log      logr.Logger
	instance string
}

func newEventWriter(mgr ctrl.Manager) *eventWriter {
	hostname, _ := os.Hostname()
	instance := eventController + "-" + hostname
	return &eventWriter{mgr.GetClient(), mgr.GetLogger().WithName("events"), instance[:min(len(instance), maxInstance)]}
}

// Eventf implements events.EventRecorder.
func (w *eventWriter) Eventf(regarding, _ runtime.Object, eventtype, reason, action, message string, args ...any) {
	object, err := reference.GetReference(w.client.Scheme(), regarding)
	if err != nil {
		w.log.Error(err, "an event is about an unknown object", "reason", reason)
		return
	}
	now := time.Now()
	event := &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: object.Namespace, Name: util.GenerateEventName(object.Name, now.UnixNano())},
		EventTime:  metav1.NewMicroTime(now), ReportingController: eventController, ReportingInstance: w.instance,
		Regarding: *object, Type: eventtype, Reason: reason, Action: action, Note: fmt.Sprintf(message, args...),
	}
	log := w.log.WithValues("namespace", event.Namespace, "object", object.Name, "type", eventtype, "reason", reason)
	log.V(1).Info("event", "message", event.Note)
	ctx, cancel := context.WithTimeout(context.Background(), eventTimeout)
	defer cancel()
	if err := w.client.Create(ctx, event); err != nil {
		log.Info("writing an event failed", "error", err.Error())
	}
}
