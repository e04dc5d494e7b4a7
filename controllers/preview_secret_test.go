// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
)

// withSecret sets the Secret of the object; nil deletes it.
func (h *hostile) withSecret(data map[string][]byte) {
	h.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "creds"}}
	if err := client.IgnoreNotFound(h.server.Delete(h.Context(), secret)); err != nil {
		h.Fatal(err)
	}
	if data == nil {
		return
	}
	secret.Data = data
	if err := h.server.Create(h.Context(), secret); err != nil {
		h.Fatal(err)
	}
}

// pollSecrets lets the polls of Secrets wake the object, and counts the reads of Secrets.
func (h *hostile) pollSecrets() (reads *atomic.Int64) {
	reads = &atomic.Int64{}
	h.failLive(func(o client.Object) error {
		if _, ok := o.(*corev1.Secret); ok {
			reads.Add(1)
		}
		return nil
	})
	wake := func(types.NamespacedName) { _ = h.reconcileNamed(client.ObjectKeyFromObject(request())) }
	h.giveTurns()
	go h.credentials.Run(h.Context(), wake)
	return reads
}

// A preview waits for its Secret as everything else does: thousands of them with Secrets that never come load nobody.
func TestAPreviewWaitsForItsSecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newLookupFixture(t)
		h.withSecret(nil)
		h.put(func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true; o.Generation++ })
		reads := h.pollSecrets()
		h.settle()
		time.Sleep(9 * time.Minute)
		h.want(cdbv1.ReasonSuspended, 0, 2)
		if reads.Load() > 40 {
			t.Errorf("the Secret was read %d times in ten minutes, want one in 5 to 30 seconds", reads.Load())
		}
		h.withSecret(map[string][]byte{"secretId": []byte("id"), "secretKey": []byte("key")})
		before := reads.Load()
		time.Sleep(35 * time.Second)
		h.want(cdbv1.ReasonSuspended, 0, 3)
		if status := h.get().Status; status.Import == nil || status.WaitingSince != nil {
			t.Errorf("35 seconds after its Secret came, the preview says %s", messageOf(h.get()))
		}
		if reads.Load() > before+4 {
			t.Errorf("the Secret was read %d times for one lookup", reads.Load()-before)
		}
	})
}

// A preview whose Secret the cloud refuses goes on when the Secret changes.
func TestAPreviewGoesOnWhenItsRefusedSecretChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newLookupFixture(t)
		h.cloud.refuses = "old"
		h.withSecret(map[string][]byte{"secretId": []byte("old"), "secretKey": []byte("key")})
		h.put(func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true; o.Generation++ })
		h.pollSecrets()
		h.settle()
		if text := messageOf(h.get()); !strings.Contains(text, "cannot be listed") {
			t.Fatalf("the preview says %s", text)
		}
		h.withSecret(map[string][]byte{"secretId": []byte("new"), "secretKey": []byte("key")})
		h.settle()
		if status := h.get().Status; status.Import == nil {
			t.Errorf("the preview says %s", messageOf(h.get()))
		}
	})
}

func messageOf(o *cdbv1.ImportJobStop) string {
	for _, c := range o.Status.Conditions {
		if c.Type == cdbv1.ConditionReady {
			return lifecycle.ReadyReason(o) + ": " + c.Message
		}
	}
	return ""
}
