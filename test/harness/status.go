// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// Ready is the condition of this type, or the zero condition where there is none.
func Ready(o *cdbv1.ImportJobStop) metav1.Condition {
	if c := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// HasReason says whether the status is about the newest spec, and Ready has one of these reasons.
func HasReason(o *cdbv1.ImportJobStop, reasons ...string) bool {
	return o.Status.ObservedGeneration == o.Generation && slices.Contains(reasons, Ready(o).Reason)
}
