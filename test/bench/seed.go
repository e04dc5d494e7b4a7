// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// seed puts objects 0..n into etcd, as copies of one that the API server has stored: through the API it takes ten minutes for 100,000.
// edit changes the status of all; nil leaves them as they are when they are created.
func (t crowd) seed(ctx context.Context, account string, n int, edit func(*cdbv1.ImportJobStop)) error {
	first := t.Object(nameOf(account, 0), harness.UsesSecret(account))
	if err := t.Client.Create(ctx, first); err != nil {
		return err
	}
	if edit != nil {
		edit(first)
		if err := t.Client.Status().Update(ctx, first); err != nil {
			return err
		}
	}
	stored, err := t.Stored(ctx, first.Name)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(50)
	for i := 1; i < n; i++ {
		group.Go(func() error {
			name := nameOf(account, i)
			copied := strings.NewReplacer(
				string(first.UID), fmt.Sprintf("%s%012x", first.UID[:24], i),
				`"`+first.Name+`"`, `"`+name+`"`, `"`+t.ImportID(first.Name)+`"`, `"`+t.ImportID(name)+`"`,
			).Replace(string(stored))
			return t.Store(ctx, name, []byte(copied))
		})
	}
	return group.Wait()
}

// finish makes an object look as one whose stop was accepted.
func finish(o *cdbv1.ImportJobStop) {
	const requestID = "5F16B25E-03C5-1D4A-090F-AA5DD5735C67"
	target, now := o.Spec.Target(), metav1.Now()
	o.Status = cdbv1.ImportJobStopStatus{
		ObservedGeneration: o.Generation, Target: &target, RequestID: requestID, Attempts: 1,
		LastAttempt: &cdbv1.Attempt{StartTime: metav1.NowMicro(), EndTime: &metav1.MicroTime{Time: now.Time}, RequestID: requestID},
		StartTime:   &now, CompletionTime: &now,
	}
	for kind, status := range map[string]metav1.ConditionStatus{
		cdbv1.ConditionReady: "True", cdbv1.ConditionAccepted: "True", cdbv1.ConditionReconciling: "False", cdbv1.ConditionStalled: "False",
	} {
		meta.SetStatusCondition(&o.Status.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: cdbv1.ReasonStopAccepted, ObservedGeneration: o.Generation,
			Message: "the cloud accepted the stop, RequestId " + requestID,
		})
	}
}
