// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/credentials"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

// call is one call of the cloud, from its credit to its result.
type call struct {
	object      *cdbv1.ImportJobStop
	creds       importjob.Credentials
	fingerprint credentials.Fingerprint
	action      importjob.Action
	credit      *quota.Credit
	recordedAt  time.Time // just before the attempt of a stop was recorded; of another call, when it began
}

// maxAttemptAge is how long after recordedAt a call may still be sent. While a process is held up, somebody may start another one. A Lease
// tells a process of that; one that runs without a Lease has only this limit.
const maxAttemptAge = 10 * time.Second

// send records the attempt and then makes the call in a goroutine of its own, so that the call occupies no worker.
func (r *Reconciler) send(ctx context.Context, c *call) error {
	key := client.ObjectKeyFromObject(c.object)
	if !r.inFlight.begin(key) {
		c.credit.Cancel()
		return nil
	}
	sent := false
	defer func() { // also when the write of the attempt panics
		if !sent {
			c.credit.Cancel()
			r.inFlight.end(key)
		}
	}()
	c.recordedAt = time.Now()
	if c.action == importjob.ActionStop {
		required, err := r.requirePin(ctx, c.object)
		if err == nil && !required {
			err = r.recordAttempt(ctx, c.object)
		}
		if apierrors.IsConflict(err) {
			c.credit.Keep() // the object is read again at once, and must not go to the end of the queue
		}
		if err != nil || required {
			return err
		}
	}
	r.Waited(c.action, c.credit.Waited)
	c.object = c.object.DeepCopy()
	sent = true
	go func() {
		defer func() {
			if missed := r.inFlight.end(key); missed || c.action == importjob.ActionList { // there is more to read, or to do
				r.enqueue(key, priorityCredit)
			}
		}()
		defer r.recoverPanic(ctx, nil)
		r.makeCall(context.WithoutCancel(ctx), c) // a shutdown waits for it
	}()
	return nil
}

// makeCall makes the one request, and puts its result into status. After a page that is not the last there is nothing to put there.
func (r *Reconciler) makeCall(ctx context.Context, c *call) {
	defer c.credit.Done(false) // also after a panic; only the first Done counts
	object := c.object
	result := lifecycle.NewResult(object, c.action, rand.Float64()) //nolint:gosec // jitter is no secret
	c.credit.Wait()
	r.callCloud(ctx, c, result)
	result.At = time.Now()
	refused := result.Err != nil && result.Err.Class == importjob.Throttled
	c.credit.Done(refused)
	hasMore := c.action == importjob.ActionList && result.Err == nil && result.Found == nil
	if !hasMore {
		r.credentials.Forget(client.ObjectKeyFromObject(object))
	}
	r.reportCredentials(ctx, c, result)
	if hasMore {
		return // the next page is read before there is something to record
	}
	log := logr.FromContextOrDiscard(ctx).WithValues("region", object.Spec.Region, "asyncRequestId", object.Spec.AsyncRequestID, "action", c.action)
	if err := result.Err; err != nil {
		log.Info("cloud call failed", "errorCode", err.Code, "class", err.Class, "requestId", err.RequestID, "message", err.Message)
	} else {
		log.Info("cloud call succeeded", "requestId", result.RequestID, "importStatus", result.Status)
	}
	created := object.CreationTimestamp.Time
	r.recordResult(logr.NewContext(ctx, log), object, result)
	if result.Err == nil && c.action == importjob.ActionStop {
		r.Accepted(result.At.Sub(created))
	}
}

// callCloud makes the request, unless it is late enough for another process to lead, and fills in the result.
func (r *Reconciler) callCloud(ctx context.Context, c *call, result *lifecycle.Result) {
	if age := AgeOf(c.recordedAt, time.Now()); age > maxAttemptAge || !r.leads() {
		result.Err = &importjob.Error{
			Class: importjob.Transient, Code: "ClientError.NotSent",
			Message: fmt.Sprintf("nothing was sent: the operator was delayed for %s before the call, and another process may lead", age.Round(time.Second)),
		}
		return
	}
	defer r.recoverPanic(ctx, func() {
		result.Err = &importjob.Error{
			Class: importjob.Transient, Code: "ClientError.Panic", OutcomeUnknown: true,
			Message: "the operator had an internal error during the call; its log has the stack trace",
		}
	})
	var err error
	target := lifecycle.Target(c.object)
	switch c.action {
	case importjob.ActionStop:
		result.RequestID, err = r.Cloud.Stop(ctx, c.creds, target)
	case importjob.ActionList:
		err = r.list(ctx, c, result)
	default:
		result.Status, err = r.Cloud.Describe(ctx, c.creds, target)
	}
	if err != nil {
		result.Err = errorOf(err)
	}
}

// errorOf returns the error of a call as an *importjob.Error. An error of another type may pass, and its outcome is unknown.
func errorOf(err error) *importjob.Error {
	if failure, ok := errors.AsType[*importjob.Error](err); ok {
		return failure
	}
	return &importjob.Error{Class: importjob.Transient, Code: "ClientError.Unknown", Message: "the call failed", OutcomeUnknown: true}
}

// AgeOf returns the time from start to now by the monotonic clock or by the wall clock, whichever is longer. The monotonic clock stands still
// while a machine sleeps; the wall clock can be set back.
func AgeOf(start, now time.Time) time.Duration {
	return max(now.Sub(start), now.Round(0).Sub(start.Round(0)))
}

// reportCredentials lets the other objects of the Secret know whether the cloud accepted its content. A passing error proves neither.
func (r *Reconciler) reportCredentials(ctx context.Context, c *call, result *lifecycle.Result) {
	defer r.recoverPanic(ctx, nil) // the result is not recorded yet
	rejected := false
	if err := result.Err; err != nil {
		if err.Class == importjob.Throttled || err.Class == importjob.Transient {
			return
		}
		rejected = err.Class == importjob.Rejected
	}
	if rejected { // what failed is known now: a change that comes before the first poll counts
		r.credentials.Subscribe(secretOf(c.object), client.ObjectKeyFromObject(c.object), credentials.Subscription{Seen: c.fingerprint})
	}
	r.credentials.Report(scopeOf(c.object, c.action), c.fingerprint, rejected, result.At, lifecycle.CredentialsRetry)
}

// inFlight are the calls whose result is not recorded yet, at most one for each object. Credits bound their number. The zero value is
// ready to use.
type inFlight struct {
	mu     sync.Mutex
	missed map[types.NamespacedName]bool // true when the object was enqueued meanwhile
	ended  bool
	group  sync.WaitGroup
}

// begin adds a call before its attempt is recorded. It returns false while the process shuts down.
func (f *inFlight) begin(key types.NamespacedName) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return false
	}
	if f.missed == nil {
		f.missed = map[types.NamespacedName]bool{}
	}
	f.missed[key] = false
	f.group.Add(1)
	return true
}

// end removes the call. It returns true if the object was enqueued meanwhile, and so must be enqueued again.
func (f *inFlight) end(key types.NamespacedName) (missed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	missed = f.missed[key]
	delete(f.missed, key)
	f.group.Done()
	return missed
}

// skip returns true if a call of the object is in flight, and remembers that the object was enqueued meanwhile.
func (f *inFlight) skip(key types.NamespacedName) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, found := f.missed[key]
	if found {
		f.missed[key] = true
	}
	return found
}

// drain lets no new call begin and returns when each result is in status, or its write was given up.
func (f *inFlight) drain() {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	f.group.Wait()
}
