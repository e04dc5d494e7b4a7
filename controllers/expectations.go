// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// expectations are the versions that this process wrote, or read past its cache, and that its cache has not seen yet. The zero value is empty
// and ready.
type expectations struct {
	mu      sync.Mutex
	written map[types.NamespacedName]expectation
}

// expectation is the latest version of an object that this process wrote, or read past its cache.
type expectation struct {
	version string // resourceVersion
	at      time.Time
	own     bool // it was written
}

// maxExpectation is how long a copy counts as stale. A restored backup of etcd takes writes back and starts again at lower versions;
// from then on the resourceVersion of the next write decides.
const maxExpectation = 30 * time.Second

// expectWrite remembers a write. Until the cache has it, the object is stale.
func (e *expectations) expectWrite(object *cdbv1.ImportJobStop) { e.expect(object, true) }

// expectRead remembers a version that the API server has. Until the cache has it, the object is stale.
func (e *expectations) expectRead(object *cdbv1.ImportJobStop) { e.expect(object, false) }

func (e *expectations) expect(object *cdbv1.ImportJobStop, own bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.written == nil {
		e.written = map[types.NamespacedName]expectation{}
	}
	e.written[client.ObjectKeyFromObject(object)] = expectation{object.ResourceVersion, time.Now(), own}
}

// observeOwnWrite returns true once, when this version of the object is the latest write of this process.
func (e *expectations) observeOwnWrite(object *cdbv1.ImportJobStop) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	expected := e.written[key]
	if expected.version != object.ResourceVersion {
		return false
	}
	delete(e.written, key)
	return expected.own
}

// latest returns what is expected of an object; the zero value if nothing is.
func (e *expectations) latest(key types.NamespacedName) expectation {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.written[key]
}

// isStale returns true if the object, read from the cache, is older than the version that is expected. Look the expectation up before you
// read the object: while you read, the cache may get that version, and the expectation is dropped.
func (e expectation) isStale(object *cdbv1.ImportJobStop) bool {
	if e.version == "" || time.Since(e.at) > maxExpectation {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(object.ResourceVersion, e.version)
	return err == nil && order < 0
}

// forget drops what is expected of a deleted object.
func (e *expectations) forget(key types.NamespacedName) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.written, key)
}
