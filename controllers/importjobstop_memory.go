// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// answer is what came of one call.
type answer struct {
	action     importjob.Action
	generation int64
	attempt    int32
	started    metav1.MicroTime // of the attempt
	at         time.Time
	requestID  string
	status     importjob.Status
	err        error
	jitter     float64 // in [0, 1), for the backoff
}

func (a *answer) fault() *importjob.Error {
	var fault *importjob.Error
	if a.err == nil || errors.As(a.err, &fault) {
		return fault
	}
	return &importjob.Error{Class: importjob.Transient, Code: "ClientError.Unknown", Message: "the call failed", OutcomeUnknown: true}
}

// memory is what this process knows better than its cache. The zero value is empty and ready.
type memory struct {
	mu      sync.Mutex
	written map[types.NamespacedName]string // the resourceVersion of our latest write, until its echo
	refused map[types.NamespacedName]refusal
}

// refusal is of credentials that the cloud refused for an object.
type refusal struct {
	uid         types.UID
	fingerprint [sha256.Size]byte
}

// wrote remembers a write of ours. Until the cache has it, the object is not looked at; its echo from the watch tells us nothing new.
func (m *memory) wrote(object *cdbv1.ImportJobStop) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.written == nil {
		m.written = map[types.NamespacedName]string{}
	}
	m.written[client.ObjectKeyFromObject(object)] = object.ResourceVersion
}

// isEcho says whether this version, which the cache has now, is our own latest write.
func (m *memory) isEcho(object *cdbv1.ImportJobStop) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	if m.written[key] != object.ResourceVersion {
		return false
	}
	delete(m.written, key)
	return true
}

// isOld says whether the object, from the cache, is older than what we have written.
func (m *memory) isOld(object *cdbv1.ImportJobStop) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	written, ok := m.written[key]
	if !ok {
		return false
	}
	if order, err := resourceversion.CompareResourceVersion(object.ResourceVersion, written); err == nil && order < 0 {
		return true
	}
	delete(m.written, key)
	return false
}

// forget is for an object that is no more.
func (m *memory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.written, key)
	delete(m.refused, key)
}

// refuse remembers the credentials that the cloud refused for the object; others take that back.
func (m *memory) refuse(object *cdbv1.ImportJobStop, refused bool, credentials [sha256.Size]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused == nil {
		m.refused = map[types.NamespacedName]refusal{}
	}
	key := client.ObjectKeyFromObject(object)
	delete(m.refused, key)
	if refused {
		m.refused[key] = refusal{object.UID, credentials}
	}
}

// isRefused says whether these are the credentials that the cloud refused for the object last.
func (m *memory) isRefused(object *cdbv1.ImportJobStop, credentials [sha256.Size]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refused[client.ObjectKeyFromObject(object)] == refusal{object.UID, credentials}
}

var salt = rand.Text()

// fingerprint tells credentials apart within this process; it never leaves it.
func fingerprint(c importjob.Credentials) [sha256.Size]byte {
	return sha256.Sum256([]byte(salt + "\n" + c.SecretID + "\n" + c.SecretKey + "\n" + c.Token))
}
