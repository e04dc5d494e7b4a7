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
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// call makes the one request, keeps its answer in memory until it is in status, and writes it there.
func (r *Reconciler) call(ctx context.Context, object *cdbv1.ImportJobStop, creds importjob.Credentials, action importjob.Action, credit *quota.Credit, claimedAt time.Time) (recorded bool) {
	ctx = context.WithoutCancel(ctx) // a shutdown waits for it
	result := answer{
		action: action, key: client.ObjectKeyFromObject(object), target: *object.Status.Target,
		generation: object.Generation, attempt: object.Status.Attempts, started: object.Status.LastAttempt.StartTime, jitter: rand.Float64(), //nolint:gosec // jitter is no secret
	}
	credit.Await()
	switch {
	case time.Since(claimedAt) > maxIntentAge:
		credit.Cancel()
		result.err = &importjob.Fault{Class: importjob.Transient, Code: "ClientError.NotSent", Message: fmt.Sprintf("the operator was held up for more than %s before the call", maxIntentAge)}
	case action == importjob.ActionStop:
		result.requestID, result.err = r.Cloud.Stop(ctx, creds, target(object))
	default:
		result.status, result.err = r.Cloud.Describe(ctx, creds, target(object))
	}
	result.at = time.Now()
	fault := result.fault()
	credit.Done(fault != nil && fault.Class == importjob.Throttled)
	if fault != nil && fault.Class == importjob.Rejected {
		result.refused = fingerprint(creds)
	}
	r.memory.keep(object, result)
	log := logr.FromContextOrDiscard(ctx).WithValues("region", result.target.Region, "asyncRequestId", result.target.AsyncRequestID, "action", action)
	if fault != nil {
		log.Info("the cloud did not do it", "errorCode", fault.Code, "class", fault.Class, "requestId", fault.RequestID, "message", fault.Message)
	} else {
		log.Info("the cloud answered", "requestId", result.requestID, "importStatus", result.status)
	}
	if fault == nil && action == importjob.ActionStop {
		r.Accepted(result.at.Sub(object.CreationTimestamp.Time))
	}
	if _, err := r.record(ctx, object); err != nil {
		log.Info("the answer is not in status yet, trying again", "reason", err.Error())
		return false
	}
	return true
}
