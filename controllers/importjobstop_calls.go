// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

// calls are those that are out, one at most for a name. They hold no worker, so that a cloud that hangs holds up nobody else;
// credits bound them. The zero value is ready.
type calls struct {
	mu    sync.Mutex
	out   map[types.NamespacedName]bool // true when somebody has asked meanwhile
	ended bool
	group sync.WaitGroup
}

// begin reserves the name, before anything is written down; false when the process is about to end.
func (c *calls) begin(key types.NamespacedName) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	if c.out == nil {
		c.out = map[types.NamespacedName]bool{}
	}
	c.out[key] = false
	c.group.Add(1)
	return true
}

// end says whether the object was asked for while its call was out, and so has to be looked at again.
func (c *calls) end(key types.NamespacedName) (missed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	missed = c.out[key]
	delete(c.out, key)
	c.group.Done()
	return missed
}

func (c *calls) isOut(key types.NamespacedName) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, out := c.out[key]
	if out {
		c.out[key] = true
	}
	return out
}

// drain lets no new call begin, and returns when every answer is in status or was tried to be written.
func (c *calls) drain() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.group.Wait()
}

// maxIntentAge is how old a written attempt may be when its call is sent. A process that was held up for longer may no longer
// be the leader; a lease is 15 s, so that nobody else has taken over by then.
const maxIntentAge = 10 * time.Second

// call makes the one request, and lives until its answer is in status.
func (r *Reconciler) call(ctx context.Context, object *cdbv1.ImportJobStop, creds importjob.Credentials, action importjob.Action, credit *quota.Credit, claimedAt time.Time) {
	a := &answer{
		action: action, generation: object.Generation,
		attempt: object.Status.Attempts, started: object.Status.LastAttempt.StartTime, jitter: rand.Float64(), //nolint:gosec // jitter is no secret
	}
	credit.Await()
	switch {
	case time.Since(claimedAt) > maxIntentAge:
		a.err = &importjob.Error{Class: importjob.Transient, Code: "ClientError.NotSent", Message: fmt.Sprintf("the operator was held up for more than %s before the call", maxIntentAge)}
	case action == importjob.ActionStop:
		a.requestID, a.err = r.Cloud.Stop(ctx, creds, target(object))
	default:
		a.status, a.err = r.Cloud.Describe(ctx, creds, target(object))
	}
	a.at = time.Now()
	fault := a.fault()
	credit.Done(fault != nil && fault.Class == importjob.Throttled)
	r.memory.refuse(object, fault != nil && fault.Class == importjob.Rejected, fingerprint(creds))
	log := logr.FromContextOrDiscard(ctx).WithValues("region", object.Status.Target.Region, "asyncRequestId", object.Status.Target.AsyncRequestID, "action", action)
	switch {
	case fault != nil:
		log.Info("the cloud did not do it", "errorCode", fault.Code, "class", fault.Class, "requestId", fault.RequestID, "message", fault.Message)
	default:
		log.Info("the cloud answered", "requestId", a.requestID, "importStatus", a.status)
		if action == importjob.ActionStop {
			r.Accepted(a.at.Sub(object.CreationTimestamp.Time))
		}
	}
	r.record(logr.NewContext(ctx, log), object, a)
}
