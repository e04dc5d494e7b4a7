// SPDX-License-Identifier: Apache-2.0

package security

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/discovery"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// The tools that make verify names.
var (
	kubeconform   = flag.String("kubeconform", "", "the program kubeconform; without it the manifests are not checked against schemas")
	controllerGen = flag.String("controller-gen", "", "the program controller-gen, which makes CRDs of hack/tools/schemas")
)

// foreignCRDs teaches the API server the kinds of the tools that our manifests are for, and of which hack/tools/schemas has the types.
func foreignCRDs(t *testing.T, f *harness.Fixture) {
	t.Helper()
	folder := t.TempDir()
	generate := exec.CommandContext(t.Context(), *controllerGen, "crd", "paths=github.com/fluxcd/kustomize-controller/api/v1", "paths=github.com/fluxcd/source-controller/api/v1",
		"paths=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1", "output:crd:artifacts:config="+folder)
	generate.Dir = harness.Path("hack/tools/schemas")
	if output, err := generate.Output(); err != nil {
		t.Fatalf("controller-gen: %v %s", err, output)
	}
	for _, name := range []string{"kustomize.toolkit.fluxcd.io_kustomizations", "source.toolkit.fluxcd.io_gitrepositories", "monitoring.coreos.com_servicemonitors", "monitoring.coreos.com_prometheusrules"} {
		env.MustKubectl(t, "apply", "--server-side", "-f", filepath.Join(folder, name+".yaml"))
		group, kind, _ := strings.Cut(name, "_")
		env.MustKubectl(t, "wait", "--for=condition=Established", "crd/"+kind+"."+group)
	}
	client, err := discovery.NewDiscoveryClientForConfig(env.Config)
	harness.Must(t, err)
	f.Eventually("the schemas of the new kinds", func() (bool, error) {
		paths, err := client.OpenAPIV3().Paths()
		return paths["apis/kustomize.toolkit.fluxcd.io/v1"] != nil && paths["apis/source.toolkit.fluxcd.io/v1"] != nil && paths["apis/monitoring.coreos.com/v1"] != nil, err
	})
}

// schemas writes a JSON schema for each kind that the API server knows, which are strict about unknown fields.
func schemas(t *testing.T) string {
	t.Helper()
	client, err := discovery.NewDiscoveryClientForConfig(env.Config)
	harness.Must(t, err)
	paths, err := client.OpenAPIV3().Paths()
	harness.Must(t, err)
	folder := t.TempDir()
	for _, group := range paths {
		text, err := group.Schema("application/json")
		harness.Must(t, err)
		var document struct {
			Components map[string]map[string]map[string]any `json:"components"`
		}
		harness.Must(t, json.Unmarshal(text, &document))
		for _, schema := range document.Components["schemas"] {
			strict(schema)
		}
		for name, schema := range document.Components["schemas"] {
			kinds, _ := schema["x-kubernetes-group-version-kind"].([]any)
			for _, k := range kinds {
				kind, _ := k.(map[string]any)
				group := kind["group"]
				if group == "" {
					group = kind["version"] // as kubeconform names the core group
				}
				file := strings.ToLower(fmt.Sprintf("%s_%s_%s.json", group, kind["version"], kind["kind"]))
				content, err := json.Marshal(map[string]any{"$ref": "#/components/schemas/" + name, "components": document.Components})
				harness.Must(t, err)
				harness.Must(t, os.WriteFile(filepath.Join(folder, file), content, 0o600))
			}
		}
	}
	return folder
}

// strict takes no field that the schema does not name, and numbers where the API takes both.
func strict(schema map[string]any) {
	if schema["properties"] != nil && schema["additionalProperties"] == nil {
		schema["additionalProperties"] = false
	}
	if schema["x-kubernetes-int-or-string"] == true || schema["format"] == "int-or-string" {
		delete(schema, "type")
		delete(schema, "format")
	}
	for _, child := range schema {
		switch c := child.(type) {
		case map[string]any:
			strict(c)
		case []any:
			for _, item := range c {
				if m, ok := item.(map[string]any); ok {
					strict(m)
				}
			}
		}
	}
}

// shipped are all manifests, by where they are.
func shipped(t *testing.T) map[string]string {
	t.Helper()
	manifests := map[string]string{}
	for _, folder := range []string{"crd", "default", "namespaced", "namespaced/tenant", "network-policy", "prometheus", "samples", "shards/a", "shards/a/tenant", "shards/b", "shards/b/tenant", "teams"} {
		manifests["config/"+folder] = kustomize(t, "config/"+folder)
	}
	for _, pattern := range []string{"config/flux/*.yaml", "config/argocd/argocd-cm.yaml", "config/argocd/resource_customizations/*/*/testdata/*.yaml"} {
		files, err := filepath.Glob(harness.Path(pattern))
		harness.Must(t, err)
		var texts []string
		for _, file := range files {
			text, err := os.ReadFile(file)
			harness.Must(t, err)
			texts = append(texts, string(text))
		}
		manifests[pattern] = strings.Join(texts, "\n---\n")
	}
	if *helm != "" {
		output, err := exec.CommandContext(t.Context(), *helm, "template", "importjobstop", harness.Path("config/chart"),
			"--set=metrics.serviceMonitor.enabled=true,metrics.rules.enabled=true,metrics.dashboard.enabled=true,networkPolicy.enabled=true").CombinedOutput()
		if err != nil {
			t.Fatal(string(output))
		}
		manifests["config/chart"] = string(output)
	}
	return manifests
}

// kubeconform is content with every manifest that is shipped, and not with one that has a wrong field.
func TestManifests(t *testing.T) {
	if *kubeconform == "" {
		t.Skip("needs -kubeconform")
	}
	t.Parallel()
	foreignCRDs(t, harness.NewFixture(t, env, "flux-system"))
	manifests := shipped(t)
	location := filepath.Join(schemas(t), "{{.Group}}_{{.ResourceAPIVersion}}_{{.ResourceKind}}.json")
	check := func(manifest string) (string, error) {
		command := exec.CommandContext(t.Context(), *kubeconform, "-summary", "-schema-location="+location)
		command.Stdin = strings.NewReader(manifest)
		output, err := command.CombinedOutput()
		return strings.TrimSpace(string(output)), err
	}
	for _, name := range slices.Sorted(maps.Keys(manifests)) {
		output, err := check(manifests[name])
		if err != nil {
			t.Errorf("%s: %s", name, output)
		}
		fmt.Printf("%s: %s\n", name, output)
	}
	for _, name := range []string{"config/prometheus", "config/flux/*.yaml"} { // whose kinds have rules of their own
		if output, err := env.Kubectl(t.Context(), strings.NewReader(manifests[name]), "apply", "--dry-run=server", "--validate=strict", "-f", "-"); err != nil {
			t.Errorf("%s: %s", name, output)
		}
	}
	for right, wrong := range map[string]string{"runAsNonRoot: true": "runAsNonRoot: maybe", "replicas: 2": "replica: 2", "verbs:": "verb:"} {
		if output, err := check(strings.Replace(manifests["config/default"], right, wrong, 1)); err == nil {
			t.Errorf("kubeconform takes %q: %s", wrong, output)
		}
	}
}
