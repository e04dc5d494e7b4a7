// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// targets remembers what was stopped.
type targets struct {
	*cloud
	stopped []string
}

func (c *targets) Stop(ctx context.Context, creds importjob.Credentials, target importjob.Target) (string, error) {
	c.stopped = append(c.stopped, target.AsyncRequestID)
	return c.cloud.Stop(ctx, creds, target)
}

// Something answers the write of the attempt, or of the answer, with another object: no other import is stopped, and none twice.
func TestAnAnswerOfAnotherObjectIsNotTakenForOurs(t *testing.T) {
	t.Parallel()
	for wrong, stops := range map[int]int{1: 1, 2: 1} {
		synctest.Test(t, func(t *testing.T) {
			h := newHostile(t)
			seen := &targets{cloud: h.cloud}
			h.Cloud = seen
			writes := 0
			h.Client = interceptor.NewClient(h.server, interceptor.Funcs{
				SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, options ...client.SubResourceUpdateOption) error {
					err := c.SubResource(sub).Update(ctx, o, options...)
					if writes++; writes == wrong {
						object, _ := o.(*cdbv1.ImportJobStop)
						object.Name, object.UID, object.Spec.AsyncRequestID = "other", "7", "x-y"
					}
					return err
				},
			})
			_ = h.reconcile()
			time.Sleep(time.Minute)
			h.settle()
			if got := h.get().Status; got.RequestID != "r-1" {
				t.Errorf("write %d: status %+v", wrong, got)
			}
			if len(seen.stopped) != stops || seen.stopped[0] != "a-b" {
				t.Errorf("write %d: stopped %v", wrong, seen.stopped)
			}
		})
	}
}
