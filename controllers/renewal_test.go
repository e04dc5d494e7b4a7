// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/credentials"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/quota"
)

// A renewed token may keep the SecretId. It brings no credits beside those in use, and the object keeps its turn.
func TestARenewedTokenSharesTheBudgetOfTheOldOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t)
		credits := h.rivals()
		_ = h.reconcile()
		since := h.since()
		key := h.budget()
		for _, token := range []string{"one", "two", "three"} {
			time.Sleep(1100 * time.Millisecond) // what was read of the Secret is kept no longer
			secret := &corev1.Secret{}
			if err := h.server.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "creds"}, secret); err != nil {
				t.Fatal(err)
			}
			secret.Data["token"] = []byte(token)
			if err := h.server.Update(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
			_ = h.reconcile()
			account := credentials.FingerprintOf(importjob.Credentials{SecretID: "id", SecretKey: "key", Token: token})
			key.Account = string(account[:])
			credit, _ := h.Quota.Acquire(key, types.NamespacedName{Name: token}, quota.Rank{Owner: "z"})
			if credit != nil {
				t.Errorf("token %s: a credit beside the %d in use", token, len(credits))
			}
		}
		if credit, wait := h.Quota.Acquire(key, client.ObjectKeyFromObject(request()), quota.Rank{}); credit != nil || !wait.Since.Equal(since) {
			t.Errorf("the object waits since %s, it joined at %s", wait.Since, since)
		}
	})
}
