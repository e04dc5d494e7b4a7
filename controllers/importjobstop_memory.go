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
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// answer is what came of one call.
type answer struct {
	action     importjob.Action
	target     cdbv1.Target
	generation int64
	key        types.NamespacedName
	attempt    int32
	started    metav1.MicroTime // of the attempt
	at         time.Time
	requestID  string
	status     importjob.Status
	err        error
	refused    [sha256.Size]byte          // of the credentials, when they were refused
	jitter     float64                    // in [0, 1), for the backoff
	before     *cdbv1.ImportJobStopStatus // the status when its write was first tried
}

func (a *answer) fault() *importjob.Fault {
	var fault *importjob.Fault
	if a.err == nil || errors.As(a.err, &fault) {
		return fault
	}
	return &importjob.Fault{Class: importjob.Transient, Code: "ClientError.Unknown", Message: "the call failed", OutcomeUnknown: true}
}

// memory is what must not be lost while the process lives. The zero value is empty and ready.
type memory struct {
	mu      sync.Mutex
	keys    map[types.NamespacedName]*remembered
	written map[types.NamespacedName]string // the resourceVersion of our latest write, until its echo
	echoed  map[types.NamespacedName]string // that of an echo which came before its writer knew
}

type remembered struct {
	uid       types.UID
	answer    *answer           // until it is seen in status
	writtenAs string            // the resourceVersion of the status that has it
	refused   [sha256.Size]byte // zero: none
}

func (m *memory) keep(object *cdbv1.ImportJobStop, a answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keys == nil {
		m.keys = map[types.NamespacedName]*remembered{}
	}
	m.keys[client.ObjectKeyFromObject(object)] = &remembered{uid: object.UID, answer: &a, refused: a.refused}
}

// kept returns the answer that is not yet seen in the object's status, or nil, and the resourceVersion that it was written as.
func (m *memory) kept(object *cdbv1.ImportJobStop) (a *answer, writtenAs string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.keys[client.ObjectKeyFromObject(object)]; r != nil && r.uid == object.UID {
		return r.answer, r.writtenAs
	}
	return nil, ""
}

// recorded: the answer is in the status of this version, which the cache may not have yet.
func (m *memory) recorded(object *cdbv1.ImportJobStop) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	r := m.keys[key]
	switch {
	case r == nil:
	case m.echoed[key] == object.ResourceVersion:
		m.drop(key)
	default:
		r.writtenAs = object.ResourceVersion
	}
}

// settle drops the answer, which is in status now, and all else unless the credentials were refused.
func (m *memory) settle(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(key)
}

func (m *memory) drop(key types.NamespacedName) {
	delete(m.echoed, key)
	if r := m.keys[key]; r != nil && r.refused != [sha256.Size]byte{} {
		r.answer = nil
		return
	}
	delete(m.keys, key)
}

func (m *memory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keys, key)
	delete(m.written, key)
	delete(m.echoed, key)
}

// wrote remembers a write of ours, whose echo from the watch tells us nothing new.
func (m *memory) wrote(object *cdbv1.ImportJobStop) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.written == nil {
		m.written, m.echoed = map[types.NamespacedName]string{}, map[types.NamespacedName]string{}
	}
	m.written[client.ObjectKeyFromObject(object)] = object.ResourceVersion
}

// isEcho says whether this version, which the cache has now, is our own latest write.
func (m *memory) isEcho(object client.Object) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	key, version := client.ObjectKeyFromObject(object), object.GetResourceVersion()
	if m.written[key] != version {
		return false
	}
	delete(m.written, key)
	if r := m.keys[key]; r != nil && r.writtenAs == version {
		m.drop(key)
	} else if r != nil && r.answer != nil {
		m.echoed[key] = version
	}
	return true
}

// refused says whether these are the credentials that the cloud refused for the object of this uid.
func (m *memory) refused(object *cdbv1.ImportJobStop, credentials [sha256.Size]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.keys[client.ObjectKeyFromObject(object)]
	return r != nil && r.uid == object.UID && r.refused == credentials
}

var salt = rand.Text()

// fingerprint tells credentials apart within this process; it never leaves it.
func fingerprint(c importjob.Credentials) [sha256.Size]byte {
	return sha256.Sum256([]byte(salt + "\n" + c.SecretID + "\n" + c.SecretKey + "\n" + c.Token))
}
