// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

func isDone(o *cdbv1.ImportJobStop) bool {
	ready := readyOf(o)
	return ready != nil && ready.Status == metav1.ConditionTrue
}

// remedyOf is what a person can do about an object as it is. It is empty when there is nothing to do.
func remedyOf(o *cdbv1.ImportJobStop) string {
	ready := readyOf(o)
	switch leaving := isLeaving(o); {
	case leaving != nil:
		return leaving.Error()
	case ready == nil:
		return fmt.Sprintf("If this lasts: is the operator running, and does it watch the namespace %s?", o.Namespace)
	case isDone(o):
		return ""
	case len(o.Status.Candidates) > 0:
		return choosing(o)
	}
	return remedyFor(ready.Reason, o)
}

// remedyFor is what to do about a reason of Ready that is not success.
func remedyFor(reason string, o *cdbv1.ImportJobStop) string {
	again := "try it again with\n  " + command("retry", o)
	secret := o.Spec.CredentialsSecretRef.Name
	switch reason {
	case cdbv1.ReasonWaitingForQuota, cdbv1.ReasonStopping, cdbv1.ReasonWaitingForStop:
		return "Nothing is to be done: the operator goes on by itself."
	case cdbv1.ReasonRetryScheduled:
		return "The operator goes on by itself. To go on at once, " + again
	case cdbv1.ReasonSuspended:
		return suspended(o)
	case cdbv1.ReasonCredentialsNotFound:
		return fmt.Sprintf("Create or correct the Secret %s. The operator then goes on by itself.", secret)
	case cdbv1.ReasonCredentialsRejected:
		return fmt.Sprintf("Correct the Secret %s, or the CAM policy of its account. The operator then goes on by itself; to go on at once, %s", secret, again)
	case cdbv1.ReasonImportNotFound, cdbv1.ReasonInvalidRequest, cdbv1.ReasonImportMismatch:
		return "Correct the spec, which starts over, or delete the object and create another. If the spec is right, " + again
	case cdbv1.ReasonImportNotPinned:
		return "Write the id that was found into spec.asyncRequestId at the source of the manifest: in Git, in the chart, or in the owner."
	case cdbv1.ReasonImportAlreadyFinished:
		return "The import ran to its end, and no retry changes that. Look at what it did to the database."
	case cdbv1.ReasonDeadlineExceeded:
		return "Raise spec.activeDeadlineSeconds, or " + again
	case cdbv1.ReasonInternalError:
		return "Report the stack trace in the operator's log, and " + again
	}
	return "When its cause is gone, " + again
}

// choosing tells how to name one of several imports.
func choosing(o *cdbv1.ImportJobStop) string {
	text := "Name the one that is to be stopped:"
	goOn := `,"suspend":false`
	if requester(o) != "" {
		goOn = "" // somebody else says that
	}
	for _, r := range o.Status.Candidates {
		if r.AsyncRequestID != "" {
			text += fmt.Sprintf("\n  kubectl patch ijs %s --namespace=%s --type=merge --patch='{\"spec\":{\"asyncRequestId\":%q%s}}'", o.Name, o.Namespace, r.AsyncRequestID, goOn)
		}
	}
	return text
}

// suspended tells how a preview goes on. One that found nothing is looked at again.
func suspended(o *cdbv1.ImportJobStop) string {
	switch {
	case o.Status.RequestID != "":
		return "The stop was accepted already. To let the operator ask how it ended, resume it with\n  " + command("resume", o)
	case requester(o) != "" && o.Status.Import != nil:
		return approving(o)
	case requester(o) != "" && o.Spec.AsyncRequestID != "":
		return "The operator looks at the import first. To let it look again, use\n  " + command("retry", o)
	case o.Spec.AsyncRequestID != "" || o.Status.Import != nil:
		return "Let it go on with\n  " + command("resume", o)
	}
	return "Let the operator look again with\n  " + command("retry", o)
}
