// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// The statuses are as large as the operator's.

func waiting(o *cdbv1.ImportJobStop) {
	now := metav1.Now()
	begin(o, &now)
	o.Status.WaitingSince, o.Status.NextAttemptTime = &now, &metav1.MicroTime{Time: now.Add(time.Minute)}
	progress(o, cdbv1.ReasonWaitingForQuota, "in the queue for the cloud's quota since "+now.UTC().Format(time.RFC3339))
}

func stopping(o *cdbv1.ImportJobStop) {
	now := metav1.Now()
	begin(o, &now)
	o.Status.WaitingSince, o.Status.NextAttemptTime = nil, nil
	o.Status.Attempts, o.Status.LastAttempt = 1, &cdbv1.Attempt{StartTime: metav1.NowMicro()}
	progress(o, cdbv1.ReasonStopping, "stopping the import, attempt 1")
}

func accepted(o *cdbv1.ImportJobStop, requestID string) {
	now := metav1.Now()
	o.Status.RequestID, o.Status.CompletionTime = requestID, &now
	o.Status.LastAttempt.EndTime, o.Status.LastAttempt.RequestID = &metav1.MicroTime{Time: now.Time}, requestID
	message := "the cloud accepted the stop, RequestId " + requestID
	set(o, cdbv1.ConditionReady, metav1.ConditionTrue, cdbv1.ReasonStopAccepted, message)
	set(o, cdbv1.ConditionAccepted, metav1.ConditionTrue, cdbv1.ReasonStopAccepted, message)
	set(o, cdbv1.ConditionReconciling, metav1.ConditionFalse, cdbv1.ReasonFinished, "")
	set(o, cdbv1.ConditionStalled, metav1.ConditionFalse, cdbv1.ReasonFinished, "")
}

func begin(o *cdbv1.ImportJobStop, now *metav1.Time) {
	target := o.Spec.Target()
	o.Status.Target, o.Status.ObservedGeneration = &target, o.Generation
	if o.Status.StartTime == nil {
		o.Status.StartTime = now
	}
}

func progress(o *cdbv1.ImportJobStop, reason, message string) {
	set(o, cdbv1.ConditionReady, metav1.ConditionUnknown, reason, message)
	set(o, cdbv1.ConditionReconciling, metav1.ConditionTrue, reason, message)
	set(o, cdbv1.ConditionStalled, metav1.ConditionFalse, cdbv1.ReasonProgressing, "")
}

func set(o *cdbv1.ImportJobStop, kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&o.Status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: o.Generation,
	})
}

func event(o *cdbv1.ImportJobStop) *eventsv1.Event {
	now := metav1.NowMicro()
	return &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: fmt.Sprintf("%s.%x", o.Name, now.UnixNano())},
		EventTime:  now, ReportingController: "importjobstop-operator", ReportingInstance: "floor",
		Type: corev1.EventTypeNormal, Reason: cdbv1.ReasonStopAccepted, Action: "StopDBImportJob", Note: "the cloud accepted the stop, RequestId " + o.Status.RequestID,
		Regarding: corev1.ObjectReference{
			APIVersion: cdbv1.GroupVersion.String(), Kind: "ImportJobStop", Namespace: o.Namespace, Name: o.Name, UID: o.UID, ResourceVersion: o.ResourceVersion,
		},
	}
}
