// SPDX-License-Identifier: Apache-2.0

package arena

import (
	"context"
	"strconv"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

// ours paces as the operator does. This is the only file that knows internal/quota.
type ours struct {
	limiter *quota.Limiter[int]
	usable  chan *quota.Credit // that may be used now
}

var budgetKey = quota.Key{Account: "a", Host: "h", Action: "x"}

// newOurs keeps as many ids in the queue of a budget as a client has jobs, until ctx ends.
func newOurs(ctx context.Context) pacer {
	o := &ours{limiter: quota.New[int](func(string) int { return vendorLimit }, 0), usable: make(chan *quota.Credit, backlog)}
	awake := make(chan int, backlog)
	o.limiter.Start(func(id int) { awake <- id })
	go o.keepQueueing(ctx, awake)
	return o
}

func (o *ours) keepQueueing(ctx context.Context, awake <-chan int) {
	for id := range backlog {
		o.join(ctx, id)
	}
	for {
		select {
		case id := <-awake:
			o.join(ctx, id)
		case <-ctx.Done():
			for id := range backlog {
				o.limiter.Leave(id)
			}
			return
		}
	}
}

// join hands on the credit that an id has in hand, if any, and lets the id join the queue.
func (o *ours) join(ctx context.Context, id int) {
	for {
		credit, _ := o.limiter.Acquire(budgetKey, id, quota.Rank{Created: time.Now(), Name: strconv.Itoa(id)})
		if credit == nil {
			return
		}
		go func() {
			credit.Wait()
			select {
			case o.usable <- credit:
			case <-ctx.Done():
				credit.Cancel()
			}
		}()
	}
}

func (o *ours) wait(ctx context.Context, _ *job) func(bool) time.Duration {
	select {
	case credit := <-o.usable:
		return func(refused bool) time.Duration {
			credit.Done(refused)
			return 0
		}
	case <-ctx.Done():
		return nil
	}
}
