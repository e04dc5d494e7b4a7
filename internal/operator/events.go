// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/go-logr/logr"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	eventsclient "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/client-go/tools/record/util"
	"k8s.io/client-go/tools/reference"
	ctrl "sigs.k8s.io/controller-runtime"
)

const (
	// eventController is the name by which the operator reports events.
	eventController = "importjobstop-operator"
	// eventTries is how often an event is written while the API server does not answer, with eventPause between two tries.
	eventTries, eventPause = 12, 10 * time.Second
	// eventFlush is how long a process that ends waits for its last events. With the 30 s that the manager takes at most, it is less than
	// what the Deployment allows.
	eventFlush = 5 * time.Second
)

// eventWriter writes each event by a request of its own. client-go's recorder drops what it has not written when the process shuts down: the
// outcomes of the calls that were in flight.
type eventWriter struct {
	client   eventsclient.EventsV1Interface
	scheme   *runtime.Scheme
	log      logr.Logger
	instance string
	ending   chan struct{} // closed when no event is tried again

	mu      sync.Mutex
	ended   bool
	pending sync.WaitGroup
}

func newEventWriter(mgr ctrl.Manager) (*eventWriter, error) {
	client, err := eventsclient.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, err
	}
	hostname, _ := os.Hostname()
	instance := eventController + "-" + hostname
	return &eventWriter{
		client: client, scheme: mgr.GetScheme(), log: mgr.GetLogger().WithName("events"),
		instance: instance[:min(len(instance), 128)], ending: make(chan struct{}),
	}, nil
}

// Eventf implements events.EventRecorder. It does not wait.
func (w *eventWriter) Eventf(regarding, _ runtime.Object, eventtype, reason, action, format string, args ...any) {
	object, err := reference.GetReference(w.scheme, regarding)
	if err != nil {
		w.log.Error(err, "an event is about an unknown object", "reason", reason)
		return
	}
	now := time.Now()
	event := &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: object.Namespace, Name: util.GenerateEventName(object.Name, now.UnixNano())},
		EventTime:  metav1.NewMicroTime(now), ReportingController: eventController, ReportingInstance: w.instance,
		Regarding: *object, Type: eventtype, Reason: reason, Action: action, Note: fmt.Sprintf(format, args...),
	}
	w.log.V(1).Info("event", "namespace", object.Namespace, "name", object.Name, "type", eventtype, "reason", reason, "note", event.Note)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.pending.Go(func() { w.write(event) })
	}
}

// write creates an event, and tries again while the API server does not answer.
func (w *eventWriter) write(event *eventsv1.Event) {
	for tries := 1; ; tries++ {
		_, err := w.client.Events(event.Namespace).Create(context.Background(), event, metav1.CreateOptions{})
		if err == nil || apierrors.IsAlreadyExists(err) {
			return
		}
		w.log.Info("writing an event failed", "namespace", event.Namespace, "object", event.Regarding.Name, "reason", event.Reason, "error", err.Error())
		if _, isAnswer := errors.AsType[*apierrors.StatusError](err); isAnswer || tries == eventTries {
			return
		}
		select {
		case <-w.ending:
			return
		case <-time.After(eventPause):
		}
	}
}

// flush returns when each event is written or given up, or after a while.
func (w *eventWriter) flush(atMost time.Duration) {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	close(w.ending)
	written := make(chan struct{})
	go func() { w.pending.Wait(); close(written) }()
	select {
	case <-written:
	case <-time.After(atMost):
	}
}
