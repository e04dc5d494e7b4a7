// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// Create retries: the API server may be the one that fails.
func (f *fixture) Create(o client.Object) {
	f.Helper()
	f.Eventually("creating "+o.GetName(), func() (bool, error) {
		err := env.Client.Create(f.Context(), o)
		return err == nil || apierrors.IsAlreadyExists(err), err
	})
}

// StopImport creates the import and the object that stops it.
func (f *fixture) StopImport(name string, edit ...func(*cdbv1.ImportJobStop)) {
	f.Helper()
	f.SetImport(name, cdbsim.Import{})
	f.Create(f.Object(name, edit...))
}

// many are objects name-0 to name-(n-1).
func (f *fixture) many(name string, n int) {
	f.Helper()
	for i := range n {
		f.StopImport(fmt.Sprintf("%s-%d", name, i))
	}
}

// crowd is n objects over some accounts, which take their time.
func (f *fixture) crowd(n, accounts int, edit ...func(*cdbv1.ImportJobStop)) {
	f.Helper()
	f.Patience = 10 * time.Minute
	for a := range accounts {
		f.Account(fmt.Sprint("acc-", a))
	}
	for i := range n {
		f.StopImport(fmt.Sprint("o-", i), append(edit, harness.UsesSecret(fmt.Sprint("acc-", i%accounts)))...)
	}
}

// Update edits an object, again and again.
func (f *fixture) Update(name string, edit func(*cdbv1.ImportJobStop)) {
	f.Helper()
	if f.tryUpdate(name, edit) {
		f.Errorf("the edit of %s was refused", name)
	}
}

// tryUpdate edits an object, and says whether the API server refused that as invalid: an object that is a record keeps its target.
func (f *fixture) tryUpdate(name string, edit func(*cdbv1.ImportJobStop)) (refused bool) {
	f.Helper()
	f.Eventually("updating "+name, func() (bool, error) {
		o, err := f.Tenant.Get(f.Context(), name)
		if err != nil {
			return false, err
		}
		edit(o)
		err = env.Client.Update(f.Context(), o)
		refused = apierrors.IsInvalid(err)
		return err == nil || refused, err
	})
	return refused
}

// writeStatus writes a status as a person or a backup tool does, and tells the oracle so.
func (f *fixture) writeStatus(name string, edit func(*cdbv1.ImportJobStop)) {
	f.Helper()
	f.Eventually("writing the status of "+name, func() (bool, error) {
		o, err := f.Tenant.Get(f.Context(), name)
		if err != nil {
			return false, err
		}
		edit(o)
		if err := env.Client.Status().Update(f.Context(), o); err != nil {
			return false, err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.byHand[o.UID] = append(f.byHand[o.UID], o.Status)
		return true, nil
	})
	f.inject("status by hand", 1)
}

func (f *fixture) delete(o client.Object) {
	f.Helper()
	o.SetNamespace(f.Namespace)
	if err := env.Client.Delete(f.Context(), o); client.IgnoreNotFound(err) != nil {
		f.Fatal(err)
	}
}
