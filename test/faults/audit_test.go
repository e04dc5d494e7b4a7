// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/oracle"
)

// audit keeps every version of every object of a namespace, in order.
type audit struct {
	mu       sync.Mutex
	versions map[types.UID][]oracle.Version
	begin    sync.Once
	begun    chan struct{} // closed when the first watch stands
}

// watchAll keeps versions from now on, until ctx ends. It outlives restarts of the API server.
func watchAll(ctx context.Context, c client.WithWatch, namespace string) *audit {
	a := &audit{versions: map[types.UID][]oracle.Version{}, begun: make(chan struct{})}
	go func() {
		for ; ctx.Err() == nil; pause(ctx, 50*time.Millisecond) {
			a.follow(ctx, c, namespace)
		}
	}()
	select {
	case <-a.begun:
	case <-ctx.Done():
	}
	return a
}

// follow keeps what is there and then what one watch tells. A new API server does not remember what the old one would have told,
// so that versions between the two can be missed; those that last cannot.
func (a *audit) follow(ctx context.Context, c client.WithWatch, namespace string) {
	list := &cdbv1.ImportJobStopList{}
	if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return
	}
	for i := range list.Items {
		a.keep(&list.Items[i], false)
	}
	from := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: list.ResourceVersion}}
	w, err := c.Watch(ctx, &cdbv1.ImportJobStopList{}, client.InNamespace(namespace), from)
	if err != nil {
		return
	}
	defer w.Stop()
	a.begin.Do(func() { close(a.begun) })
	for e := range w.ResultChan() {
		if o, ok := e.Object.(*cdbv1.ImportJobStop); ok {
			a.keep(o, e.Type == watch.Deleted)
		}
	}
}

func (a *audit) keep(o *cdbv1.ImportJobStop, deleted bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.versions[o.UID]
	if n := len(known); n > 0 && known[n-1].ResourceVersion == o.ResourceVersion {
		return
	}
	a.versions[o.UID] = append(known, oracle.Version{ImportJobStop: o, Seen: time.Now(), Deleted: deleted})
}

// live are the newest versions of the objects that are not deleted.
func (a *audit) live() (objects []*cdbv1.ImportJobStop) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, versions := range a.versions {
		if last := versions[len(versions)-1]; !last.Deleted {
			objects = append(objects, last.ImportJobStop)
		}
	}
	return objects
}

// hasAll says whether these are the live objects, in the newest versions that were seen.
func (a *audit) hasAll(objects []cdbv1.ImportJobStop) bool {
	seen := map[types.UID]string{}
	for _, o := range a.live() {
		seen[o.UID] = o.ResourceVersion
	}
	for i := range objects {
		if seen[objects[i].UID] != objects[i].ResourceVersion {
			return false
		}
	}
	return len(seen) == len(objects)
}

// all are the versions so far.
func (a *audit) all() map[types.UID][]oracle.Version {
	a.mu.Lock()
	defer a.mu.Unlock()
	versions := map[types.UID][]oracle.Version{}
	for uid, v := range a.versions {
		versions[uid] = append([]oracle.Version{}, v...)
	}
	return versions
}
