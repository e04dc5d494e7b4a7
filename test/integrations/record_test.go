// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"flag"
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

var update = flag.Bool("update", false, "write the recorded objects to the testdata of Argo CD's health check")

// TestUpdate writes what Argo CD's own tests would read. It changes nothing without -update.
func TestUpdate(t *testing.T) {
	if !*update {
		t.Skip("needs -update")
	}
	type healthStatus struct {
		Status  string `json:"status"`
		Message string `json:"message"`
	}
	type entry struct {
		HealthStatus healthStatus `json:"healthStatus"`
		InputPath    string       `json:"inputPath"`
	}
	var tests struct {
		Tests []entry `json:"tests"`
	}
	script := read(t, lualib, "health.lua")
	for _, p := range phases {
		o := stripped(recorded[p.name])
		health, message := runLua(t, script, o.Object)
		path := "testdata/" + p.name + ".yaml"
		tests.Tests = append(tests.Tests, entry{healthStatus{health, message}, path})
		write(t, path, o.Object)
	}
	write(t, "health_test.yaml", tests)
}

// stripped is an object without what differs from run to run and matters to nobody.
func stripped(o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	o.SetManagedFields(nil)
	o.SetUID("")
	o.SetResourceVersion("")
	unstructured.RemoveNestedField(o.Object, "metadata", "creationTimestamp")
	return o
}

func write(t *testing.T, path string, content any) {
	t.Helper()
	text, err := yaml.Marshal(content)
	harness.Must(t, err)
	harness.Must(t, os.WriteFile(harness.Path(lualib, path), text, 0o644))
}
