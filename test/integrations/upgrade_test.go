// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// older is the chart with a CRD that does not know a field of the spec, nor the rules that are about it.
func older(t *testing.T, field string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "chart")
	harness.Must(t, os.CopyFS(folder, os.DirFS(harness.Path("config/chart"))))
	text := read(t, "config/crd/bases/cdb.tencentcloud.com_importjobstops.yaml")
	crd := &unstructured.Unstructured{}
	harness.Must(t, yaml.Unmarshal([]byte(text), &crd.Object))
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	schema, _ := versions[0].(map[string]any)
	if _, found, _ := unstructured.NestedMap(schema, "schema", "openAPIV3Schema", "properties", "spec", "properties", field); !found {
		t.Fatalf("the CRD has no spec.%s", field)
	}
	unstructured.RemoveNestedField(schema, "schema", "openAPIV3Schema", "properties", "spec", "properties", field)
	unstructured.RemoveNestedField(schema, "schema", "openAPIV3Schema", "properties", "spec", "x-kubernetes-validations")
	unstructured.RemoveNestedField(schema, "schema", "openAPIV3Schema", "x-kubernetes-validations")
	harness.Must(t, unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions"))
	crd.SetAnnotations(map[string]string{"helm.sh/resource-policy": "keep"})
	written, err := yaml.Marshal(crd.Object)
	harness.Must(t, err)
	harness.Must(t, os.WriteFile(filepath.Join(folder, "templates/crd.yaml"), written, 0o600))
	return folder
}

// Install, upgrade, rollback, uninstall and install under another name, on a cluster of its own and between two CRDs, lose no object.
// A rollback hides spec.import, which the older CRD does not know, and the next write of an object loses it: its guard is gone.
func TestHelmKeepsTheObjects(t *testing.T) {
	if *helm == "" {
		t.Skip("needs -helm")
	}
	t.Parallel()
	cluster, err := harness.Start(t.Context())
	harness.Must(t, err)
	t.Cleanup(cluster.Stop)
	kubectl := func(args ...string) string { return cluster.MustKubectl(t, args...) }
	kubectl("delete", "-k", harness.Path("config/crd"))
	kubectl("delete", "--ignore-not-found", "--wait=false", "-k", harness.Path("config/default")) // a namespace does not end here
	try := func(args ...string) (string, error) {
		command := exec.CommandContext(t.Context(), *helm, append(args, "--namespace=stops")...)
		command.Env = append(os.Environ(), "KUBECONFIG="+cluster.Kubeconfig)
		output, err := command.CombinedOutput()
		return string(output), err
	}
	run := func(args ...string) {
		t.Helper()
		if output, err := try(args...); err != nil {
			t.Fatalf("helm %s: %s", strings.Join(args, " "), output)
		}
	}
	const field = "import"
	get := func() string { return kubectl("get", "ijs", "stop-later", "-o", "jsonpath={.spec."+field+"}") }
	current, old := harness.Path("config/chart"), older(t, field)
	run("install", "importjobstop", old, "--create-namespace")
	kubectl("wait", "--for=condition=Established", "crd/importjobstops.cdb.tencentcloud.com")
	kubectl("apply", "-f", harness.Path("config/samples/cdb_v1alpha1_importjobstop.yaml"))
	before := kubectl("get", "ijs", "stop-nightly-import", "-o", "yaml")
	run("upgrade", "importjobstop", current, "--set=replicas=1")
	if replicas := kubectl("get", "deployment", "-n", "stops", "-o", "jsonpath={.items[*].spec.replicas}"); replicas != "1" {
		t.Errorf("%s replicas after the upgrade", replicas)
	}
	newer := "apiVersion: cdb.tencentcloud.com/v1alpha1\nkind: ImportJobStop\nmetadata: {name: stop-later, namespace: default}\n" +
		"spec: {region: ap-guangzhou, asyncRequestId: import-1, credentialsSecretRef: {name: creds}, suspend: true, import: {instanceId: cdb-c1nl9rpv}}"
	harness.In(t, cluster.Tenant("default")).Eventually("the new field is known", func() (bool, error) {
		_, err := cluster.Kubectl(t.Context(), strings.NewReader(newer), "apply", "--validate=strict", "-f", "-")
		return err == nil, err
	})
	run("rollback", "importjobstop", "1")
	harness.In(t, cluster.Tenant("default")).Eventually("the rollback hides the field", func() (bool, error) { return get() == "", nil })
	run("upgrade", "importjobstop", current)
	harness.In(t, cluster.Tenant("default")).Eventually("an upgrade shows the field again", func() (bool, error) { return get() != "", nil })
	run("rollback", "importjobstop", "1")
	harness.In(t, cluster.Tenant("default")).Eventually("the rollback hides the field", func() (bool, error) {
		kubectl("label", "--overwrite", "ijs", "stop-later", "written=after-the-rollback")
		return get() == "", nil
	})
	run("upgrade", "importjobstop", current)
	if value := get(); value != "" {
		t.Errorf("what was written after the rollback still has the value %s", value)
	}
	run("uninstall", "importjobstop")
	if left := kubectl("get", "deployments,clusterroles", "-A", "-o", "name"); strings.Contains(left, "importjobstop-manager") {
		t.Errorf("uninstall leaves %s", left)
	}
	if output, err := try("install", "another", current); err == nil || !strings.Contains(output, "take-ownership") && !strings.Contains(output, "ownership metadata") {
		t.Errorf("an install under another name says %q", output)
	}
	run("install", "another", current, "--take-ownership")
	if diff := cmp.Diff(before, kubectl("get", "ijs", "stop-nightly-import", "-o", "yaml")); diff != "" {
		t.Errorf("the object is not what it was: %s", diff)
	}
}
