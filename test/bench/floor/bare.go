// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/tencentcloud"
)

// What the operator does by default.
const (
	workers      = 10 // concurrent reconciles: they tell the waits
	limit        = 20 // calls in any second, of one account
	headStart    = 50 * time.Millisecond
	apart        = time.Second / (2 * limit) // those who waited go on so far apart at least
	worthTelling = 5 * limit                 // who has so many before it waits for five seconds, and is told so
)

// bare makes the requests.
type bare struct {
	client  client.WithWatch
	cloud   *tencentcloud.Client
	opening time.Time // of the accounts
	workers chan struct{}

	mu       sync.Mutex
	accounts map[client.ObjectKey]*account // by their Secrets
}

// account has the credits of a Secret: times from which on a call may be sent.
type account struct {
	credits chan time.Time
	waiting atomic.Int64

	mu     sync.Mutex
	nextAt time.Time // nobody who waited goes on before

	reading sync.Mutex // one read at a time, for all
	creds   importjob.Credentials
	readAt  time.Time
}

// turn waits until somebody who waited may go on.
func (a *account) turn() {
	a.mu.Lock()
	at := time.Now()
	if a.nextAt.After(at) {
		at = a.nextAt
	}
	a.nextAt = at.Add(apart)
	a.mu.Unlock()
	time.Sleep(time.Until(at))
}

// begin serves the objects of a namespace that are there, and returns the resourceVersion of the list.
func (b *bare) begin(ctx context.Context, namespace string) (version string, err error) {
	list := &cdbv1.ImportJobStopList{}
	if err := b.client.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return "", err
	}
	for i := range list.Items {
		b.added(ctx, &list.Items[i])
	}
	return list.ResourceVersion, nil
}

// serveAll serves what comes after a resourceVersion. The API server ends a watch that it thinks slow; the next one goes on from there.
func (b *bare) serveAll(ctx context.Context, namespace, version string) error {
	for {
		fromThere := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: version}}
		changes, err := b.client.Watch(ctx, &cdbv1.ImportJobStopList{}, client.InNamespace(namespace), fromThere)
		if err != nil {
			return err
		}
		for e := range changes.ResultChan() {
			o, ok := e.Object.(*cdbv1.ImportJobStop)
			if !ok {
				return apierrors.FromObject(e.Object)
			}
			version = o.ResourceVersion
			if e.Type == watch.Added {
				b.added(ctx, o)
			}
		}
	}
}

func (b *bare) added(ctx context.Context, o *cdbv1.ImportJobStop) {
	if o.Status.RequestID == "" {
		go func() {
			if err := b.serve(ctx, o); err != nil {
				fmt.Println(o.Name, err) // the harness keeps it
			}
		}()
	}
}

// serve makes the requests that the operator makes for an object whose stop is accepted.
func (b *bare) serve(ctx context.Context, o *cdbv1.ImportJobStop) error {
	a := b.account(client.ObjectKey{Namespace: o.Namespace, Name: o.Spec.CredentialsSecretRef.Name})
	usableAt, err := b.credit(ctx, a, o)
	if err != nil {
		return err
	}
	creds, err := b.read(ctx, a, o)
	if err != nil {
		return err
	}
	stopping(o)
	if err := b.client.Status().Update(ctx, o); err != nil {
		return err
	}
	time.Sleep(time.Until(usableAt))
	requestID, err := b.cloud.Stop(ctx, creds, importjob.Target{Region: o.Spec.Region, AsyncRequestID: o.Spec.AsyncRequestID, Site: importjob.China})
	answered := time.Now()
	time.AfterFunc(time.Second-headStart, func() { a.credits <- answered.Add(time.Second) })
	if err != nil {
		return err
	}
	accepted(o, requestID)
	if err := b.client.Status().Update(ctx, o); err != nil {
		return err
	}
	return b.client.Create(ctx, event(o))
}

// credit waits for one, and tells a long wait.
func (b *bare) credit(ctx context.Context, a *account, o *cdbv1.ImportJobStop) (time.Time, error) {
	select {
	case usableAt := <-a.credits:
		return usableAt, nil
	default:
	}
	if a.waiting.Add(1) > worthTelling {
		b.workers <- struct{}{}
		waiting(o)
		err := b.client.Status().Update(ctx, o)
		<-b.workers
		if err != nil {
			return time.Time{}, err
		}
	}
	defer a.waiting.Add(-1)
	usableAt := <-a.credits
	a.turn()
	return usableAt, nil
}

func (b *bare) account(secret client.ObjectKey) *account {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.accounts[secret]
	if a == nil {
		a = &account{credits: make(chan time.Time, limit)}
		b.accounts[secret] = a
		time.AfterFunc(time.Until(b.opening), func() {
			for range limit {
				a.credits <- time.Now()
			}
		})
	}
	return a
}

// read returns the credentials, which are good for a second.
func (b *bare) read(ctx context.Context, a *account, o *cdbv1.ImportJobStop) (importjob.Credentials, error) {
	a.reading.Lock()
	defer a.reading.Unlock()
	if time.Since(a.readAt) < time.Second {
		return a.creds, nil
	}
	secret := &corev1.Secret{}
	if err := b.client.Get(ctx, client.ObjectKey{Namespace: o.Namespace, Name: o.Spec.CredentialsSecretRef.Name}, secret); err != nil {
		return importjob.Credentials{}, err
	}
	a.creds = importjob.Credentials{SecretID: string(secret.Data["secretId"]), SecretKey: string(secret.Data["secretKey"]), Token: string(secret.Data["token"])}
	a.readAt = time.Now()
	return a.creds, nil
}
