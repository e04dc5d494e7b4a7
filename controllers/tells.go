// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/credentials"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/turns"
)

// waitForQuota writes that the object is in a queue. A write that only tells this waits for its turn in tells.
func (r *Reconciler) waitForQuota(ctx context.Context, object *cdbv1.ImportJobStop, wait quota.Wait, now time.Time) (time.Duration, error) {
	key := client.ObjectKeyFromObject(object)
	at := lifecycle.TellAt(object, now, wait.Since, wait.Turn)
	if r.tells.mustWait(key, at, now) {
		return lifecycle.RequeueAfter(object, now), nil
	}
	if err := r.write(ctx, object, lifecycle.WaitForQuota(now, wait.Since, wait.Turn)); err != nil {
		return 0, err
	}
	r.subscribe(object, credentials.Fingerprint{})
	if next := lifecycle.TellAt(object, now, wait.Since, wait.Turn); !next.IsZero() {
		r.tells.add(key, next)
	}
	return lifecycle.RequeueAfter(object, now), nil
}

const (
	// tellInterval is how long one turn to tell may keep the next waiting: at least 20 begin each second, whatever else is to do.
	tellInterval = 50 * time.Millisecond
	// maxTellTurns is how many turns, and so workers, may be busy with telling. When writes take that long, fewer than 20 turns a second begin.
	maxTellTurns = 5
)

// tells are the objects whose status does not say yet that they wait: in a queue, for their Secret, or because they are suspended. They take
// turns. The object that has its turn is reconciled as soon as the workers have nothing else to do, and after tellInterval in any case.
// The zero value is ready to use.
type tells struct {
	mu     sync.Mutex
	queue  turns.Queue[types.NamespacedName]
	turns  map[types.NamespacedName]chan struct{} // closed when the turn ends
	change chan struct{}
}

// add gives the object a turn when the time has come.
func (t *tells) add(key types.NamespacedName, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.insert(key, at)
}

// mustWait says whether a write that is due at a time must wait for the object's turn, and sees to it that the object gets one. A write at the
// time zero waits for nothing.
func (t *tells) mustWait(key types.NamespacedName, at, now time.Time) bool {
	if at.IsZero() || (t.hasTurn(key) && !at.After(now)) {
		return false
	}
	t.add(key, at)
	return true
}

// again is for a turn that came to nothing, as when a write failed: it gives the object another one in a while. Without it, the low priority
// would keep the object waiting for as long as others keep the workers busy.
func (t *tells) again(key types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.turns[key] != nil {
		t.insert(key, time.Now().Add(maxRetry))
	}
}

func (t *tells) insert(key types.NamespacedName, at time.Time) {
	t.init()
	t.queue.Set(key.Namespace, key, at)
	t.notify()
}

// begin removes the object, because it is being reconciled: add is called again if it still has something to tell. Call end when the
// reconcile is over: it ends the turn that the object has now. One that is given meanwhile is for the next reconcile.
func (t *tells) begin(key types.NamespacedName) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue.Remove(key)
	turn := t.turns[key]
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if turn != nil && t.turns[key] == turn {
			close(turn)
			delete(t.turns, key)
			t.notify()
		}
	}
}

// hasTurn says whether it is the object's turn to tell.
func (t *tells) hasTurn(key types.NamespacedName) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.turns[key] != nil
}

// run gives turns until ctx is done.
func (t *tells) run(ctx context.Context, enqueue func(types.NamespacedName, int)) {
	for ctx.Err() == nil {
		key, ended, wait := t.next(time.Now())
		if ended == nil {
			t.sleep(ctx, wait)
			continue
		}
		enqueue(key, priorityTells)
		select {
		case <-ctx.Done():
		case <-ended:
		case <-time.After(tellInterval):
			enqueue(key, priorityCredit)
		}
	}
}

// sleep returns after a while, or when something has changed; zero waits for a change alone.
func (t *tells) sleep(ctx context.Context, wait time.Duration) {
	var after <-chan time.Time
	if wait > 0 {
		after = time.After(wait)
	}
	select {
	case <-ctx.Done():
	case <-t.change:
	case <-after:
	}
}

// next begins the turn of an object that is due. Without one it returns a nil channel and the time until one is; zero means never.
func (t *tells) next(now time.Time) (key types.NamespacedName, ended <-chan struct{}, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.init()
	if len(t.turns) >= maxTellTurns {
		return key, nil, 0
	}
	key, wait, ok := t.queue.Next(now)
	if !ok {
		return key, nil, wait
	}
	t.queue.Remove(key)
	t.turns[key] = make(chan struct{})
	return key, t.turns[key], 0
}

func (t *tells) init() {
	if t.turns == nil {
		t.turns, t.change = map[types.NamespacedName]chan struct{}{}, make(chan struct{}, 1)
	}
}

func (t *tells) notify() {
	select {
	case t.change <- struct{}{}:
	default:
	}
}
