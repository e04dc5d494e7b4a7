// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// alarm is how long it takes until time alone makes a difference, or a Secret that is not watched may have changed; zero is never.
func alarm(object *cdbv1.ImportJobStop, now time.Time, secretPoll time.Duration) time.Duration {
	times := []time.Time{expiry(object)}
	if !isSettled(object) {
		times = append(times, dueTime(object), deadline(object))
	}
	if secretPoll > 0 && isWaitingForSecret(object) {
		times = append(times, now.Add(secretPoll))
	}
	soonest := time.Duration(0)
	for _, at := range times {
		if after := at.Sub(now); after > 0 && (soonest == 0 || after < soonest) {
			soonest = after
		}
	}
	return soonest
}

// isWaitingForSecret: another Secret would make a difference.
func isWaitingForSecret(object *cdbv1.ImportJobStop) bool {
	reason := readyReason(object)
	return !object.Spec.Suspend && (reason == cdbv1.ReasonCredentialsNotFound || reason == cdbv1.ReasonCredentialsRejected)
}

// dueTime is when the next call is due; zero is now, or when the turn comes, which no clock tells.
func dueTime(object *cdbv1.ImportJobStop) time.Time {
	if object.Status.NextAttemptTime == nil || readyReason(object) == cdbv1.ReasonWaitingForQuota {
		return time.Time{}
	}
	return object.Status.NextAttemptTime.Time
}

// deadline is when an unfinished object is given up; zero is never.
func deadline(object *cdbv1.ImportJobStop) time.Time {
	seconds, start := object.Spec.ActiveDeadlineSeconds, object.Status.StartTime
	if seconds == nil || start == nil || object.Spec.Suspend {
		return time.Time{}
	}
	return start.Add(time.Duration(*seconds) * time.Second)
}

// expiry is when a finished object is deleted; zero is never.
func expiry(object *cdbv1.ImportJobStop) time.Time {
	seconds, end := object.Spec.TTLSecondsAfterFinished, object.Status.CompletionTime
	if seconds == nil || end == nil || managedBy(object) != "" {
		return time.Time{}
	}
	return end.Add(time.Duration(*seconds) * time.Second)
}

func isPast(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// marks are the labels and annotations of tools that create again what was deleted.
var marks = map[string]string{
	"kustomize.toolkit.fluxcd.io/name": "Flux",
	"helm.toolkit.fluxcd.io/name":      "Flux",
	"argocd.argoproj.io/instance":      "Argo CD",
	"argocd.argoproj.io/tracking-id":   "Argo CD",
	"meta.helm.sh/release-name":        "Helm",
}

// managedBy names the tool that would create the object again, or is empty.
func managedBy(object *cdbv1.ImportJobStop) string {
	for _, set := range []map[string]string{object.Labels, object.Annotations} {
		for mark := range set {
			if tool := marks[mark]; tool != "" {
				return tool
			}
		}
	}
	return ""
}

// remove deletes the very object that was looked at, and no other of its name or of a later version.
func (r *Reconciler) remove(ctx context.Context, object *cdbv1.ImportJobStop) error {
	return r.Client.Delete(ctx, object, client.Preconditions{UID: &object.UID, ResourceVersion: &object.ResourceVersion},
		client.PropagationPolicy(metav1.DeletePropagationBackground))
}

// maxRetryMark is how much of the annotation's value counts, in bytes.
const maxRetryMark = 64

// retryMark is what the annotation asks for now.
func retryMark(object *cdbv1.ImportJobStop) string {
	return head(object.Annotations[cdbv1.RetryRequestedAtAnnotation], maxRetryMark)
}

// isRetryAsked: a person has asked for a new try since the last one was handled.
func isRetryAsked(object *cdbv1.ImportJobStop) bool {
	mark := retryMark(object)
	return mark != "" && mark != object.Status.LastHandledRetryAt
}
