// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/turns"
)

// polls chooses the Secret to poll next, among those that objects wait for. Namespaces take turns: one that waits for many Secrets
// does not delay the others.
type polls struct {
	secrets map[types.NamespacedName]*polled
	queue   turns.Queue[types.NamespacedName]
}

// polled is a Secret that at least one object waits for.
type polled struct {
	since   time.Time // when the first of the objects began to wait
	objects map[types.NamespacedName]bool
}

// add makes the object wait for the Secret, with a poll no later than due.
func (p *polls) add(secret, object types.NamespacedName, now, due time.Time) {
	entry := p.secrets[secret]
	if entry == nil {
		entry = &polled{since: now, objects: map[types.NamespacedName]bool{}}
		p.secrets[secret] = entry
	}
	entry.objects[object] = true
	if at := p.queue.At(secret); at.IsZero() || due.Before(at) {
		p.queue.Set(secret.Namespace, secret, due)
	}
}

// remove ends the wait of the object. A Secret that no other object waits for is not polled again.
func (p *polls) remove(secret, object types.NamespacedName) {
	entry := p.secrets[secret]
	if entry == nil {
		return
	}
	delete(entry.objects, object)
	if len(entry.objects) > 0 {
		return
	}
	delete(p.secrets, secret)
	p.queue.Remove(secret)
}

// next returns the Secret to poll now and a wait of zero, or how long to wait until a poll is due.
func (p *polls) next(now time.Time) (secret types.NamespacedName, wait time.Duration) {
	secret, wait, ok := p.queue.Next(now)
	if !ok && (wait == 0 || wait > maxInterval) {
		wait = maxInterval
	}
	return secret, wait
}

// waiting returns the objects that wait for the Secret, in no order.
func (p *polls) waiting(secret types.NamespacedName) (objects []types.NamespacedName) {
	if entry := p.secrets[secret]; entry != nil {
		for object := range entry.objects {
			objects = append(objects, object)
		}
	}
	return objects
}

// polled schedules the poll after this one. The delay is a quarter of the wait so far, limited to maxInterval, and never less than interval.
func (p *polls) polled(secret types.NamespacedName, now time.Time, interval time.Duration) {
	entry := p.secrets[secret]
	if entry == nil {
		return
	}
	p.queue.Set(secret.Namespace, secret, now.Add(max(interval, min(now.Sub(entry.since)/4, maxInterval))))
}
