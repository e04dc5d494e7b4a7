// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// An empty list would mean no namespace at all, and an empty name all namespaces.
func TestTheCacheHasTheNamespacesThatAreWatched(t *testing.T) {
	t.Parallel()
	for _, namespaces := range [][]string{nil, {"shop"}, {"shop", "billing"}} {
		if got := slices.Sorted(maps.Keys(Options{Namespaces: namespaces}.manager().Cache.DefaultNamespaces)); !slices.Equal(got, slices.Sorted(slices.Values(namespaces))) {
			t.Errorf("%q: %q", namespaces, got)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	o := Options{CallsPerSecond: 20}
	for action, want := range map[string]int{"StopDBImportJob": 20, "DescribeAsyncRequestInfo": 40, "DescribeDBImportRecords": 100} {
		if got := o.limit(action); got != want {
			t.Errorf("%d calls of %s a second, want %d", got, action, want)
		}
	}
}

// The operator's kinds are mapped without asking the API server, as objects and as lists.
func TestStaticMapper(t *testing.T) {
	t.Parallel()
	m := Options{}.manager()
	mapper, err := m.MapperProvider(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []runtime.Object{&cdbv1.ImportJobStop{}, &cdbv1.ImportJobStopList{}, &corev1.Secret{}, &corev1.SecretList{}} {
		if namespaced, err := apiutil.IsObjectNamespaced(o, m.Scheme, mapper); err != nil || !namespaced {
			t.Errorf("%T: %t %v", o, namespaced, err)
		}
	}
	mapping, err := mapper.RESTMapping(cdbv1.GroupVersion.WithKind("ImportJobStop").GroupKind())
	if err != nil || mapping.Resource != cdbv1.GroupVersion.WithResource("importjobstops") {
		t.Errorf("%+v %v", mapping, err)
	}
}
