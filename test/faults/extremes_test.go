// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

var (
	longRegion = "a-" + strings.Repeat("b", 61)
	longID     = strings.Repeat("z", 128) // which is no signature
)

// extremes creates an object for each value that the CRD's schema suggests, and then takes one object through all of them.
func extremes(f *fixture) {
	f.Start()
	long := strings.Repeat("s", 253)
	f.Create(f.secret(long, dataOf(accountOf("creds"))))
	n := 0
	for _, m := range f.mutations(long) {
		name := fmt.Sprint("m-", n)
		n++
		err := env.Client.Create(f.Context(), f.mutant(name, m))
		if refused := apierrors.IsInvalid(err) || apierrors.IsBadRequest(err); refused == m.valid {
			f.Errorf("%s: %v was created with %v", m.field, m.value, err)
		}
		f.inject(map[bool]string{true: "extreme", false: "invalid"}[m.valid], 1)
	}
	f.settle(1, isOver)
	f.StopImport("walker")
	for _, r := range []string{harness.Region, longRegion} {
		f.Cloud.SetImport(cdbsim.Import{Region: r, ID: f.ImportID("walker"), Status: "RUNNING"})
		f.Cloud.SetImport(cdbsim.Import{Region: r, ID: longID, Status: "RUNNING"})
	}
	f.settle(1, isOver)
	for _, m := range f.mutations(long) {
		if !m.valid || m.field == "ttlSecondsAfterFinished" {
			continue
		}
		final := m.field == "region" || m.field == "asyncRequestId" || m.value == string(cdbv1.SiteInternational)
		f.Eventually("walking through "+m.field, func() (bool, error) {
			patch, err := json.Marshal(map[string]any{"spec": map[string]any{m.field: m.value}})
			if err != nil {
				return false, err
			}
			output, err := env.Kubectl(f.Context(), nil, "patch", "ijs", "walker", "-n", f.Namespace, "--type=merge", "-p", string(patch))
			if final {
				return err != nil && strings.Contains(output, "this object is the record"), err
			}
			return err == nil, err
		})
		f.settle(1, isOver)
	}
}

// isOver: nothing is left to do, well or badly, or it is held back.
func isOver(o *cdbv1.ImportJobStop) bool {
	return isDone(o) || harness.HasReason(o, cdbv1.ReasonDeadlineExceeded, cdbv1.ReasonSuspended)
}

type mutation struct {
	field string
	value any
	valid bool
}

// mutations are derived from the schema of spec: the ends of each range, each word of each enum, and what lies beyond.
func (f *fixture) mutations(longName string) (output []mutation) {
	text, err := os.ReadFile(harness.Path("config/crd/bases/cdb.tencentcloud.com_importjobstops.yaml"))
	f.Must(err)
	crd := &apiextensionsv1.CustomResourceDefinition{}
	f.Must(yaml.Unmarshal(text, crd))
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	longest := map[string]any{"region": longRegion, "asyncRequestId": longID, "credentialsSecretRef": map[string]any{"name": longName}}
	for field, p := range spec.Properties {
		add := func(valid bool, values ...any) {
			for _, v := range values {
				output = append(output, mutation{field, v, valid})
			}
		}
		switch {
		case len(p.Enum) > 0:
			for _, word := range p.Enum {
				add(true, strings.Trim(string(word.Raw), `"`))
			}
			add(false, "Nonsense", 1)
		case p.Type == "integer":
			add(true, *p.Minimum, math.MaxInt32)
			add(false, *p.Minimum-1, math.MaxInt32+1, "one")
		case p.Type == "boolean":
			add(true, true, false)
			add(false, "yes")
		case p.Type == "string":
			add(true, longest[field])
			add(false, "", strings.Repeat("a-", int(*p.MaxLength)), "line\nline", 1)
		case p.Type == "object":
			add(true, longest[field])
			add(false, map[string]any{}, "name")
		default:
			f.Fatalf("the schema of %s is of a type that this test does not know: %s", field, p.Type)
		}
	}
	slices.SortStableFunc(output, func(a, b mutation) int { return strings.Compare(a.field, b.field) })
	return output
}

func (f *fixture) mutant(name string, m mutation) *unstructured.Unstructured {
	o := f.Object(name)
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	f.Must(err)
	delete(content, "status")
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(cdbv1.GroupVersion.WithKind("ImportJobStop"))
	text, err := json.Marshal(m.value)
	f.Must(err)
	var value any
	f.Must(json.Unmarshal(text, &value))
	f.Must(unstructured.SetNestedField(u.Object, value, "spec", m.field))
	region, _, _ := unstructured.NestedString(u.Object, "spec", "region")
	id, _, _ := unstructured.NestedString(u.Object, "spec", "asyncRequestId")
	f.Cloud.SetImport(cdbsim.Import{Region: region, ID: id, Status: "RUNNING"})
	return u
}
