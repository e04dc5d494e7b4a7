// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// An API server that is restarted says nothing of the stop: it is asked again.
func TestAWatchThatDoesNotBeginIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err   error
		tries int
		code  int
	}{
		"no connection": {errors.New("connection refused"), 3, 0},
		"overloaded":    {apierrors.NewTooManyRequests("busy", 1), 3, 0},
		"forbidden":     {apierrors.NewForbidden(schema.GroupResource{}, "stop-a-b", nil), 1, 1},
		"for ever":      {errors.New("connection refused"), 1000, 124},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				c := interceptor.NewClient(cluster(withReady(asked.object("shop"), metav1.ConditionTrue, cdbv1.ReasonStopAccepted)), interceptor.Funcs{
					Watch: func(ctx context.Context, c client.WithWatch, _ client.ObjectList, _ ...client.ListOption) (watch.Interface, error) {
						if tries++; tries < test.tries || test.code != 0 {
							return nil, test.err
						}
						events := watch.NewFake()
						object := asked.object("shop")
						_ = c.Get(ctx, client.ObjectKeyFromObject(object), object)
						go events.Add(object)
						return events, nil
					},
				})
				o, output := console(asked, "")
				o.wait = true
				err := o.stopByID(t.Context(), c, asked.object("shop"))
				if exitCode(err) != test.code || test.code == 1 && tries != 1 || tries > 100 {
					t.Errorf("exit code %d, want %d, after %d watches: %v\n%s", exitCode(err), test.code, tries, err, output)
				}
			})
		})
	}
}

// Of an object that is being deleted, the operator sends nothing: nothing is asked of it, and nobody waits for it.
func TestAnObjectThatIsBeingDeletedGoesNowhere(t *testing.T) {
	t.Parallel()
	object := leaving(asked.object("shop"))
	c := cluster(object)
	o, _ := console(asked, "")
	for verb, run := range map[string]func(context.Context, client.WithWatch, *cdbv1.ImportJobStop) error{"retry": o.retry, "suspend": o.suspend, "resume": o.resume} {
		if err := run(t.Context(), c, object.DeepCopy()); err == nil || !strings.Contains(err.Error(), "is being deleted") {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if text := story(object); !strings.Contains(text, "is being deleted") {
		t.Errorf("status tells\n%s", text)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		events := watch.NewFakeWithChanSize(1, false)
		events.Modify(object)
		over, err := watched(ctx, events, o.newProgress(), asked.object("shop"), endOf)
		if !over || exitCode(err) != 1 || !strings.Contains(err.Error(), "is being deleted") {
			t.Errorf("over %t: %v", over, err)
		}
	})
}
