// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// FailedSince returns since when Ready is False, and whether it is False. The time means nothing if it is not.
func FailedSince(object *cdbv1.ImportJobStop) (time.Time, bool) {
	ready := readyOf(&object.Status)
	return ready.LastTransitionTime.Time, ready.Status == metav1.ConditionFalse
}

// UnfinishedSince returns since when the operator works on an object, and whether it does: not on a suspended or finished one. The time means
// nothing if it does not.
func UnfinishedSince(object *cdbv1.ImportJobStop) (time.Time, bool) {
	since := object.CreationTimestamp.Time
	if start := object.Status.StartTime; start != nil {
		since = start.Time
	}
	ready := readyOf(&object.Status).Status
	return since, !object.Spec.Suspend && object.Status.CompletionTime == nil && ready != metav1.ConditionTrue
}
