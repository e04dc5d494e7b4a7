// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// id names an import of this world.
func (w *fixture) id(name string) string { return w.namespace + "-" + name }

func (w *fixture) importing(name string) {
	w.cloud.SetImport(cdbsim.Import{Region: region, ID: w.id(name), Status: "RUNNING"})
}

// create retries: the API server may be the one that fails.
func (w *fixture) create(o client.Object) {
	w.Helper()
	w.eventually("creating "+o.GetName(), func() (bool, error) {
		err := env.Client.Create(w.ctx(), o)
		return err == nil || apierrors.IsAlreadyExists(err), err
	})
}

func (w *fixture) object(name string) *cdbv1.ImportJobStop {
	return &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec:       cdbv1.ImportJobStopSpec{Region: region, AsyncRequestID: w.id(name), CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"}},
	}
}

// stop creates the import and the object that stops it.
func (w *fixture) stop(name string, edit ...func(*cdbv1.ImportJobStop)) {
	w.Helper()
	w.importing(name)
	o := w.object(name)
	for _, e := range edit {
		e(o)
	}
	w.create(o)
}

// many are objects name-0 to name-(n-1).
func (w *fixture) many(name string, n int) {
	w.Helper()
	for i := range n {
		w.stop(fmt.Sprintf("%s-%d", name, i))
	}
}

// crowd is n objects over some accounts, which take their time.
func (w *fixture) crowd(n, accounts int, edit ...func(*cdbv1.ImportJobStop)) {
	w.Helper()
	w.patience = 10 * time.Minute
	for a := range accounts {
		w.account(fmt.Sprint("acc-", a))
	}
	for i := range n {
		w.stop(fmt.Sprint("o-", i), append([]func(*cdbv1.ImportJobStop){func(o *cdbv1.ImportJobStop) {
			o.Spec.CredentialsSecretRef.Name = fmt.Sprint("acc-", i%accounts)
		}}, edit...)...)
	}
}

func (w *fixture) update(name string, edit func(*cdbv1.ImportJobStop)) {
	w.Helper()
	if w.tryUpdate(name, edit) {
		w.Errorf("the edit of %s was refused", name)
	}
}

// tryUpdate edits an object, and says whether the API server refused that as invalid: an object that is a record keeps its target.
func (w *fixture) tryUpdate(name string, edit func(*cdbv1.ImportJobStop)) (refused bool) {
	w.Helper()
	w.eventually("updating "+name, func() (bool, error) {
		o := &cdbv1.ImportJobStop{}
		if err := env.Client.Get(w.ctx(), w.key(name), o); err != nil {
			return false, err
		}
		edit(o)
		err := env.Client.Update(w.ctx(), o)
		refused = apierrors.IsInvalid(err)
		return err == nil || refused, err
	})
	return refused
}

// writeStatus writes a status as a person or a backup tool does, and tells the oracle so.
func (w *fixture) writeStatus(name string, edit func(*cdbv1.ImportJobStop)) {
	w.Helper()
	w.eventually("writing the status of "+name, func() (bool, error) {
		o := &cdbv1.ImportJobStop{}
		if err := env.Client.Get(w.ctx(), w.key(name), o); err != nil {
			return false, err
		}
		edit(o)
		if err := env.Client.Status().Update(w.ctx(), o); err != nil {
			return false, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.byHand[o.UID] = append(w.byHand[o.UID], o.Status)
		return true, nil
	})
	w.inject("status by hand", 1)
}

func (w *fixture) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: w.namespace, Name: name}
}

// get returns an object as the API server has it.
func (w *fixture) get(name string) *cdbv1.ImportJobStop {
	w.Helper()
	o := &cdbv1.ImportJobStop{}
	w.must(env.Client.Get(w.ctx(), w.key(name), o))
	return o
}

func (w *fixture) delete(o client.Object) {
	w.Helper()
	o.SetNamespace(w.namespace)
	if err := env.Client.Delete(w.ctx(), o); client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
}
