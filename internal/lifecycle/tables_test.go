// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// noon is when these tests take place.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// request is an object that nobody has looked at.
func request() *cdbv1.ImportJobStop {
	return &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "stop", UID: "1", Generation: 1},
		Spec: cdbv1.ImportJobStopSpec{
			Region: "ap-guangzhou", AsyncRequestID: "a-b",
			CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"},
		},
		Status: cdbv1.ImportJobStopStatus{ObservedGeneration: -1},
	}
}

// after is a request to which these changes were made, one after the other.
func after(changes ...Change) *cdbv1.ImportJobStop {
	object := request()
	for _, c := range changes {
		c(object)
	}
	return object
}

// answered is the result of a call for the attempt that is in status.
func answered(action importjob.Action, edit func(*Result)) Change {
	return func(object *cdbv1.ImportJobStop) {
		a := &Result{Action: action, Generation: object.Generation, Attempt: object.Status.Attempts, RetryMark: RetryMark(object), At: noon, Jitter: 0.5}
		edit(a)
		ApplyResult(object, a)
	}
}

func stopAnswered(class importjob.Class, edit ...func(*importjob.Error)) Change {
	return answered(importjob.ActionStop, func(a *Result) {
		fault := &importjob.Error{Class: class, Code: "Some.Code", Message: "something", RequestID: "r-1"}
		for _, e := range edit {
			e(fault)
		}
		a.Err = fault
	})
}

func accept(object *cdbv1.ImportJobStop) {
	answered(importjob.ActionStop, func(a *Result) { a.RequestID = "r-1" })(object)
}

func described(s importjob.Status) Change {
	return answered(importjob.ActionDescribe, func(a *Result) { a.Status = s })
}

// noAnswer is an error instead of an answer how the import is.
func noAnswer(class importjob.Class) Change {
	return answered(importjob.ActionDescribe, func(a *Result) {
		a.Err = &importjob.Error{Class: class, Code: "Some.Code", Message: "no policy"}
	})
}

func spec(edit func(*cdbv1.ImportJobStopSpec)) Change {
	return func(o *cdbv1.ImportJobStop) { edit(&o.Spec); o.Generation++ }
}

var (
	attempt       = RecordAttempt(noon)
	elsewhere     = spec(func(s *cdbv1.ImportJobStopSpec) { s.AsyncRequestID = "c-d" })
	otherSecret   = spec(func(s *cdbv1.ImportJobStopSpec) { s.CredentialsSecretRef.Name = "other" })
	hold          = spec(func(s *cdbv1.ImportJobStopSpec) { s.Suspend = true })
	untilEnded    = spec(func(s *cdbv1.ImportJobStopSpec) { s.WaitFor = cdbv1.WaitForStopped })
	untilAccepted = spec(func(s *cdbv1.ImportJobStopSpec) { s.WaitFor = cdbv1.WaitForAccepted })
	chinaByName   = spec(func(s *cdbv1.ImportJobStopSpec) { s.Site = cdbv1.SiteChina })
	anHourAgo     = RecordAttempt(noon.Add(-time.Hour))
	aMinute       = spec(func(s *cdbv1.ImportJobStopSpec) { s.ActiveDeadlineSeconds = new(int32(60)) })
	twoHours      = spec(func(s *cdbv1.ImportJobStopSpec) { s.ActiveDeadlineSeconds = new(int32(7200)) })
	shortLived    = spec(func(s *cdbv1.ImportJobStopSpec) { s.TTLSecondsAfterFinished = new(int32(0)) })
	longLived     = spec(func(s *cdbv1.ImportJobStopSpec) { s.TTLSecondsAfterFinished = new(int32(60)) })
	international = spec(func(s *cdbv1.ImportJobStopSpec) { s.Site = cdbv1.SiteInternational })
)

func byFlux(o *cdbv1.ImportJobStop) {
	o.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "shop"}
}

func tryAgain(o *cdbv1.ImportJobStop) {
	o.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: "2026-01-02T12:00:00Z"}
}
