// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/go-logr/logr"
	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/credentials"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/lifecycle"
)

// readSecret gets one Secret from the API server. There is no list, no watch and no cache of Secrets.
func (r *Reconciler) readSecret(ctx context.Context, name types.NamespacedName) (map[string][]byte, error) {
	secret := &corev1.Secret{}
	// With the logger of ctx, client-go would log the Secret from --zap-log-level=8 on, as it logs each body.
	err := r.APIReader.Get(logr.NewContext(ctx, logr.Discard()), name, secret)
	switch {
	case isGone(err, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}):
		return nil, &credentials.Unusable{Text: fmt.Sprintf("Secret %q does not exist in namespace %q; create it with the keys secretId and secretKey", name.Name, name.Namespace)}
	case apierrors.IsForbidden(err):
		return nil, &credentials.Unusable{Text: fmt.Sprintf("the operator is not allowed to read Secret %q in namespace %q; bind its Role there", name.Name, name.Namespace)}
	}
	return secret.Data, err
}

func secretOf(object *cdbv1.ImportJobStop) types.NamespacedName {
	return types.NamespacedName{Namespace: object.Namespace, Name: object.Spec.CredentialsSecretRef.Name}
}

// followCredentials lets credentials share the budgets of those that they replace in their Secret.
func (r *Reconciler) followCredentials(previous, next credentials.Fingerprint) {
	r.Quota.Follow(string(previous[:]), string(next[:]))
}

func scopeOf(object *cdbv1.ImportJobStop, action importjob.Action) credentials.Scope {
	target := lifecycle.Target(object)
	return credentials.Scope{Secret: secretOf(object), Region: target.Region, Site: target.Site, Action: action}
}

// subscribe has the object enqueued when its Secret changes, if it waits for one. A zero fingerprint: the content that failed is unknown.
func (r *Reconciler) subscribe(object *cdbv1.ImportJobStop, seen credentials.Fingerprint) {
	key := client.ObjectKeyFromObject(object)
	wait := lifecycle.SecretWaitOf(object)
	if wait == (lifecycle.SecretWait{}) {
		r.credentials.Forget(key)
		return
	}
	r.credentials.Subscribe(secretOf(object), key, credentials.Subscription{
		Seen: seen, Missing: wait.Missing, Urgent: wait.RetryRequested,
	})
}

// writeAndWait writes the change and subscribes the object to its Secret. It returns the time until the object must be reconciled again.
func (r *Reconciler) writeAndWait(ctx context.Context, object *cdbv1.ImportJobStop, change lifecycle.Change, seen credentials.Fingerprint, now time.Time) (time.Duration, error) {
	if err := r.write(ctx, object, change); err != nil {
		return 0, err
	}
	r.subscribe(object, seen)
	return lifecycle.RequeueAfter(object, now), nil
}

// keepWaiting handles an object whose Secret was missing and has not changed since.
func (r *Reconciler) keepWaiting(ctx context.Context, object *cdbv1.ImportJobStop, now time.Time) (time.Duration, error) {
	r.Quota.Leave(client.ObjectKeyFromObject(object))
	return r.writeAndWait(ctx, object, lifecycle.WaitForCredentials(now, ""), credentials.Fingerprint{}, now)
}

// unreadableGrace is how long reads of a Secret may fail before the objects that need it say so in their conditions.
const unreadableGrace = 10 * time.Second

// withoutCredentials writes what is wrong with the Secret into status and waits for it to change.
func (r *Reconciler) withoutCredentials(ctx context.Context, object *cdbv1.ImportJobStop, seen credentials.Fingerprint, err error) (time.Duration, error) {
	r.Quota.Leave(client.ObjectKeyFromObject(object))
	now := time.Now()
	bad, ok := errors.AsType[*credentials.Unusable](err)
	if unread, isUnread := errors.AsType[*credentials.Unreadable](err); isUnread && now.Sub(unread.Since) >= unreadableGrace {
		bad, ok = &credentials.Unusable{Text: fmt.Sprintf("Secret %q cannot be read since %s; the operator's log has what the API server says",
			secretOf(object).Name, unread.Since.UTC().Format(time.RFC3339))}, true
		logr.FromContextOrDiscard(ctx).Info("a Secret cannot be read", "error", unread.Error())
	}
	if !ok {
		return 0, err
	}
	key := client.ObjectKeyFromObject(object)
	if r.tells.mustWait(key, lifecycle.TellOfSecretAt(object, now), now) {
		r.credentials.Subscribe(secretOf(object), key, credentials.Subscription{Seen: seen, Missing: true})
		return lifecycle.RequeueAfter(object, now), nil
	}
	return r.writeAndWait(ctx, object, lifecycle.WaitForCredentials(now, bad.Text), seen, now)
}

// followRefusal lets the object wait for the next attempt: the cloud has just refused another object of the same Secret.
func (r *Reconciler) followRefusal(ctx context.Context, object *cdbv1.ImportJobStop, seen credentials.Fingerprint, next time.Time) (time.Duration, error) {
	r.Quota.Leave(client.ObjectKeyFromObject(object))
	now := time.Now()
	return r.writeAndWait(ctx, object, lifecycle.FollowRefusal(now, next), seen, now)
}
