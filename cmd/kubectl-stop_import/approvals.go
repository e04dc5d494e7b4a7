// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// errUnapproved: the API server lets the stop go on only when somebody else approves it.
var errUnapproved = errors.New("needs an approval")

// isOfApprovals: the policy for approvals refused it. A cluster without that policy never says so, and nothing is different there.
func isOfApprovals(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "ValidatingAdmissionPolicy") && strings.Contains(err.Error(), cdbv1.ApprovalsPolicy)
}

// requester is who asked for the object; empty where nobody needs to say so.
func requester(object *cdbv1.ImportJobStop) string {
	return strings.ReplaceAll(object.Annotations[cdbv1.RequestedByAnnotation], "\n", " ") // it is shown beside commands to type
}

// caller is the name by which the API server knows who calls it.
func caller(ctx context.Context, c client.Client) (string, error) {
	review := &authenticationv1.SelfSubjectReview{}
	if err := c.Create(ctx, review); err != nil {
		return "", fmt.Errorf("asking the API server for your name: %w", err)
	}
	return review.Status.UserInfo.Username, nil
}

// allowed: the caller has a verb of the policy for this object.
func allowed(ctx context.Context, c client.Client, verb string, object *cdbv1.ImportJobStop) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
		Verb: verb, Group: cdbv1.GroupVersion.Group, Resource: "importjobstops", Namespace: object.Namespace, Name: object.Name,
	}}}
	if err := c.Create(ctx, review); err != nil {
		return false, fmt.Errorf("asking the API server for your permissions: %w", err)
	}
	return review.Status.Allowed, nil
}

// unapproved says who lets the object go on, and with which command.
func unapproved(object *cdbv1.ImportJobStop) error {
	return fmt.Errorf("importjobstop %s %w: %s", object.Name, errUnapproved, approving(object))
}

func approving(object *cdbv1.ImportJobStop) string {
	return fmt.Sprintf("%s requested it. Somebody else, with the verb %s on importjobstops in the namespace %s, lets it go on with\n  %s",
		requester(object), cdbv1.ResumeVerb, object.Namespace, command("resume", object))
}

// request creates the object. Where a stop needs a second person, it is created once more: suspended, and in the caller's name.
func (o *options) request(ctx context.Context, c client.Client, object *cdbv1.ImportJobStop, opts ...client.CreateOption) error {
	wanted := object.DeepCopy()
	err := c.Create(ctx, object, append(opts, strict)...)
	if !isOfApprovals(err) {
		return err
	}
	wanted.DeepCopyInto(object)
	name, err := caller(ctx, c)
	if err != nil {
		return err
	}
	metav1.SetMetaDataAnnotation(&object.ObjectMeta, cdbv1.RequestedByAnnotation, name)
	switch {
	case o.breakGlass:
		if err := mayBreakGlass(ctx, c, object); err != nil {
			return err
		}
		if !object.Spec.Suspend {
			metav1.SetMetaDataAnnotation(&object.ObjectMeta, cdbv1.BreakGlassByAnnotation, name)
		}
	case object.Spec.Import == nil:
		return errors.New("each stop needs a second person here, who approves what runs on an instance: give --instance, too")
	default:
		object.Spec.Suspend = true
	}
	return c.Create(ctx, object, append(opts, strict)...)
}

// awaitApproval says that somebody else is to resume the object. It follows the object if that is wanted.
func (o *options) awaitApproval(ctx context.Context, c client.WithWatch, p *progress, object *cdbv1.ImportJobStop) error {
	p.say("%s stays suspended: nothing is stopped yet", resource(object))
	if !o.wait && !o.untilStopped {
		return unapproved(object)
	}
	p.say("%s", approving(object))
	return o.follow(ctx, c, p, object, endOf)
}

func mayBreakGlass(ctx context.Context, c client.Client, object *cdbv1.ImportJobStop) error {
	may, err := allowed(ctx, c, cdbv1.BreakGlassVerb, object)
	if err == nil && !may {
		err = fmt.Errorf("importjobstop %s %w: --break-glass needs the verb %s on importjobstops in the namespace %s, which you do not have; without --break-glass somebody else is asked for an approval",
			object.Name, errUnapproved, cdbv1.BreakGlassVerb, object.Namespace)
	}
	return err
}

// letGoOn resumes the object, and approves it where that is needed.
func (o *options) letGoOn(ctx context.Context, c client.Client, object *cdbv1.ImportJobStop, id string) error {
	err := resume(ctx, c, object, id)
	if isOfApprovals(err) || apierrors.IsForbidden(err) && requester(object) != "" {
		return o.approve(ctx, c, object)
	}
	return err
}

// approve resumes what somebody else has requested, if the caller agrees to what is shown. The API server refuses it if the
// object has changed since.
func (o *options) approve(ctx context.Context, c client.Client, object *cdbv1.ImportJobStop) error {
	name, err := caller(ctx, c)
	if err != nil {
		return err
	}
	if o.breakGlass {
		return goAlone(ctx, c, object, name)
	}
	may, err := allowed(ctx, c, cdbv1.ResumeVerb, object)
	switch is := object.Status.Import; {
	case err != nil:
		return err
	case requester(object) == "":
		return fmt.Errorf("importjobstop %s %w, and does not say who requested it: delete it and create it again", object.Name, errUnapproved)
	case !may || strings.EqualFold(name, requester(object)):
		return unapproved(object)
	case readyOf(object) == nil || is == nil || is.AsyncRequestID == "":
		return fmt.Errorf("importjobstop %s has no preview that you can approve: see\n  %s", object.Name, command("status", object))
	}
	if err := o.confirm(ctx, object); err != nil {
		return err
	}
	return resumeAs(ctx, c, object, map[string]string{cdbv1.ApprovedByAnnotation: name, cdbv1.ApprovedImportAnnotation: object.Status.Import.AsyncRequestID})
}

// confirm shows what is to be approved, and returns nil on yes.
func (o *options) confirm(ctx context.Context, object *cdbv1.ImportJobStop) error {
	p := o.newProgress()
	p.say("%s requested to stop, in %s on %s,\n%s", requester(object), object.Spec.Region, object.Status.Import.InstanceID, table(choices(object), false))
	if o.yes {
		return nil
	}
	if !p.canReply {
		return errors.New("nobody can be asked here, since the input is no terminal: give --yes to approve what is shown")
	}
	reply, err := p.question(ctx, "Approve it? What was already imported is kept. [y/N] ")
	if err == nil && !isYes(reply) {
		err = errNo
	}
	return err
}

// requestRetry asks for a retry. Where a second person is needed, one that nobody has approved is retried only by who breaks the glass.
func (o *options) requestRetry(ctx context.Context, c client.Client, object *cdbv1.ImportJobStop, mark string) error {
	before := object.DeepCopy()
	metav1.SetMetaDataAnnotation(&object.ObjectMeta, cdbv1.RetryRequestedAtAnnotation, mark)
	err := c.Patch(ctx, object, client.MergeFrom(before))
	switch {
	case !isOfApprovals(err):
		return err
	case !o.breakGlass:
		return fmt.Errorf("importjobstop %s %w: %w", object.Name, errUnapproved, err)
	}
	if err := mayBreakGlass(ctx, c, object); err != nil {
		return err
	}
	name, err := caller(ctx, c)
	if err != nil {
		return err
	}
	metav1.SetMetaDataAnnotation(&object.ObjectMeta, cdbv1.BreakGlassByAnnotation, name)
	return c.Patch(ctx, object, client.MergeFrom(before))
}

// goAlone resumes the object without a second person, which stays on record.
func goAlone(ctx context.Context, c client.Client, object *cdbv1.ImportJobStop, name string) error {
	if err := mayBreakGlass(ctx, c, object); err != nil {
		return err
	}
	return resumeAs(ctx, c, object, map[string]string{cdbv1.BreakGlassByAnnotation: name})
}

// resumeAs resumes the object with these annotations of approvals, in place of those of before. The spec stays as it was previewed.
func resumeAs(ctx context.Context, c client.Client, object *cdbv1.ImportJobStop, annotations map[string]string) error {
	err := patchAsShown(ctx, c, object, func(resumed *cdbv1.ImportJobStop) {
		resumed.Spec.Suspend = false
		for _, old := range []string{cdbv1.ApprovedByAnnotation, cdbv1.ApprovedImportAnnotation} {
			delete(resumed.Annotations, old)
		}
		for key, value := range annotations {
			metav1.SetMetaDataAnnotation(&resumed.ObjectMeta, key, value)
		}
	})
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("importjobstop %s %w: %w", object.Name, errUnapproved, err)
	}
	return err
}
