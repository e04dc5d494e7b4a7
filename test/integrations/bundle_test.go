// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// The bundle for the Operator Lifecycle Manager has the CRD as it is. make verify compares all of it.
func TestTheBundleHasTheCRD(t *testing.T) {
	t.Parallel()
	spec := func(name ...string) any {
		text, err := os.ReadFile(filepath.Join(append([]string{harness.Root(), "config"}, name...)...))
		if err != nil {
			t.Fatal(err)
		}
		var crd map[string]any
		if err := yaml.Unmarshal(text, &crd); err != nil {
			t.Fatal(err)
		}
		return crd["spec"]
	}
	is := spec("bundle", "manifests", "importjobstops.cdb.tencentcloud.com.customresourcedefinition.yaml")
	if diff := cmp.Diff(spec("crd", "bases", "cdb.tencentcloud.com_importjobstops.yaml"), is); diff != "" {
		t.Error("make bundle writes it anew:", diff)
	}
}
