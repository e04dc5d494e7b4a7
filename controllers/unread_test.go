// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// A Secret cannot be read for an hour, as when its encryption key is lost: the object says so, and the API server is not asked all the time.
func TestASecretThatCannotBeReadIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		reads := 0
		h.failLive(func(o client.Object) error {
			if _, ok := o.(*corev1.Secret); ok {
				reads++
				return apierrors.NewInternalError(errDown)
			}
			return nil
		})
		h.put(func(o *cdbv1.ImportJobStop) { o.Spec.ActiveDeadlineSeconds = new(int32(60)) })
		h.giveTurns()
		for range 400 {
			_ = h.reconcile()
			time.Sleep(10 * time.Second)
		}
		h.want(cdbv1.ReasonDeadlineExceeded, 0, 2)
		t.Log(reads)
	})
}
