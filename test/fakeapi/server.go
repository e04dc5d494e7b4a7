// SPDX-License-Identifier: Apache-2.0

// Package fakeapi is the part of the Kubernetes API server that the operator and its users need, in memory. It runs in the virtual time
// of testing/synctest. TestConversations compares it with the real one.
package fakeapi

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// Server stores objects. It serves as an http.RoundTripper.
type Server struct {
	mu         sync.Mutex
	revision   int64
	compacted  int64 // watches from before this revision are refused
	objects    map[name]*unstructured.Unstructured
	defaulted  map[name]bool // the status is what a read makes of none: the first update writes it down, and is no no-op
	changes    []change      // oldest first
	changed    chan struct{}
	watchesEnd chan struct{} // closed to end all watches
	lag        time.Duration
	skew       time.Duration
}

// name of an object.
type name struct {
	kind            *kind
	namespace, name string
}

// change is what a watch reports.
type change struct {
	watch.Event
	name     name
	revision int64
	at       time.Time
}

// New returns a server without objects.
func New() *Server {
	return &Server{revision: 1, objects: map[name]*unstructured.Unstructured{}, defaulted: map[name]bool{}, changed: make(chan struct{}), watchesEnd: make(chan struct{})}
}

// SetLag delays what watches report, as a slow network or a busy API server does.
func (s *Server) SetLag(lag time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag = lag
	s.broadcast()
}

// SetSkew lets the clock of the server be ahead. Zero is right.
func (s *Server) SetSkew(ahead time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = ahead
}

// CutWatches ends all watches.
func (s *Server) CutWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.watchesEnd)
	s.watchesEnd = make(chan struct{})
}

// Compact forgets old revisions and ends all watches: those that come back with an old revision are refused with 410.
func (s *Server) Compact() {
	s.CutWatches()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revision++
	s.compacted = s.revision
}

func (s *Server) broadcast() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// commit stores the object, or removes it, and returns it as it is stored.
func (s *Server) commit(n name, object *unstructured.Unstructured, event watch.EventType) *unstructured.Unstructured {
	s.revision++
	s.defaulted[n] = event == watch.Added && n.kind.setDefaults != nil
	object.SetResourceVersion(strconv.FormatInt(s.revision, 10))
	if event == watch.Deleted {
		delete(s.objects, n)
	} else {
		s.objects[n] = object
	}
	s.changes = append(s.changes, change{watch.Event{Type: event, Object: object}, n, s.revision, time.Now()})
	s.broadcast()
	return object
}

func (s *Server) create(k *kind, namespace string, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if object.GetResourceVersion() != "" {
		return nil, &apierrors.StatusError{ErrStatus: metav1.Status{
			Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: "resourceVersion should not be set on objects to be created",
		}}
	}
	if object.GetName() == "" && object.GetGenerateName() != "" {
		object.SetName(object.GetGenerateName() + strconv.FormatInt(s.revision, 36))
	}
	n := name{k, namespace, object.GetName()}
	if s.objects[n] != nil {
		return nil, apierrors.NewAlreadyExists(k.resource(), n.name)
	}
	object.SetGroupVersionKind(k.GroupVersionKind)
	object.SetNamespace(namespace)
	object.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", s.revision)))
	object.SetCreationTimestamp(metav1.NewTime(time.Now().Add(s.skew).UTC().Truncate(time.Second)))
	if k.hasStatus {
		object.SetGeneration(1)
		delete(object.Object, "status")
	}
	if k.setDefaults != nil {
		k.setDefaults(object)
	}
	return s.commit(n, object, watch.Added), nil
}

func (s *Server) get(n name) (*unstructured.Unstructured, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if object := s.objects[n]; object != nil {
		return object, nil
	}
	return nil, apierrors.NewNotFound(n.kind.resource(), n.name)
}

// update replaces the object, or its status alone.
func (s *Server) update(n name, object *unstructured.Unstructured, statusOnly bool) (*unstructured.Unstructured, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.objects[n]
	if old == nil {
		return nil, apierrors.NewNotFound(n.kind.resource(), n.name)
	}
	if object.GetName() != n.name {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", object.GetName(), n.name))
	}
	if n.kind.hasStatus && object.GetResourceVersion() == "" {
		return nil, apierrors.NewInvalid(schema.GroupKind{Group: n.kind.Group, Kind: n.kind.plural}, n.name, mustHaveVersion())
	}
	if err := fits(n.kind.resource(), n.name, old, object.GetUID(), object.GetResourceVersion()); err != nil {
		return nil, err
	}
	next := merge(old, object, n.kind.hasStatus, statusOnly)
	if n.kind.validate != nil {
		if problems := n.kind.validate(old, next); len(problems) > 0 {
			return nil, apierrors.NewInvalid(old.GroupVersionKind().GroupKind(), n.name, problems)
		}
	}
	if equality.Semantic.DeepEqual(old.Object, next.Object) && !s.defaulted[n] {
		return old, nil
	}
	return s.commit(n, next, watch.Modified), nil
}

// merge returns what an update makes of the old object: the server keeps what is its own.
func merge(old, object *unstructured.Unstructured, hasStatus, statusOnly bool) *unstructured.Unstructured {
	next := object.DeepCopy()
	if statusOnly {
		next = old.DeepCopy()
		next.Object["status"] = runtime.DeepCopyJSONValue(object.Object["status"])
		if object.Object["status"] == nil {
			delete(next.Object, "status")
		}
		return next
	}
	next.SetGroupVersionKind(old.GroupVersionKind())
	next.SetUID(old.GetUID())
	next.SetNamespace(old.GetNamespace())
	next.SetCreationTimestamp(old.GetCreationTimestamp())
	next.SetResourceVersion(old.GetResourceVersion())
	next.SetGeneration(old.GetGeneration())
	if !hasStatus {
		return next
	}
	delete(next.Object, "status")
	if status, has := old.Object["status"]; has {
		next.Object["status"] = runtime.DeepCopyJSONValue(status)
	}
	if !equality.Semantic.DeepEqual(old.Object["spec"], next.Object["spec"]) {
		next.SetGeneration(old.GetGeneration() + 1)
	}
	return next
}

func (s *Server) remove(n name, options *metav1.DeleteOptions) (*unstructured.Unstructured, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.objects[n]
	if old == nil {
		return nil, apierrors.NewNotFound(n.kind.resource(), n.name)
	}
	if p := options.Preconditions; p != nil {
		var uid types.UID
		var version string
		if p.UID != nil {
			uid = *p.UID
		}
		if p.ResourceVersion != nil {
			version = *p.ResourceVersion
		}
		deleted := schema.GroupResource{Group: n.kind.Group, Resource: n.kind.Kind} // as the server says it
		if err := fits(deleted, n.name, old, uid, version); err != nil {
			return nil, err
		}
	}
	return s.commit(n, old.DeepCopy(), watch.Deleted), nil
}

// fits compares what a request expects. Empty expects nothing.
func fits(resource schema.GroupResource, name string, old *unstructured.Unstructured, uid types.UID, version string) error {
	if uid != "" && uid != old.GetUID() {
		return apierrors.NewConflict(resource, name, fmt.Errorf("precondition failed: UID in precondition: %s, UID in object meta: %s", uid, old.GetUID()))
	}
	if version != "" && version != old.GetResourceVersion() {
		return apierrors.NewConflict(resource, name, fmt.Errorf("the object has been modified; please apply your changes to the latest version and try again"))
	}
	return nil
}

// list returns the objects of a kind, sorted by name, and the revision.
func (s *Server) list(k *kind, namespace string) (items []*unstructured.Unstructured, revision int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listed(k, namespace), s.revision
}

func (s *Server) listed(k *kind, namespace string) (items []*unstructured.Unstructured) {
	names := slices.SortedFunc(maps.Keys(s.objects), func(a, b name) int {
		return slices.Compare([]string{a.namespace, a.name}, []string{b.namespace, b.name})
	})
	for _, n := range names {
		if n.kind == k && (namespace == "" || n.namespace == namespace) {
			items = append(items, s.objects[n])
		}
	}
	return items
}

// Change is one version of an object as it was stored.
type Change struct {
	Type   watch.EventType
	Object *unstructured.Unstructured
	Time   time.Time
}

// Changes returns every version of every object of a resource, oldest first.
func (s *Server) Changes(resource schema.GroupResource) (all []Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.changes {
		if object, ok := c.Object.(*unstructured.Unstructured); ok && c.name.kind.resource() == resource {
			all = append(all, Change{c.Type, object, c.at})
		}
	}
	return all
}
