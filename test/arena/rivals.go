// SPDX-License-Identifier: Apache-2.0

package arena

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"golang.org/x/time/rate"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/client-go/util/workqueue"
)

// rival is a way to pace calls. Its pacer lives until ctx ends.
type rival struct {
	name  string
	seeds uint64 // how often it plays each scenario for the tables; who hammers needs long, and does the same each time
	pacer func(ctx context.Context) pacer
}

// this is how the operator paces.
var this = rival{"this operator", 30, newOurs}

// rivals are in the order of the tables.
var rivals = []rival{
	this,
	{"x/time/rate 20/s, burst 20", 10, func(context.Context) pacer { return tokenBucket{rate.NewLimiter(vendorLimit, vendorLimit)} }},
	{"x/time/rate 20/s, burst 1", 10, func(context.Context) pacer { return tokenBucket{rate.NewLimiter(vendorLimit, 1)} }},
	{"AWS SDK, adaptive retry mode", 10, newAdaptive},
	{"client-go, token bucket and backoff", 10, newClientGo},
	{"failsafe-go, gradient limiter", 1, newGradient},
	{"naive, ten workers", 10, newNaive},
}

// sendsAgainAtOnce is what a pacer does that learns nothing from an answer.
func sendsAgainAtOnce(bool) time.Duration { return 0 }

// tokenBucket is golang.org/x/time/rate, as most programs limit their calls.
type tokenBucket struct{ *rate.Limiter }

func (b tokenBucket) wait(ctx context.Context, _ *job) func(bool) time.Duration {
	if b.Wait(ctx) != nil {
		return nil
	}
	return sendsAgainAtOnce
}

// adaptive is the adaptive retry mode of aws-sdk-go-v2 with its defaults: no limit until the first refusal, then a token bucket whose
// rate follows CUBIC, and three attempts with jittered backoff. An operation that fails for good is begun anew.
type adaptive struct{ *retry.AdaptiveMode }

// newAdaptive asks for a token each millisecond. The SDK itself would sleep until the token is there, for zero nanoseconds when only a
// rounding error is missing, and virtual time stands still then.
func newAdaptive(context.Context) pacer {
	return adaptive{retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) { o.FailOnNoAttemptTokens = true })}
}

// refusal is a code that the SDK knows as throttling.
var refusal error = &smithy.GenericAPIError{Code: "RequestLimitExceeded", Message: "refused"}

func (a adaptive) wait(ctx context.Context, j *job) func(bool) time.Duration {
	release, err := a.GetAttemptToken(ctx)
	for ; err != nil; release, err = a.GetAttemptToken(ctx) {
		time.Sleep(time.Millisecond)
		if ctx.Err() != nil {
			return nil
		}
	}
	return func(refused bool) time.Duration {
		if !refused {
			_ = release(nil)
			return 0
		}
		_ = release(refusal)
		attempt := 1 + j.refusals%a.MaxAttempts()
		if attempt == a.MaxAttempts() {
			return 0
		}
		if _, err := a.GetRetryToken(ctx, refusal); err != nil {
			return 0
		}
		delay, _ := a.RetryDelay(attempt, refusal)
		return delay
	}
}

// clientGo is how controllers pace: client-go's token bucket for all calls, and the exponential backoff of its work queues for each job.
type clientGo struct {
	bucket  flowcontrol.RateLimiter
	backoff workqueue.TypedRateLimiter[*job]
}

func newClientGo(context.Context) pacer {
	return clientGo{
		flowcontrol.NewTokenBucketRateLimiter(vendorLimit, vendorLimit),
		workqueue.NewTypedItemExponentialFailureRateLimiter[*job](5*time.Millisecond, 1000*time.Second),
	}
}

func (c clientGo) wait(ctx context.Context, j *job) func(bool) time.Duration {
	if c.bucket.Wait(ctx) != nil {
		return nil
	}
	return func(refused bool) time.Duration { return retryAfter(c.backoff, j, refused) }
}

func retryAfter(backoff workqueue.TypedRateLimiter[*job], j *job, refused bool) time.Duration {
	if refused {
		return backoff.When(j)
	}
	backoff.Forget(j)
	return 0
}

// naive is a controller with ten workers, no pacing, and the backoff of client-go's work queues for each job.
type naive struct {
	workers chan struct{}
	backoff workqueue.TypedRateLimiter[*job]
}

func newNaive(context.Context) pacer {
	return naive{make(chan struct{}, 10), workqueue.NewTypedItemExponentialFailureRateLimiter[*job](5*time.Millisecond, 1000*time.Second)}
}

func (n naive) wait(ctx context.Context, j *job) func(bool) time.Duration {
	select {
	case n.workers <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	return func(refused bool) time.Duration {
		<-n.workers
		return retryAfter(n.backoff, j, refused)
	}
}

// gradient is the adaptive limiter of failsafe-go: it limits how many calls are in flight, by how their latency changes, as TCP Vegas and
// Netflix's gradient limiters do. A refused call says nothing of latency and is dropped, as that package advises.
type gradient struct {
	adaptivelimiter.AdaptiveLimiter[any]
}

func newGradient(context.Context) pacer {
	return gradient{adaptivelimiter.NewWithDefaults[any]()}
}

func (g gradient) wait(ctx context.Context, _ *job) func(bool) time.Duration {
	permit, err := g.AcquirePermit(ctx)
	if err != nil {
		return nil
	}
	return func(refused bool) time.Duration {
		if refused {
			permit.Drop()
		} else {
			permit.Record()
		}
		return 0
	}
}
