// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// unusable is a Secret that is missing or that cannot serve as credentials. Its text tells what would be right, and nothing of the values.
type unusable struct{ text string }

func (e *unusable) Error() string { return e.text }

// credentials reads the Secret of the object; objects that ask for one at the same time share a read.
// An *unusable error waits for the Secret to change; any other may pass.
func (r *Reconciler) credentials(ctx context.Context, object *cdbv1.ImportJobStop) (importjob.Credentials, error) {
	name := types.NamespacedName{Namespace: object.Namespace, Name: object.Spec.CredentialsSecretRef.Name}
	read, err, _ := r.reads.Do(name.String(), func() (any, error) {
		secret := &corev1.Secret{}
		err := r.Live.Get(ctx, name, secret)
		if apierrors.IsNotFound(err) {
			return nil, &unusable{fmt.Sprintf("Secret %q does not exist in namespace %q; create it with the keys secretId and secretKey", name.Name, name.Namespace)}
		} else if err != nil {
			return nil, err
		}
		return parseCredentials(name.Name, secret.Data)
	})
	creds, _ := read.(importjob.Credentials)
	return creds, err
}

// maxCredential is the longest value, in bytes, that is taken for a part of credentials.
const maxCredential = 8 << 10

// parseCredentials reads the keys of a Secret, by our names or by those of the vendor's tools.
func parseCredentials(name string, data map[string][]byte) (c importjob.Credentials, err error) {
	for _, field := range []struct {
		value    *string
		keys     [2]string
		optional bool
	}{
		{&c.SecretID, [2]string{"secretId", "TENCENTCLOUD_SECRET_ID"}, false},
		{&c.SecretKey, [2]string{"secretKey", "TENCENTCLOUD_SECRET_KEY"}, false},
		{&c.Token, [2]string{"token", "TENCENTCLOUD_SECURITY_TOKEN"}, true},
	} {
		for _, key := range field.keys {
			if *field.value == "" {
				*field.value = strings.TrimSpace(string(data[key]))
			}
		}
		switch {
		case *field.value == "" && !field.optional:
			return importjob.Credentials{}, &unusable{fmt.Sprintf("Secret %q has no value for the key %s (or %s); add it", name, field.keys[0], field.keys[1])}
		case !isToken(*field.value):
			return importjob.Credentials{}, &unusable{fmt.Sprintf("Secret %q: the value of %s must be one line of printable ASCII without blanks, at most 8 KiB; copy it again", name, field.keys[0])}
		}
	}
	return c, nil
}

func isToken(s string) bool {
	return len(s) <= maxCredential && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

func ignoreUnusable(err error) error {
	if _, ok := errors.AsType[*unusable](err); ok {
		return nil
	}
	return err
}

// withoutCredentials tells what is wrong with the Secret and waits for it to change.
func (r *Reconciler) withoutCredentials(ctx context.Context, object *cdbv1.ImportJobStop, err error) (ctrl.Result, error) {
	r.leave(object)
	if ignoreUnusable(err) != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.write(ctx, object, credentialsNotFound(err.Error()))
}
