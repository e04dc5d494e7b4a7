// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// TB is what a Fixture needs of testing.TB. The programs that use this package do not link testing.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Failed() bool
	Log(args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Fixture is a tenant in a test. An error ends the test.
type Fixture struct {
	TB
	*Tenant
	Patience time.Duration // how long to wait for anything
	Operator *Operator     // the newest, or nil
}

// NewFixture creates a tenant, as NewTenant does.
func NewFixture(t TB, e *Environment, name string) *Fixture {
	t.Helper()
	n, err := e.NewTenant(t.Context(), name)
	f := In(t, n)
	f.Must(err)
	return f
}

// In returns a fixture of a tenant that exists, for a test or a subtest.
func In(t TB, n *Tenant) *Fixture {
	return &Fixture{TB: t, Tenant: n, Patience: 60 * time.Second}
}

// Must ends the test on an error.
func (f *Fixture) Must(err error) {
	f.Helper()
	Must(f, err)
}

// Must ends the test on an error.
func Must(t TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// MustKubectl returns what kubectl prints. The test ends when kubectl fails.
func (e *Environment) MustKubectl(t TB, args ...string) string {
	t.Helper()
	output, err := e.Kubectl(t.Context(), nil, args...)
	Must(t, err)
	return output
}

// OwnCloud gives the tenant a cloud that no other tenant uses. The operator reaches it through the handler that wrap returns.
func (f *Fixture) OwnCloud(wrap func(http.Handler) http.Handler) {
	f.Cloud = cdbsim.New()
	server := httptest.NewServer(wrap(f.Cloud))
	f.CloudURL = server.URL
	f.Cleanup(func() { server.CloseClientConnections(); server.Close() })
}

// Start runs an operator until the test ends.
func (f *Fixture) Start(flags ...string) *Operator {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), f.Patience)
	defer cancel()
	o, err := f.Run(ctx, flags...)
	f.Adopt(o)
	f.Must(err)
	return o
}

// Adopt kills an operator when the test ends. If the test has failed, it prints the end of the newest operator's log. If an operator that was
// built with -race reports a race, the test fails.
func (f *Fixture) Adopt(o *Operator) {
	if o == nil {
		return
	}
	f.Operator = o
	f.Cleanup(func() {
		o.Kill()
		log := o.Log()
		if f.Failed() && f.Operator == o {
			f.Log(log[max(0, len(log)-20_000):])
		}
		if _, race, found := strings.Cut(log, "WARNING: DATA RACE"); found {
			f.Fatal("a data race:", race[:min(len(race), 5_000)])
		}
	})
}

// Create creates objects.
func (f *Fixture) Create(objects ...client.Object) {
	f.Helper()
	for _, o := range objects {
		f.Must(f.Client.Create(f.Context(), o))
	}
}

// Account creates a Secret and its account.
func (f *Fixture) Account(secret string) {
	f.Helper()
	f.Must(f.CreateAccount(f.Context(), secret))
}

// StopImport creates a running import, and the object that stops it.
func (f *Fixture) StopImport(name string, edit ...func(*cdbv1.ImportJobStop)) {
	f.Helper()
	f.Must(f.Tenant.StopImport(f.Context(), name, edit...))
}

// Get reads an object.
func (f *Fixture) Get(name string) *cdbv1.ImportJobStop {
	f.Helper()
	o, err := f.Tenant.Get(f.Context(), name)
	f.Must(err)
	return o
}

// Update edits an object.
func (f *Fixture) Update(name string, edit func(*cdbv1.ImportJobStop)) {
	f.Helper()
	f.Must(f.Tenant.Update(f.Context(), name, edit))
}

// Until waits until an object is as it should be.
func (f *Fixture) Until(name, what string, is func(*cdbv1.ImportJobStop) bool) *cdbv1.ImportJobStop {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), f.Patience)
	defer cancel()
	o, err := f.Tenant.Until(ctx, name, what, is)
	f.Must(err)
	return o
}

// UntilReason waits until Ready has a reason, for the newest spec.
func (f *Fixture) UntilReason(name, reason string) *cdbv1.ImportJobStop {
	f.Helper()
	return f.Until(name, reason, func(o *cdbv1.ImportJobStop) bool { return HasReason(o, reason) })
}

// Eventually waits until something is so.
func (f *Fixture) Eventually(what string, is func() (bool, error)) {
	f.Helper()
	var last error
	err := wait.PollUntilContextTimeout(f.Context(), 20*time.Millisecond, f.Patience, true, func(context.Context) (done bool, _ error) {
		done, last = is()
		return done, nil
	})
	if err != nil {
		f.Fatalf("%s: not within %s (%v)", what, f.Patience, last)
	}
}
