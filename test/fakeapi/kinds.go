// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// kind is one that the server knows.
type kind struct {
	schema.GroupVersionKind
	plural      string
	hasStatus   bool // a subresource; such a kind has a generation too
	setDefaults func(*unstructured.Unstructured)
	validate    func(old, next *unstructured.Unstructured) field.ErrorList
}

func (k *kind) resource() schema.GroupResource {
	return schema.GroupResource{Group: k.Group, Resource: k.plural}
}

// kinds by the path of their API and their plural name.
var kinds = map[string]map[string]*kind{
	"apis/cdb.tencentcloud.com/v1alpha1": {"importjobstops": {
		GroupVersionKind: schema.GroupVersionKind{Group: "cdb.tencentcloud.com", Version: "v1alpha1", Kind: "ImportJobStop"},
		plural:           "importjobstops", hasStatus: true, setDefaults: unobserved, validate: final,
	}},
	"api/v1": {
		"secrets": {GroupVersionKind: schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, plural: "secrets"},
		"events":  {GroupVersionKind: schema.GroupVersionKind{Version: "v1", Kind: "Event"}, plural: "events"}, // of leader election
	},
	"apis/coordination.k8s.io/v1": {
		"leases": {GroupVersionKind: schema.GroupVersionKind{Group: "coordination.k8s.io", Version: "v1", Kind: "Lease"}, plural: "leases"},
	},
	"apis/events.k8s.io/v1": {
		"events": {GroupVersionKind: schema.GroupVersionKind{Group: "events.k8s.io", Version: "v1", Kind: "Event"}, plural: "events"},
	},
}

// unobserved is the default of the CRD.
func unobserved(object *unstructured.Unstructured) {
	object.Object["status"] = map[string]any{"observedGeneration": int64(-1)}
}

// finalMessage is that of the rule in the CRD.
const finalMessage = "region, asyncRequestId, import and site cannot change once a stop was accepted or while the outcome of a call is unknown: " +
	"this object is the record of what was done; create another object for another import"

// final is the rule of the CRD: what was stopped, or may have been, stays the target.
func final(old, next *unstructured.Unstructured) field.ErrorList {
	requestID, _, _ := unstructured.NestedString(old.Object, "status", "requestId")
	attempt, attempted, _ := unstructured.NestedMap(old.Object, "status", "lastAttempt")
	_, completed, _ := unstructured.NestedString(old.Object, "status", "completionTime")
	unknown := attempted && (attempt["endTime"] == nil || attempt["followsUnknown"] == true && !completed)
	if requestID == "" && !unknown {
		return nil
	}
	for _, key := range []string{"region", "asyncRequestId", "import", "site"} {
		if !equality.Semantic.DeepEqual(targetField(old, key), targetField(next, key)) && !isPin(old, next, key) {
			return field.ErrorList{field.Invalid(nil, nil, finalMessage)}
		}
	}
	return nil
}

// isPin: the id of the import that was found is written into spec.
func isPin(old, next *unstructured.Unstructured, key string) bool {
	found, _, _ := unstructured.NestedString(old.Object, "status", "target", "asyncRequestId")
	return key == "asyncRequestId" && targetField(old, key) == nil && found != "" && targetField(next, key) == found
}

func targetField(object *unstructured.Unstructured, key string) any {
	value, _, _ := unstructured.NestedFieldNoCopy(object.Object, "spec", key)
	if value == nil && key == "site" {
		return "China"
	}
	return value
}

func mustHaveVersion() field.ErrorList {
	return field.ErrorList{field.Invalid(field.NewPath("metadata", "resourceVersion"), 0, "must be specified for an update")}
}
