// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// stopFound lets the operator find the import, shows it, asks, and stops that one. It leaves no preview behind unless it was resumed.
func (o *options) stopFound(ctx context.Context, c client.WithWatch, object *cdbv1.ImportJobStop) error {
	p := o.newProgress()
	if !p.canReply && !o.yes {
		return errors.New("nobody can be asked here, since the input is no terminal: give --yes to stop the import that is found")
	}
	if err := o.preview(ctx, c, object); err != nil {
		return err
	}
	p.say("%s created, suspended: nothing is stopped yet", resource(object))
	v := &conversation{options: o, client: c, progress: p, object: object, began: time.Now()}
	if err := v.agree(ctx); err != nil {
		return errors.Join(err, v.remove(ctx))
	}
	var err error
	if object.Spec.Suspend {
		err = o.awaitApproval(ctx, c, p, object)
	} else {
		p.say("%s resumed", resource(object))
		err = o.follow(ctx, c, p, object, endOf)
	}
	if errors.Is(err, errInterrupted) || errors.Is(err, errTimedOut) {
		err = fmt.Errorf("%w: the operator goes on; see\n  %s", err, command("status", object))
	}
	return o.printAtEnd(object, err)
}

// preview creates the suspended object. Ctrl-C does not interrupt the request: the plugin must know whether there is an object to delete.
func (o *options) preview(ctx context.Context, c client.Client, object *cdbv1.ImportJobStop) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTimeout)
	defer cancel()
	err := o.request(ctx, c, object)
	switch {
	case err == nil:
		return nil
	case apierrors.IsAlreadyExists(err):
		return fmt.Errorf("%w\nSee it with\n  %s\nor give another --name", err, command("status", object))
	case isPassing(err):
		return fmt.Errorf("%w\nIf the API server has created it all the same, it stays, suspended: see\n  %s", err, command("status", object))
	}
	return err
}

// createTimeout is longer than the API server takes for a request with its webhooks.
const createTimeout = 40 * time.Second

// conversation is about one preview.
type conversation struct {
	*options
	client   client.WithWatch
	progress *progress
	object   *cdbv1.ImportJobStop // as it was shown
	began    time.Time            // when the object was created, by the clock of this machine
}

// now is the time by the cluster's clock, which wrote the times in status. That of this machine can be wrong.
func (v *conversation) now() time.Time {
	return v.object.CreationTimestamp.Add(time.Since(v.began))
}

// agree finds the import, shows it and asks. It returns nil when the object was resumed with exactly what was shown, or is left to who approves it.
func (v *conversation) agree(ctx context.Context) error {
	for {
		v.progress.say("looking for the import on %s", printable(v.object.Spec.Import.InstanceID))
		if err := v.look(ctx); err != nil {
			return err
		}
		id, err := v.choose(ctx)
		if err != nil {
			return err
		}
		err = v.act(ctx, id)
		if !apierrors.IsConflict(err) {
			return err
		}
		v.progress.say("%s has changed since it was shown", resource(v.object))
	}
}

// act does what was said yes to.
func (v *conversation) act(ctx context.Context, id string) error {
	if requester(v.object) == "" {
		return resume(ctx, v.client, v.object, id)
	}
	// What is resumed or approved is the spec as it is, so that the choice comes first.
	if v.object.Status.Import == nil {
		if err := patchAsShown(ctx, v.client, v.object, func(chosen *cdbv1.ImportJobStop) { chosen.Spec.AsyncRequestID = id }); err != nil {
			return err
		}
	}
	if !v.breakGlass {
		return nil
	}
	return v.approve(ctx, v.client, v.object)
}

// look waits until the preview is there.
func (v *conversation) look(ctx context.Context) error {
	err := v.follow(ctx, v.client, v.progress, v.object, func(p *progress, o *cdbv1.ImportJobStop) (bool, error) {
		if !o.Spec.Suspend {
			return true, errors.New("somebody else resumed it")
		}
		now := v.now()
		is, text := previewOf(o, now), previewText(o, now)
		if is == looking && text != "" && text != p.last {
			p.last = text
			p.say("%s", text)
		}
		return is != looking, nil
	})
	if errors.Is(err, errTimedOut) && v.object.Status.ObservedGeneration < v.object.Generation {
		return fmt.Errorf("%w: the operator has not looked at it; is it running, and does it watch the namespace %s?", err, v.object.Namespace)
	}
	return err
}

// choose shows what was found, and returns the id of the import that is to be stopped.
func (v *conversation) choose(ctx context.Context) (id string, err error) {
	o, now := v.object, v.now()
	records := choices(o)
	switch previewOf(o, now) {
	case found:
		v.progress.say("%s", table(records, false))
		if v.yes {
			return records[0].AsyncRequestID, nil
		}
		reply, err := v.progress.question(ctx, v.what()+" What was already imported is kept. [y/N] ")
		if err == nil && !isYes(reply) {
			err = errNo
		}
		return records[0].AsyncRequestID, err
	case several:
		v.progress.say("%s", table(records, v.progress.canReply))
		if !v.progress.canReply {
			return "", errors.New("several imports match, and nothing is stopped: say more with --database or --file, or give the id of one")
		}
		return v.chooseOne(ctx, records)
	}
	return "", fmt.Errorf("nothing is stopped: %s", printable(previewText(o, now)))
}

// what the person is asked.
func (v *conversation) what() string {
	if requester(v.object) != "" && !v.breakGlass {
		return "Request to stop it?"
	}
	return "Stop it?"
}

// chooseOne asks until the reply is one that can be understood.
func (v *conversation) chooseOne(ctx context.Context, records []cdbv1.ImportRecord) (id string, err error) {
	for {
		reply, err := v.progress.question(ctx, fmt.Sprintf("Which one is to be stopped? What was already imported is kept. [1-%d, Enter for none] ", len(records)))
		if err != nil {
			return "", err
		}
		id, err := chosen(reply, records)
		if !errors.Is(err, errNoChoice) {
			return id, err
		}
		v.progress.say("%s", err)
	}
}

// resume lets the object go on, and stops this import and no other: the id is written in the same patch, which the API server refuses if the
// object is not as it was shown any more.
func resume(ctx context.Context, c client.Client, object *cdbv1.ImportJobStop, id string) error {
	return patchAsShown(ctx, c, object, func(resumed *cdbv1.ImportJobStop) {
		resumed.Spec.Suspend = false
		if resumed.Spec.AsyncRequestID == "" {
			resumed.Spec.AsyncRequestID = id
		}
	})
}

// patchAsShown edits the object as it was shown. If only the operator has written meanwhile, and the object means the same import, the newest
// version is edited. Otherwise the error is a conflict.
func patchAsShown(ctx context.Context, c client.Client, object *cdbv1.ImportJobStop, edit func(*cdbv1.ImportJobStop)) error {
	for {
		edited := object.DeepCopy()
		edit(edited)
		err := c.Patch(ctx, edited, client.MergeFromWithOptions(object, client.MergeFromWithOptimisticLock{}), strict)
		if err == nil {
			edited.DeepCopyInto(object)
			return nil
		}
		if !apierrors.IsConflict(err) {
			return err
		}
		current := &cdbv1.ImportJobStop{}
		if err := c.Get(ctx, client.ObjectKeyFromObject(object), current); err != nil {
			return err
		}
		if !isAsShown(object, current) {
			return fmt.Errorf("importjobstop %s has changed since it was shown, see\n  %s\n%w", object.Name, command("status", object), err)
		}
		current.DeepCopyInto(object)
	}
}

// isAsShown: nobody has edited the object, and it means the same import.
func isAsShown(shown, current *cdbv1.ImportJobStop) bool {
	id := func(o *cdbv1.ImportJobStop) string {
		if o.Status.Import == nil {
			return ""
		}
		return o.Status.Import.AsyncRequestID
	}
	return shown.UID == current.UID && shown.Generation == current.Generation && maps.Equal(shown.Annotations, current.Annotations) && id(shown) == id(current)
}

// remove deletes the preview, also after Ctrl-C. One that somebody else resumed stays.
func (v *conversation) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	for {
		current := &cdbv1.ImportJobStop{}
		err := v.client.Get(ctx, client.ObjectKeyFromObject(v.object), current)
		switch {
		case apierrors.IsNotFound(err) || (err == nil && current.UID != v.object.UID):
			return nil
		case err != nil:
			return fmt.Errorf("the preview %s stays, suspended: %w", v.object.Name, err)
		case !current.Spec.Suspend:
			return fmt.Errorf("somebody else resumed %s, so it stays", v.object.Name)
		}
		version := current.ResourceVersion
		err = v.client.Delete(ctx, current, client.Preconditions{UID: &v.object.UID, ResourceVersion: &version})
		switch {
		case err == nil:
			v.progress.say("%s deleted", resource(v.object))
			return nil
		case !apierrors.IsConflict(err):
			return fmt.Errorf("the preview %s stays, suspended: %w", v.object.Name, err)
		}
	}
}
