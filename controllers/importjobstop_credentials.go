// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// unusable is a Secret that is missing or that cannot serve as credentials. Its text tells what would be right, and nothing of the values.
type unusable struct {
	text  string
	cause error // when the Secret could not be read: that may pass unseen
}

func (e *unusable) Error() string { return e.text }

// credentialsKept is how long credentials serve after they were read, in a burst; a change of the Secret ends it at once.
const credentialsKept = time.Second

// secrets are the credentials that were read within the last second. The zero value is empty and ready.
type secrets struct {
	reads   singleflight.Group
	mu      sync.Mutex
	kept    map[types.NamespacedName]keptCredentials
	changes int // of any Secret
}

type keptCredentials struct {
	importjob.Credentials
	until time.Time
}

// get returns what was read within the last second, or reads; those who ask for one Secret at the same time share a read.
func (s *secrets) get(name types.NamespacedName, read func() (importjob.Credentials, error)) (importjob.Credentials, error) {
	s.mu.Lock()
	kept, changes := s.kept[name], s.changes
	s.mu.Unlock()
	if time.Now().Before(kept.until) {
		return kept.Credentials, nil
	}
	got, err, _ := s.reads.Do(fmt.Sprint(name, changes), func() (any, error) { return read() })
	creds, _ := got.(importjob.Credentials)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && s.changes == changes {
		now := time.Now()
		maps.DeleteFunc(s.kept, func(_ types.NamespacedName, k keptCredentials) bool { return now.After(k.until) })
		if s.kept == nil {
			s.kept = map[types.NamespacedName]keptCredentials{}
		}
		s.kept[name] = keptCredentials{creds, now.Add(credentialsKept)}
	}
	return creds, err
}

// changed forgets a Secret that has changed, and lets no read that began before be kept.
func (s *secrets) changed(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	delete(s.kept, name)
}

// credentials reads the Secret of the object. An *unusable error waits for the Secret to change; any other may pass.
func (r *Reconciler) credentials(ctx context.Context, object *cdbv1.ImportJobStop) (importjob.Credentials, error) {
	name := types.NamespacedName{Namespace: object.Namespace, Name: object.Spec.CredentialsSecretRef.Name}
	return r.secrets.get(name, func() (importjob.Credentials, error) {
		secret := &corev1.Secret{}
		err := r.Live.Get(ctx, name, secret)
		switch {
		case apierrors.IsNotFound(err):
			err = &unusable{text: fmt.Sprintf("Secret %q does not exist in namespace %q; create it with the keys secretId and secretKey", name.Name, name.Namespace)}
		case apierrors.IsForbidden(err):
			err = &unusable{text: fmt.Sprintf("the operator may not read Secret %q in namespace %q; bind its Role there", name.Name, name.Namespace), cause: err}
		}
		if err != nil {
			return importjob.Credentials{}, err
		}
		return parseCredentials(name.Name, secret.Data)
	})
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
			return importjob.Credentials{}, &unusable{text: fmt.Sprintf("Secret %q has no value for the key %s (or %s); add it", name, field.keys[0], field.keys[1])}
		case !isToken(*field.value):
			return importjob.Credentials{}, &unusable{text: fmt.Sprintf("Secret %q: the value of %s must be one line of printable ASCII without blanks, at most 8 KiB; copy it again", name, field.keys[0])}
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
func (r *Reconciler) withoutCredentials(ctx context.Context, object *cdbv1.ImportJobStop, err error) error {
	bad, ok := errors.AsType[*unusable](err)
	if !ok {
		return err
	}
	r.leave(object)
	return errors.Join(r.write(ctx, object, credentialsNotFound(bad.text)), bad.cause)
}

// reviseCredentials tries at once when the credentials that the cloud refused have changed since.
func (r *Reconciler) reviseCredentials(ctx context.Context, object *cdbv1.ImportJobStop) error {
	if readyReason(object) != cdbv1.ReasonCredentialsRejected {
		return nil
	}
	creds, err := r.credentials(ctx, object)
	if err != nil || r.memory.isRefused(object, fingerprint(creds)) {
		return ignoreUnusable(err)
	}
	return r.write(ctx, object, retryNow)
}
