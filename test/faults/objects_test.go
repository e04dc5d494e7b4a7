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
func (w *fixture) Create(o client.Object) {
	w.Helper()
	w.Eventually("creating "+o.GetName(), func() (bool, error) {
		err := env.Client.Create(w.Context(), o)
		return err == nil || apierrors.IsAlreadyExists(err), err
	})
}

// Stop creates the import and the object that stops it.
func (w *fixture) Stop(name string, edit ...func(*cdbv1.ImportJobStop)) {
	w.Helper()
	w.SetImport(name, cdbsim.Import{})
	w.Create(w.Object(name, edit...))
}

// many are objects name-0 to name-(n-1).
func (w *fixture) many(name string, n int) {
	w.Helper()
	for i := range n {
		w.Stop(fmt.Sprintf("%s-%d", name, i))
	}
}

// crowd is n objects over some accounts, which take their time.
func (w *fixture) crowd(n, accounts int, edit ...func(*cdbv1.ImportJobStop)) {
	w.Helper()
	w.Patience = 10 * time.Minute
	for a := range accounts {
		w.Account(fmt.Sprint("acc-", a))
	}
	for i := range n {
		w.Stop(fmt.Sprint("o-", i), append(edit, harness.UsesSecret(fmt.Sprint("acc-", i%accounts)))...)
	}
}

// Update edits an object, again and again.
func (w *fixture) Update(name string, edit func(*cdbv1.ImportJobStop)) {
	w.Helper()
	if w.tryUpdate(name, edit) {
		w.Errorf("the edit of %s was refused", name)
	}
}

// tryUpdate edits an object, and says whether the API server refused that as invalid: an object that is a record keeps its target.
func (w *fixture) tryUpdate(name string, edit func(*cdbv1.ImportJobStop)) (refused bool) {
	w.Helper()
	w.Eventually("updating "+name, func() (bool, error) {
		o, err := w.Tenant.Get(w.Context(), name)
		if err != nil {
			return false, err
		}
		edit(o)
		err = env.Client.Update(w.Context(), o)
		refused = apierrors.IsInvalid(err)
		return err == nil || refused, err
	})
	return refused
}

// writeStatus writes a status as a person or a backup tool does, and tells the oracle so.
func (w *fixture) writeStatus(name string, edit func(*cdbv1.ImportJobStop)) {
	w.Helper()
	w.Eventually("writing the status of "+name, func() (bool, error) {
		o, err := w.Tenant.Get(w.Context(), name)
		if err != nil {
			return false, err
		}
		edit(o)
		if err := env.Client.Status().Update(w.Context(), o); err != nil {
			return false, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.byHand[o.UID] = append(w.byHand[o.UID], o.Status)
		return true, nil
	})
	w.inject("status by hand", 1)
}

func (w *fixture) delete(o client.Object) {
	w.Helper()
	o.SetNamespace(w.Namespace)
	if err := env.Client.Delete(w.Context(), o); client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
}
