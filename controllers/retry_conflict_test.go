// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// refusing is a cloud that refuses the credentials while refuses is set.
type refusing struct {
	*cloud
	refuses bool
}

func (c *refusing) Stop(ctx context.Context, creds importjob.Credentials, target importjob.Target) (string, error) {
	id, err := c.cloud.Stop(ctx, creds, target)
	if c.refuses {
		return "", &importjob.Error{Class: importjob.Rejected, Code: "UnauthorizedOperation"}
	}
	return id, err
}

// The ten-minute try of refused credentials meets a conflict, as when somebody annotates the object: it is made all the same, and not
// ten minutes later.
func TestAConflictDoesNotCostTheTryOfRefusedCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		port := &refusing{cloud: h.cloud, refuses: true}
		h.Cloud = port
		_ = h.reconcile()
		h.want(cdbv1.ReasonCredentialsRejected, 1, 2)
		port.refuses = false
		time.Sleep(10*time.Minute + time.Second)
		h.fail(func(*cdbv1.ImportJobStop) error {
			h.fault = nil
			return apierrors.NewConflict(resource, "stop", errDown)
		})
		_ = h.reconcile()
		time.Sleep(conflictRetry)
		_ = h.reconcile()
		h.want(cdbv1.ReasonStopAccepted, 2, 4)
	})
}
