// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

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

// templated is what Helm makes of the chart with values.
func templated(t *testing.T, values string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), *helm, "template", "importjobstop", harness.Path("config/chart"), "--namespace=importjobstop-system", "--values=-")
	command.Stdin = strings.NewReader(values)
	output, err := command.CombinedOutput()
	return string(output), err
}

// monitoringKinds teaches the API server the kinds of the Prometheus operator by name. TestManifests checks their fields.
func monitoringKinds(t *testing.T) {
	t.Helper()
	for plural, kind := range map[string]string{"servicemonitors": "ServiceMonitor", "prometheusrules": "PrometheusRule"} {
		crd := fmt.Sprintf("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: %[1]s.monitoring.coreos.com}\n"+
			"spec: {group: monitoring.coreos.com, scope: Namespaced, names: {plural: %[1]s, kind: %[2]s}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}", plural, kind)
		_, err := env.Kubectl(t.Context(), strings.NewReader(crd), "apply", "-f", "-")
		harness.Must(t, err)
		env.MustKubectl(t, "wait", "--for=condition=Established", "crd/"+plural+".monitoring.coreos.com")
	}
}

// The chart with each of its values makes what it says, and the API server takes it.
func TestHelmChart(t *testing.T) {
	if *helm == "" {
		t.Skip("needs -helm")
	}
	t.Parallel()
	runTool(t, *helm, "lint", "--strict", harness.Path("config/chart"))
	monitoringKinds(t)
	for _, r := range renderings {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			output, err := templated(t, r.values)
			if err != nil {
				t.Fatal(output)
			}
			for _, want := range r.has {
				if !strings.Contains(output, want) {
					t.Errorf("no %q in %s", want, output)
				}
			}
			for _, wrong := range r.lacks {
				if strings.Contains(output, wrong) {
					t.Errorf("%q is in %s", wrong, output)
				}
			}
			wantTaken(t, output)
			fmt.Printf("chart %s: %d objects\n", r.name, len(byName(t, output)))
		})
	}
}

// Where the chart and the folders of config should be equal, they are.
func TestHelmChartIsWhatKustomizeMakes(t *testing.T) {
	if *helm == "" {
		t.Skip("needs -helm")
	}
	t.Parallel()
	const image = "image: {repository: controller, tag: latest}"
	for folder, values := range map[string]string{
		"config/default":        "{" + image + "}",
		"config/prometheus":     "{metrics: {serviceMonitor: {enabled: true}, rules: {enabled: true}}}",
		"config/network-policy": "{networkPolicy: {enabled: true}}",
		"config/namespaced":     "{" + image + ", namespaces: [shop], metrics: {enabled: false}, rbac: {userRoles: false}, crds: {install: false}}",
	} {
		output, err := templated(t, values)
		if err != nil {
			t.Fatal(output)
		}
		chart, want := byName(t, output), byName(t, kustomize(t, harness.Path(folder)))
		for name, object := range want {
			if folder == "config/namespaced" && strings.HasPrefix(name, "Deployment/") {
				continue // has its flags in another order
			}
			if diff := cmp.Diff(object, chart[name]); diff != "" {
				t.Errorf("%s of the chart is not that of %s: %s", name, folder, diff)
			}
		}
		if folder == "config/default" && len(chart) != len(want) {
			t.Errorf("the chart has %d objects, %s has %d", len(chart), folder, len(want))
		}
		if folder == "config/namespaced" {
			inNamespace := byName(t, kustomize(t, harness.Path("config/namespaced/tenant")))
			if diff := cmp.Diff(inNamespace["Role/importjobstop-manager"]["rules"], chart["Role/importjobstop-manager-role"]["rules"]); diff != "" {
				t.Errorf("the Role in a namespace: %s", diff)
			}
		}
	}
}

// Each value is tried by a rendering, and one that is wrong is refused.
func TestHelmValues(t *testing.T) {
	if *helm == "" {
		t.Skip("needs -helm")
	}
	t.Parallel()
	tried := map[string]bool{}
	for _, r := range renderings {
		var values map[string]any
		harness.Must(t, yaml.Unmarshal([]byte(r.values), &values))
		collect(values, "", tried)
	}
	rows := regexp.MustCompile("(?m)^\\| `([A-Za-z.]+)` \\|").FindAllStringSubmatch(read(t, "config/chart/README.md"), -1)
	if len(rows) < 40 {
		t.Errorf("only %d values are in the README", len(rows))
	}
	for _, row := range rows {
		path := row[1]
		if !tried[path] {
			t.Errorf("no rendering has %s", path)
		}
	}
	for _, wrong := range []string{
		"{replicas: two}", "{replica: 2}", "{extraArgs: [regional]}", "{image: {repository: ''}}", "{image: {digest: 'sha256:12'}}", "{namespaces: [Shop]}", "{namespaces: [a, a]}",
		"{resources: {limits: {memory: much}}}", "{resources: {limits: {memory: 16Mi}}}", "{podLabels: {app.kubernetes.io/name: mine}}", "{commonLabels: {app.kubernetes.io/name: mine}}",
		"{metrics: {enabled: false, serviceMonitor: {enabled: true}}}", "{fullnameOverride: Big}", "{topologySpreadConstraints: [{maxSkew: 1}]}", "{imagePullSecrets: [mine]}", "{podAnnotations: {a: 1}}",
	} {
		if output, err := templated(t, wrong); err == nil {
			t.Errorf("%s was taken: %.200s", wrong, output)
		}
	}
}

// collect writes the paths of values.
func collect(values map[string]any, path string, paths map[string]bool) {
	for name, value := range values {
		paths[path+name] = true
		if below, ok := value.(map[string]any); ok {
			collect(below, path+name+".", paths)
		}
	}
}

// The generator fails if a text that it replaces is not there exactly once, and if it knows an object not.
func TestTheGeneratorOfTheChartNoticesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "chart")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program, "./hack/chart")
	build.Dir = harness.Root()
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatal(string(output))
	}
	root := t.TempDir()
	harness.Must(t, os.CopyFS(filepath.Join(root, "config"), os.DirFS(harness.Path("config"))))
	manifest := kustomize(t, harness.Path("config/default"))
	generate := func(manifest string) (string, error) {
		command := exec.CommandContext(t.Context(), program)
		command.Dir, command.Stdin = root, strings.NewReader(manifest)
		output, err := command.CombinedOutput()
		return string(output), err
	}
	if output, err := generate(manifest); err != nil {
		t.Fatal(output)
	}
	for _, file := range []string{"templates/operator.yaml", "templates/crd.yaml", "values.yaml", "README.md", "files/rules.yaml", "files/dashboard.json"} {
		written, err := os.ReadFile(filepath.Join(root, "config/chart", file))
		harness.Must(t, err)
		if string(written) != read(t, "config/chart", file) {
			t.Errorf("config/chart/%s is not up to date: make chart", file)
		}
	}
	for _, change := range [][2]string{
		{"memory: 96Mi", "memory: 128Mi"},
		{"- --leader-elect\n        - --metrics-bind-address=:8443\n", "- --leader-elect\n        - --metrics-bind-address=:8443\n        - --metrics-bind-address=:8443\n"},
		{"image: controller:latest", "image: controller:v1"},
		{"name: importjobstop-metrics-reader", "name: importjobstop-another-reader"},
		{"        image: controller:latest\n", "        command: [/manager, --namespaces=importjobstop-system]\n        image: controller:latest\n"},
	} {
		if !strings.Contains(manifest, change[0]) {
			t.Fatalf("config/default has no %q", change[0])
		}
		if output, err := generate(strings.Replace(manifest, change[0], change[1], 1)); err == nil {
			t.Errorf("nobody would notice %q: %s", change[1], output)
		}
	}
}
