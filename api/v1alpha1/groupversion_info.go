// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the ImportJobStop API: which data import into TencentDB for MySQL to stop, and what the operator knows of it.
// +kubebuilder:object:generate=true
// +groupName=cdb.tencentcloud.com
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of this package.
var GroupVersion = schema.GroupVersion{Group: "cdb.tencentcloud.com", Version: "v1alpha1"}

// AddToScheme adds the types of this package to a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &ImportJobStop{}, &ImportJobStopList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
