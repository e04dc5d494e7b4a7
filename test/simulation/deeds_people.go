// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// objectDeeds make objects.
var objectDeeds = []deed{
	{"an object", 12, func(r *run, random *rand.Rand) (string, error) { return r.stop(random, random.IntN(12)) }},
	{"a burst", 2, func(r *run, random *rand.Rand) (what string, err error) {
		for i := range 25 + random.IntN(20) {
			if _, err := r.stop(random, 100+i); err != nil {
				return "", err
			}
		}
		return "", nil
	}},
}

// stop creates an import and the object that stops it.
func (r *run) stop(random *rand.Rand, number int) (string, error) {
	o := object(fmt.Sprintf("o-%d", number))
	if r.isThere(o.Name) {
		return o.Name + " is there", nil
	}
	if random.IntN(4) > 0 {
		r.importing(o.Name, random)
	} else {
		r.missing(o.Spec.AsyncRequestID) // or as the last object left it
	}
	if random.IntN(3) == 0 {
		o.Spec.WaitFor = cdbv1.WaitForStopped
	}
	if random.IntN(12) == 0 {
		o.Spec.ActiveDeadlineSeconds = new(int32(5 + random.IntN(100)))
	}
	if random.IntN(12) == 0 {
		o.Spec.TTLSecondsAfterFinished = new(int32(random.IntN(60)))
	}
	return o.Name, r.create(o)
}

// peopleDeeds are what people and tools do to objects and Secrets.
var peopleDeeds = append(promptDeeds, deed{"the token is renewed", 2, func(r *run, random *rand.Rand) (string, error) {
	for range 1 + random.IntN(3) {
		if err := r.renewToken(); err != nil {
			return "", err
		}
		time.Sleep(time.Duration(random.Int64N(int64(2 * time.Second))))
	}
	return "", nil
}}, deed{"the Secret is away", 1, func(r *run, random *rand.Rand) (string, error) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "creds"}}
	if err := client.IgnoreNotFound(r.client.Delete(context.Background(), secret)); err != nil {
		return "", err
	}
	time.Sleep(time.Duration(random.Int64N(int64(200 * time.Second))))
	return "", r.secret()
}})

// promptDeeds take no time.
var promptDeeds = []deed{
	{"suspend or resume", 3, edit(func(o *cdbv1.ImportJobStop, _ *rand.Rand) { o.Spec.Suspend = !o.Spec.Suspend })},
	{"a label", 1, edit(func(o *cdbv1.ImportJobStop, random *rand.Rand) {
		o.Labels = map[string]string{"some": fmt.Sprint(random.Uint32())}
	})},
	{"retry now", 2, edit(func(o *cdbv1.ImportJobStop, random *rand.Rand) {
		o.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: fmt.Sprint(random.Uint32())}
	})},
	{"another waitFor", 1, edit(func(o *cdbv1.ImportJobStop, _ *rand.Rand) {
		o.Spec.WaitFor = map[cdbv1.WaitFor]cdbv1.WaitFor{"": cdbv1.WaitForStopped, cdbv1.WaitForAccepted: cdbv1.WaitForStopped}[o.Spec.WaitFor]
	})},
	{"another import", 2, func(r *run, random *rand.Rand) (string, error) {
		o, ok, err := r.pick(random)
		if !ok {
			return "", err
		}
		name := fmt.Sprintf("other-%d", random.Uint32())
		r.importing(name, random)
		o.Spec.AsyncRequestID = importID(name)
		err = r.client.Update(context.Background(), o)
		if apierrors.IsInvalid(err) || apierrors.IsConflict(err) {
			return o.Name + ": " + err.Error(), nil // the record of what was done, or somebody was faster
		}
		return o.Name, err
	}},
	{"deleted", 2, func(r *run, random *rand.Rand) (string, error) {
		o, ok, err := r.pick(random)
		if !ok {
			return "", err
		}
		return o.Name, client.IgnoreNotFound(r.client.Delete(context.Background(), o))
	}},
	{"created again", 2, func(r *run, random *rand.Rand) (string, error) {
		o, ok, err := r.pick(random)
		if !ok {
			return "", err
		}
		if err := client.IgnoreNotFound(r.client.Delete(context.Background(), o)); err != nil {
			return "", err
		}
		again := object(o.Name)
		again.Spec = o.Spec
		return o.Name, r.create(again)
	}},
	{"an old status is restored", 2, func(r *run, random *rand.Rand) (string, error) {
		o, ok, err := r.pick(random)
		if !ok {
			return "", err
		}
		versions := r.versions()[o.UID]
		o.Status = versions[random.IntN(len(versions))].Status
		err = r.client.Status().Update(context.Background(), o)
		if err == nil {
			r.wroteByHand(o)
		}
		if apierrors.IsConflict(err) {
			err = nil
		}
		return o.Name, err
	}},
	{"the Secret is renewed", 2, func(r *run, _ *rand.Rand) (string, error) { return "", r.secret() }},
}

// pick returns one of the objects that are there, that in focus if there is one; false without any.
func (r *run) pick(random *rand.Rand) (*cdbv1.ImportJobStop, bool, error) {
	objects, err := r.objects()
	if err != nil || len(objects) == 0 {
		return nil, false, err
	}
	r.mu.Lock()
	inFocus := r.inFocus
	r.mu.Unlock()
	for i := range objects {
		if o := &objects[i]; inFocus != "" && (o.Name == inFocus || o.Spec.AsyncRequestID == importID(inFocus)) {
			return o, true, nil
		}
	}
	return &objects[random.IntN(len(objects))], true, nil
}

// focus makes deeds pick the object of this short name, until the function that it returns is called.
func (r *run) focus(name string) (end func()) {
	set := func(name string) {
		r.mu.Lock()
		r.inFocus = name
		r.mu.Unlock()
	}
	set(name)
	return func() { set("") }
}

// edit is a deed that edits one of the objects.
func edit(change func(*cdbv1.ImportJobStop, *rand.Rand)) func(*run, *rand.Rand) (string, error) {
	return func(r *run, random *rand.Rand) (string, error) {
		o, ok, err := r.pick(random)
		if !ok {
			return "", err
		}
		return o.Name, r.update(client.ObjectKeyFromObject(o), func(o *cdbv1.ImportJobStop) { change(o, random) })
	}
}
