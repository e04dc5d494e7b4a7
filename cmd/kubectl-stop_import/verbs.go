// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// verb is a command about an object that exists.
func (o *options) verb(name, short, long string, run func(context.Context, client.WithWatch, *cdbv1.ImportJobStop) error) *cobra.Command {
	return &cobra.Command{
		Use: name + " NAME", Short: short, Long: long, Example: "  kubectl stop-import " + name + " stop-nightly-import",
		Args: cobra.ExactArgs(1), ValidArgsFunction: o.completeName, DisableFlagsInUseLine: true,
		RunE: func(command *cobra.Command, args []string) error {
			namespace, err := o.namespace()
			if err != nil {
				return err
			}
			c, err := o.client()
			if err != nil {
				return err
			}
			object := &cdbv1.ImportJobStop{}
			if err := c.Get(command.Context(), client.ObjectKey{Namespace: namespace, Name: args[0]}, object); err != nil {
				return err
			}
			return run(command.Context(), c, object)
		},
	}
}

// completeName offers the objects of the namespace.
func (o *options) completeName(command *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	namespace, err := o.namespace()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	objects := &cdbv1.ImportJobStopList{}
	if c, err := o.client(); err != nil || c.List(command.Context(), objects, client.InNamespace(namespace)) != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	for i := range objects.Items {
		names = append(names, objects.Items[i].Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (o *options) statusCommand() *cobra.Command {
	return o.verb("status", "Tell what happened to a stop, and what to do",
		"Tell what happened to a stop, in order: asked, found, queued, sent, accepted, ended; and what to do.\n\nExits with 1 when it has failed or needs you, else with 0.",
		func(_ context.Context, _ client.WithWatch, object *cdbv1.ImportJobStop) error {
			if _, err := fmt.Fprint(o.Out, story(object)); err != nil {
				return err
			}
			if err := failureOf(object); err != nil {
				return fmt.Errorf("importjobstop %s: %s", object.Name, readyOf(object).Reason)
			}
			return nil
		})
}

func (o *options) retryCommand() *cobra.Command {
	command := o.verb("retry", "Try a stop again that failed or waits", `Try a stop again that failed or waits. A suspended one is looked at again.

Where each stop needs a second person, only what was approved is retried.

Exits with 0 when the retry was requested; with --wait as kubectl stop-import does. Exits with 3 when somebody else must approve it.`, o.retry)
	o.addBreakGlassFlag(command.Flags())
	o.addWaitFlags(command.Flags())
	return command
}

func (o *options) suspendCommand() *cobra.Command {
	return o.verb("suspend", "Hold back a stop that was not accepted yet", `Hold back a stop that was not accepted yet. A call that is in flight is not called back.

Exits with 0 when it is held back.`, o.suspend)
}

func (o *options) resumeCommand() *cobra.Command {
	command := o.verb("resume", "Let a suspended stop go on", `Let a suspended stop go on. If the operator has found an import for it, its id is written into the object, so that this one is stopped and no other.

Where each stop needs a second person, this approves what somebody else has requested: it shows the import, asks, and writes your name and the import into the object.

Exits with 0 when it goes on; with --wait as kubectl stop-import does. Exits with 3 when somebody else must approve it.`, o.resume)
	command.Flags().BoolVarP(&o.yes, "yes", "y", false, "If true, approve what is shown without a question.")
	o.addBreakGlassFlag(command.Flags())
	o.addWaitFlags(command.Flags())
	return command
}

func (o *options) retry(ctx context.Context, c client.WithWatch, object *cdbv1.ImportJobStop) error {
	if err := errors.Join(isLeaving(object), cannotRetry(object)); err != nil {
		return err
	}
	mark := time.Now().UTC().Format(time.RFC3339Nano)
	if err := o.requestRetry(ctx, c, object, mark); err != nil {
		return err
	}
	return o.wentOn(ctx, c, object, "retry requested", func(p *progress, object *cdbv1.ImportJobStop) (bool, error) {
		if object.Status.LastHandledRetryAt != mark {
			return false, nil // the status is that of before
		}
		over, err := endOf(p, object)
		return over || object.Spec.Suspend && previewOf(object, time.Now()) != looking, err
	})
}

func (o *options) suspend(ctx context.Context, c client.WithWatch, object *cdbv1.ImportJobStop) error {
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if err := c.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		if err := errors.Join(isLeaving(object), cannotSuspend(object)); err != nil {
			return err
		}
		before := object.DeepCopy()
		object.Spec.Suspend = true
		// With the version that was looked at: a stop that was accepted meanwhile is not held back.
		return c.Patch(ctx, object, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	})
	if err != nil {
		return err
	}
	o.newProgress().say("%s suspended", resource(object))
	return nil
}

func (o *options) resume(ctx context.Context, c client.WithWatch, object *cdbv1.ImportJobStop) error {
	if err := errors.Join(isLeaving(object), cannotResume(object)); err != nil {
		return err
	}
	id := ""
	if readyOf(object) != nil && object.Status.Import != nil && object.Status.Target != nil { // the status is about the spec as it is
		id = object.Status.Target.AsyncRequestID
	}
	if err := o.letGoOn(ctx, c, object, id); err != nil {
		return err
	}
	return o.wentOn(ctx, c, object, "resumed", endOf)
}

// wentOn says what was done with the object, and follows it if wanted.
func (o *options) wentOn(ctx context.Context, c client.WithWatch, object *cdbv1.ImportJobStop, what string, isOver ender) error {
	p := o.newProgress()
	p.say("%s %s", resource(object), what)
	if !o.wait {
		return nil
	}
	return o.follow(ctx, c, p, object, isOver)
}
