// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// Region is where a tenant's imports run.
const Region = "ap-guangzhou"

// Tenant is a namespace with accounts and imports of its own, so that it shares no quota with others.
type Tenant struct {
	*Environment
	Namespace string
	Cloud     *cdbsim.Server // that of the environment, unless it has one of its own
	CloudURL  string
}

// NewTenant creates a namespace. A name that ends with a dash is made unique.
func (e *Environment) NewTenant(ctx context.Context, name string) (*Tenant, error) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if strings.HasSuffix(name, "-") {
		namespace.Name, namespace.GenerateName = "", name
	}
	err := e.Client.Create(ctx, namespace)
	return e.Tenant(namespace.Name), err
}

// Tenant returns the tenant of a namespace that exists.
func (e *Environment) Tenant(namespace string) *Tenant {
	return &Tenant{Environment: e, Namespace: namespace, Cloud: e.Cloud, CloudURL: e.CloudURL}
}

// Run starts an operator for this namespace and waits until it is ready. Later flags win over earlier ones.
func (t *Tenant) Run(ctx context.Context, flags ...string) (*Operator, error) {
	return t.Environment.Run(ctx, t.flags(flags)...)
}

// Launch starts an operator as Run does, and does not wait.
func (t *Tenant) Launch(flags ...string) (*Operator, error) {
	return t.Environment.Launch(t.flags(flags)...)
}

func (t *Tenant) flags(more []string) []string {
	return append([]string{"--namespaces=" + t.Namespace, "--endpoint=" + t.CloudURL}, more...)
}

// AccountOf returns the account that belongs to a Secret of the tenant. No other tenant has it. It is a sum, so that it has nothing in common
// with the ids of the tenant's imports: what the cloud tells is redacted where it has a part of a credential.
func (t *Tenant) AccountOf(secret string) cdbsim.Account {
	sum := fmt.Sprintf("%X", sha256.Sum256([]byte(t.Namespace+"/"+secret)))
	return cdbsim.Account{SecretID: "AKID" + sum[:24], SecretKey: "KEY-OF-" + sum[:24]}
}

// Secret returns a Secret with the credentials of an account, to be created.
func (t *Tenant) Secret(name string, a cdbsim.Account) *corev1.Secret {
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: name},
		StringData: map[string]string{"secretId": a.SecretID, "secretKey": a.SecretKey},
	}
	if a.Token != "" {
		s.StringData["token"] = a.Token
	}
	return s
}

// CreateAccount creates a Secret, and makes the cloud accept the account that belongs to it.
func (t *Tenant) CreateAccount(ctx context.Context, secret string) error {
	a := t.AccountOf(secret)
	t.Cloud.SetAccount(a)
	return t.Client.Create(ctx, t.Secret(secret, a))
}

// ImportID returns the id of the import that the object of this name stops.
func (t *Tenant) ImportID(name string) string { return t.Namespace + "-" + name }

// SetImport creates the import of this name, or changes it. Its status is RUNNING unless it is set.
func (t *Tenant) SetImport(name string, i cdbsim.Import) {
	i.Region, i.ID = Region, t.ImportID(name)
	if i.Status == "" {
		i.Status = "RUNNING"
	}
	t.Cloud.SetImport(i)
}

// Object returns an object that uses the Secret creds, to be edited and created.
func (t *Tenant) Object(name string, edit ...func(*cdbv1.ImportJobStop)) *cdbv1.ImportJobStop {
	o := &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: name},
		Spec:       cdbv1.ImportJobStopSpec{Region: Region, AsyncRequestID: t.ImportID(name), CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"}},
	}
	for _, e := range edit {
		e(o)
	}
	return o
}

// UsesSecret makes an object use the Secret of this name.
func UsesSecret(name string) func(*cdbv1.ImportJobStop) {
	return func(o *cdbv1.ImportJobStop) { o.Spec.CredentialsSecretRef.Name = name }
}

// StopImport creates a running import, and the object that stops it.
func (t *Tenant) StopImport(ctx context.Context, name string, edit ...func(*cdbv1.ImportJobStop)) error {
	t.SetImport(name, cdbsim.Import{})
	return t.Client.Create(ctx, t.Object(name, edit...))
}

// Key returns the key of an object.
func (t *Tenant) Key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: t.Namespace, Name: name}
}

// Get reads an object.
func (t *Tenant) Get(ctx context.Context, name string) (*cdbv1.ImportJobStop, error) {
	o := &cdbv1.ImportJobStop{}
	return o, t.Client.Get(ctx, t.Key(name), o)
}

// Update edits an object. It retries on conflict.
func (t *Tenant) Update(ctx context.Context, name string, edit func(*cdbv1.ImportJobStop)) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		o, err := t.Get(ctx, name)
		if err != nil {
			return err
		}
		edit(o)
		return t.Client.Update(ctx, o)
	})
}

// Until waits until an object is as it should be, and returns it.
func (t *Tenant) Until(ctx context.Context, name, what string, is func(*cdbv1.ImportJobStop) bool) (*cdbv1.ImportJobStop, error) {
	var o *cdbv1.ImportJobStop
	var last error
	err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		o, last = t.Get(ctx, name)
		return last == nil && is(o), nil
	})
	if err != nil {
		return o, fmt.Errorf("%s did not become %s: %w: %+v %+v", name, what, errors.Join(err, last), o.Spec, o.Status)
	}
	return o, nil
}

// CallLog returns the calls that the cloud saw for imports of the tenant, oldest first.
func (t *Tenant) CallLog() []cdbsim.Call {
	ours := t.ImportID("")
	return slices.DeleteFunc(t.Cloud.CallLog(), func(c cdbsim.Call) bool { return !strings.HasPrefix(c.AsyncRequestID, ours) })
}

// Stops returns the calls of StopDBImportJob: for the imports of these names, or for all.
func (t *Tenant) Stops(names ...string) []cdbsim.Call {
	return slices.DeleteFunc(t.CallLog(), func(c cdbsim.Call) bool {
		return c.Action != "StopDBImportJob" || len(names) > 0 && !slices.Contains(names, strings.TrimPrefix(c.AsyncRequestID, t.ImportID("")))
	})
}

// Pause waits, unless the context ends before.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
