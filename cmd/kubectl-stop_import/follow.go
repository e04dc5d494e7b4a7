// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// strict lets an API server whose CRD is older refuse a field that it does not know: without it, a guard would be dropped in silence.
const strict = client.FieldValidation(metav1.FieldValidationStrict)

// stopByID creates the object, or takes the one that is there, and follows it if wanted.
func (o *options) stopByID(ctx context.Context, c client.WithWatch, object *cdbv1.ImportJobStop) error {
	existed, err := o.create(ctx, c, object)
	if err != nil {
		return err
	}
	p := o.newProgress()
	switch {
	case o.isWanted():
	case existed:
		p.say("%s exists", resource(object))
	default:
		err = o.print(o.Out, object)
	}
	switch {
	case err != nil:
	case object.Spec.Suspend && !existed:
		err = o.awaitApproval(ctx, c, p, object)
	case o.wait || o.untilStopped:
		err = o.follow(ctx, c, p, object, endOf)
	}
	return o.printAtEnd(object, err)
}

// printAtEnd prints the object as it is then, if --output asks for it.
func (o *options) printAtEnd(object *cdbv1.ImportJobStop, err error) error {
	if o.isWanted() {
		return errors.Join(err, o.print(o.Out, object))
	}
	return err
}

func resource(object *cdbv1.ImportJobStop) string {
	return "importjobstop.cdb.tencentcloud.com/" + object.Name
}

// create asks for the stop. One that was asked for in the same way before will do, unless it has failed; in another way, it is an error.
func (o *options) create(ctx context.Context, c client.Client, object *cdbv1.ImportJobStop) (existed bool, err error) {
	wanted := object.Spec
	err = o.request(ctx, c, object)
	if !apierrors.IsAlreadyExists(err) {
		return false, err
	}
	if err := c.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return true, err
	}
	err = differs(object, wanted)
	if leaving := isLeaving(object); leaving != nil {
		return true, leaving
	}
	switch {
	case errors.Is(err, errUnapproved):
		return true, err
	case err != nil:
		return true, fmt.Errorf("importjobstop %s exists and %w", object.Name, err)
	}
	return true, failureOf(object)
}

// differs says how an object that exists does not do what is wanted.
func differs(object *cdbv1.ImportJobStop, wanted cdbv1.ImportJobStopSpec) error {
	is := object.Spec
	patch := fmt.Sprintf("kubectl patch ijs %s --namespace=%s --type=merge --patch=", object.Name, object.Namespace)
	switch {
	case is.Target() != wanted.Target():
		return fmt.Errorf("stops %s: give another --name", targetInWords(object))
	case is.CredentialsSecretRef != wanted.CredentialsSecretRef:
		return fmt.Errorf("uses the Secret %s: change that with\n  %s'{\"spec\":{\"credentialsSecretRef\":{\"name\":%q}}}'", is.CredentialsSecretRef.Name, patch, wanted.CredentialsSecretRef.Name)
	case wanted.WaitFor == cdbv1.WaitForStopped && is.WaitFor != wanted.WaitFor:
		return fmt.Errorf("is done when the stop is accepted: let it go on until the import has ended with\n  %s'{\"spec\":{\"waitFor\":%q}}'", patch, wanted.WaitFor)
	case is.Suspend && requester(object) != "" && object.Status.RequestID == "":
		return unapproved(object)
	case is.Suspend && object.Status.RequestID == "":
		return fmt.Errorf("is suspended: let it go on with\n  %s", command("resume", object))
	}
	return nil
}

// command of this plugin for an object, to be typed.
func command(verb string, object *cdbv1.ImportJobStop) string {
	return strings.Join([]string{"kubectl stop-import", verb, object.Name, "--namespace=" + object.Namespace}, " ")
}

// ender shows a version of an object, and says whether that is the end that is waited for.
type ender func(*progress, *cdbv1.ImportJobStop) (over bool, err error)

// follow shows how the object goes on until isOver says that this is its end, or ctx ends, or the time runs out. It leaves the newest version in object.
func (o *options) follow(ctx context.Context, c client.WithWatch, p *progress, object *cdbv1.ImportJobStop, isOver ender) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, errTimedOut)
	defer cancel()
	p.begin()
	defer p.end()
	for {
		events, err := c.Watch(ctx, &cdbv1.ImportJobStopList{}, client.InNamespace(object.Namespace),
			client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", object.Name)})
		if err != nil && isPassing(err) && ctx.Err() == nil {
			p.show("the API server does not answer", err.Error()+"; trying again")
			wait(ctx, p)
			continue
		}
		if err != nil {
			return cause(ctx, err)
		}
		over, err := watched(ctx, events, p, object, isOver)
		events.Stop()
		if over {
			return err
		}
	}
}

// isPassing: the API server did not answer, or cannot serve the request now. The same request may succeed later.
func isPassing(err error) bool {
	isAnswered := apierrors.ReasonForError(err) != metav1.StatusReasonUnknown
	return !isAnswered && !meta.IsNoMatchError(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsInternalError(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsTooManyRequests(err)
}

// wait is the pause before the next try.
func wait(ctx context.Context, p *progress) {
	for after := time.After(watchAgain); ; {
		select {
		case <-ctx.Done():
			return
		case <-after:
			return
		case <-p.tick():
			p.turn()
		}
	}
}

// watchAgain is how long the plugin waits after a watch that the API server did not begin.
const watchAgain = time.Second

// watched reads the events of one watch. It returns false if the watch ended before the object did.
func watched(ctx context.Context, events watch.Interface, p *progress, object *cdbv1.ImportJobStop, isOver ender) (over bool, err error) {
	least := object.Generation // an older version is not what was asked for
	for {
		select {
		case <-ctx.Done():
			return true, cause(ctx, ctx.Err())
		case <-p.tick():
			p.turn()
		case e, ok := <-events.ResultChan():
			if !ok || e.Type == watch.Error {
				return false, nil
			}
			isNewer, err := take(e, object, least)
			if isNewer && err == nil {
				over, err = isEnd(p, object, isOver)
			}
			if over || err != nil {
				return true, err
			}
		}
	}
}

// isEnd says whether this is the end that is waited for, or an error for an object that is being deleted before.
func isEnd(p *progress, object *cdbv1.ImportJobStop, isOver ender) (over bool, err error) {
	if over, err = isOver(p, object.DeepCopy()); over || err != nil {
		return over, err
	}
	return false, isLeaving(object)
}

// take puts the version that an event tells of into object, unless it is older than what is waited for. An object that is gone is an error.
func take(e watch.Event, object *cdbv1.ImportJobStop, least int64) (isNewer bool, err error) {
	current, isObject := e.Object.(*cdbv1.ImportJobStop)
	switch {
	case !isObject:
		return false, nil
	case e.Type == watch.Deleted || current.UID != object.UID:
		return false, fmt.Errorf("importjobstop %s was deleted", object.Name)
	case current.Generation < least:
		return false, nil
	}
	current.DeepCopyInto(object)
	return true, nil
}

// endOf shows how the object is, and says whether that is its end: done (nil), or failed, or in need of somebody.
func endOf(p *progress, o *cdbv1.ImportJobStop) (over bool, err error) {
	ready := readyOf(o)
	if ready == nil {
		return false, nil
	}
	p.show(ready.Reason, ready.Message)
	if ready.Status == metav1.ConditionTrue {
		return true, nil
	}
	err = failureOf(o)
	return err != nil, err
}

// readyOf is Ready of the spec as it is now; nil before the operator has seen that.
func readyOf(o *cdbv1.ImportJobStop) *metav1.Condition {
	if o.Status.ObservedGeneration != o.Generation {
		return nil
	}
	return meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady)
}

// isLeaving returns an error for an object that is being deleted: the operator does nothing for it but record an answer that is due.
func isLeaving(object *cdbv1.ImportJobStop) error {
	if object.DeletionTimestamp == nil {
		return nil
	}
	return fmt.Errorf("importjobstop %s is being deleted, and the operator sends no stop for it; it goes when %s have been removed from its metadata.finalizers",
		object.Name, strings.Join(object.Finalizers, ", "))
}

// cause is why ctx ended, or the error itself.
func cause(ctx context.Context, err error) error {
	switch {
	case ctx.Err() == nil:
		return err
	case errors.Is(context.Cause(ctx), errTimedOut):
		return errTimedOut
	}
	return errInterrupted
}
