// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// The tools that take minutes to build; make test-integrations builds and names them.
var (
	helm     = flag.String("helm", "", "the program helm; without it the chart is not tested")
	promtool = flag.String("promtool", "", "the program promtool; without it the alert rules are not tested")
)

func runTool(t *testing.T, program string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+env.Kubeconfig)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %s", filepath.Base(program), strings.Join(args, " "), output)
	}
	return string(output)
}

// byName are the objects of a manifest, without what Helm or kustomize alone put into them.
func byName(t *testing.T, manifest string) map[string]map[string]any {
	t.Helper()
	objects := map[string]map[string]any{}
	for document := range strings.SplitSeq(manifest, "\n---\n") {
		u := &unstructured.Unstructured{}
		harness.Must(t, yaml.Unmarshal([]byte(document), &u.Object))
		if u.GetKind() == "" || u.GetKind() == "Namespace" {
			continue
		}
		annotations := u.GetAnnotations()
		delete(annotations, "helm.sh/resource-policy")
		u.SetAnnotations(annotations)
		objects[u.GetKind()+"/"+u.GetName()] = u.Object
	}
	return objects
}

// The chart makes what config/default makes, and the API server takes it.
func TestHelmChart(t *testing.T) {
	if *helm == "" {
		t.Skip("needs -helm")
	}
	t.Parallel()
	chart := harness.Path("config/chart")
	runTool(t, *helm, "lint", "--strict", chart)
	args := []string{"template", "importjobstop", chart, "--namespace=importjobstop-system"}
	rendered := runTool(t, *helm, append(args, "--set=image.repository=controller,image.tag=latest")...)
	kustomized := kustomize(t, harness.Path("config/default"))
	if diff := cmp.Diff(byName(t, kustomized), byName(t, rendered)); diff != "" {
		t.Errorf("the chart is not what config/default is: %s", diff)
	}
	wantTaken(t, rendered)
	other := runTool(t, *helm, append(args, "--set=replicas=1,crds.install=false,extraArgs={--regional-endpoints},priorityClassName=high")...)
	if !strings.Contains(other, `- "--regional-endpoints"`) || !strings.Contains(other, "replicas: 1\n") || !strings.Contains(other, "priorityClassName: high\n") || strings.Contains(other, "CustomResourceDefinition") {
		t.Error("the values change nothing")
	}
	for _, wrong := range []string{"replicas=two", "replica=2", "extraArgs={regional}", "image.repository="} {
		if output, err := exec.CommandContext(t.Context(), *helm, append(args, "--set="+wrong)...).CombinedOutput(); err == nil {
			t.Errorf("%s was taken: %.200s", wrong, output)
		}
	}
}

// helm install --wait of a chart that has the object: done returns, failed fails at once, all else runs into the timeout.
func TestHelmWait(t *testing.T) {
	if *helm == "" {
		t.Skip("needs -helm")
	}
	t.Parallel()
	want := map[health]string{inProgress: "times out", held: "times out", done: "deployed", failed: "failed"}
	for _, p := range phases {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			o := stripped(recorded[p.name])
			unstructured.RemoveNestedField(o.Object, "status")
			manifest, err := yaml.Marshal(o.Object)
			harness.Must(t, err)
			chart := t.TempDir()
			for name, text := range map[string]string{"Chart.yaml": "apiVersion: v2\nname: stop\nversion: 0.0.0\n", "templates/stop.yaml": string(manifest)} {
				harness.Must(t, os.MkdirAll(filepath.Dir(filepath.Join(chart, name)), 0o700))
				harness.Must(t, os.WriteFile(filepath.Join(chart, name), []byte(text), 0o600))
			}
			command := exec.CommandContext(t.Context(), *helm, "install", p.name, chart, "--take-ownership", "--wait", "--timeout=4s", "-n", namespaceOf(p))
			command.Env = append(os.Environ(), "KUBECONFIG="+env.Kubeconfig)
			output, err := command.CombinedOutput()
			got := "deployed"
			if err != nil {
				got = "failed"
				if strings.Contains(string(output), "InProgress") {
					got = "times out"
				}
			}
			check(t, "helm --wait", p, got, want[p.health])
			if t.Failed() {
				t.Logf("helm: %s", output)
			}
		})
	}
}

// Install, upgrade, uninstall and install again, on a cluster of its own, lose no object.
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
	run := func(args ...string) {
		command := exec.CommandContext(t.Context(), *helm, append(args, "--namespace=stops")...)
		command.Env = append(os.Environ(), "KUBECONFIG="+cluster.Kubeconfig)
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("helm %s: %s", strings.Join(args, " "), output)
		}
	}
	chart := harness.Path("config/chart")
	run("install", "importjobstop", chart, "--create-namespace")
	kubectl("wait", "--for=condition=Established", "crd/importjobstops.cdb.tencentcloud.com")
	kubectl("apply", "-f", harness.Path("config/samples/cdb_v1alpha1_importjobstop.yaml"))
	before := kubectl("get", "ijs", "-o", "yaml")
	run("upgrade", "importjobstop", chart, "--set=replicas=1")
	if replicas := kubectl("get", "deployment", "-n", "stops", "-o", "jsonpath={.items[*].spec.replicas}"); replicas != "1" {
		t.Errorf("%s replicas after the upgrade", replicas)
	}
	run("rollback", "importjobstop", "1")
	run("uninstall", "importjobstop")
	if left := kubectl("get", "deployments,clusterroles", "-A", "-o", "name"); strings.Contains(left, "importjobstop-manager") {
		t.Errorf("uninstall leaves %s", left)
	}
	run("install", "importjobstop", chart)
	if diff := cmp.Diff(before, kubectl("get", "ijs", "-o", "yaml")); diff != "" {
		t.Errorf("the object is not what it was: %s", diff)
	}
}

// The alert rules are right, and fire when they should.
func TestAlertRules(t *testing.T) {
	if *promtool == "" {
		t.Skip("needs -promtool")
	}
	t.Parallel()
	dir := t.TempDir()
	var rule struct {
		Spec map[string]any `json:"spec"`
	}
	harness.Must(t, yaml.Unmarshal([]byte(read(t, "config/prometheus/rules.yaml")), &rule))
	rules, err := yaml.Marshal(rule.Spec)
	harness.Must(t, err)
	for name, text := range map[string][]byte{"rules.yaml": rules, "rules_test.yaml": []byte(read(t, "config/prometheus/rules_test.yaml"))} {
		harness.Must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	runTool(t, *promtool, "check", "rules", filepath.Join(dir, "rules.yaml"))
	runTool(t, *promtool, "test", "rules", filepath.Join(dir, "rules_test.yaml"))
}

var byReason = regexp.MustCompile(`importjobstop_objects\{reason(=|=~|!~)"([^"]*)"\}`)

// Each reason that calls for somebody is told by one alert, and by one only: also a reason that nobody has thought of.
func TestEachReasonHasAnAlert(t *testing.T) {
	t.Parallel()
	nobody := []string{cdbv1.ReasonStopAccepted, cdbv1.ReasonImportStopped, cdbv1.ReasonAlreadyStopped, cdbv1.ReasonSuspended}
	selectors := byReason.FindAllStringSubmatch(read(t, "config/prometheus/rules.yaml"), -1)
	if len(selectors) < 3 {
		t.Fatalf("only %d alerts are about reasons", len(selectors))
	}
	for _, reason := range append(reasons(t), "None", "OfALaterVersion") {
		alerts := 0
		for _, selector := range selectors {
			if slices.Contains(strings.Split(selector[2], "|"), reason) == (selector[1] != "!~") {
				alerts++
			}
		}
		want := 1
		if slices.Contains(nobody, reason) {
			want = 0
		}
		if alerts != want {
			t.Errorf("%d alerts are about %s, want %d", alerts, reason, want)
		}
	}
}

// Each alert has its test.
func TestEachAlertHasATest(t *testing.T) {
	t.Parallel()
	var rules struct {
		Spec struct {
			Groups []struct {
				Rules []struct{ Alert string } `json:"rules"`
			} `json:"groups"`
		} `json:"spec"`
	}
	harness.Must(t, yaml.Unmarshal([]byte(read(t, "config/prometheus/rules.yaml")), &rules))
	tests := read(t, "config/prometheus/rules_test.yaml")
	names := []string{}
	for _, r := range rules.Spec.Groups[0].Rules {
		if !strings.Contains(tests, "alertname: "+r.Alert+"\n") || slices.Contains(names, r.Alert) {
			t.Errorf("%s has no test, or stands there twice", r.Alert)
		}
		names = append(names, r.Alert)
	}
}
