// SPDX-License-Identifier: Apache-2.0

package security

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/controllers"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// rolesOf are the rules of each Role and ClusterRole of a manifest, by kind and name.
func rolesOf(t *testing.T, manifest string) map[string][]rbacv1.PolicyRule {
	t.Helper()
	roles := map[string][]rbacv1.PolicyRule{}
	for _, document := range documents("\n" + manifest) {
		role := &rbacv1.ClusterRole{} // a Role has the same fields
		if strings.Contains("\n"+document, "\nkind: Role\n") || strings.Contains("\n"+document, "\nkind: ClusterRole\n") {
			harness.Must(t, yaml.Unmarshal([]byte(document), role))
			roles[role.Kind+" "+role.Name] = role.Rules
		}
	}
	return roles
}

// onSecrets are the verbs that rules give on Secrets, also by a wildcard.
func onSecrets(rules []rbacv1.PolicyRule) (verbs []string) {
	for _, g := range expand("", rules) {
		inGroup := g.group == "" || g.group == "*"
		if inGroup && (g.resource == "secrets" || g.resource == "*" || strings.HasPrefix(g.resource, "secrets/")) && !slices.Contains(verbs, g.verb) {
			verbs = append(verbs, g.verb)
		}
	}
	return verbs
}

// installs are the manifests of every folder of config/ that can be built, and of the chart.
func installs(t *testing.T) map[string]string {
	t.Helper()
	manifests := map[string]string{}
	harness.Must(t, filepath.WalkDir(harness.Path("config"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != "kustomization.yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		harness.Must(t, err)
		folder, err := filepath.Rel(harness.Path("."), filepath.Dir(path))
		harness.Must(t, err)
		if !strings.Contains(string(text), "kind: Component") {
			manifests[folder] = kustomize(t, folder)
		}
		return nil
	}))
	chart, err := os.ReadFile(harness.Path("config/chart/templates/operator.yaml"))
	harness.Must(t, err)
	manifests["config/chart"] = untemplated(string(chart))
	if *helm != "" {
		output, err := exec.CommandContext(t.Context(), *helm, "template", "importjobstop", harness.Path("config/chart")).CombinedOutput()
		if err != nil {
			t.Fatal(string(output))
		}
		manifests["config/chart, rendered"] = string(output)
	}
	return manifests
}

var (
	alternative = regexp.MustCompile(`(?m)^{{- else }}$`)
	instruction = regexp.MustCompile(`(?m)^ *([a-zA-Z]+: )?{{-[^}]*}}\n`)
	expression  = regexp.MustCompile(`{{[^}]*}}`)
)

// untemplated has all documents of a template of Helm, those of each alternative too. No value is in the rules of a role.
func untemplated(template string) string {
	template = instruction.ReplaceAllString(alternative.ReplaceAllString(template, "---"), "")
	return expression.ReplaceAllString(template, "value")
}

// No role of any install may list or watch Secrets, which would give it all of them. The operator's own may get one whose name it knows.
func TestNoRoleListsOrWatchesSecrets(t *testing.T) {
	t.Parallel()
	manifests := installs(t)
	for _, name := range []string{"config/default", "config/namespaced/tenant", "config/chart"} {
		found := false
		for role, rules := range rolesOf(t, manifests[name]) {
			found = found || (strings.HasSuffix(role, "manager") || strings.HasSuffix(role, "manager-role")) && slices.Equal(onSecrets(rules), []string{"get"})
		}
		if !found {
			t.Errorf("%s has no role that may get a Secret", name)
		}
	}
	roles := 0
	for _, name := range slices.Sorted(maps.Keys(manifests)) {
		for role, rules := range rolesOf(t, manifests[name]) {
			roles++
			if verbs := onSecrets(rules); len(verbs) > 0 && !slices.Equal(verbs, []string{"get"}) {
				t.Errorf("%s: %s may %s Secrets", name, role, strings.Join(verbs, ", "))
			}
		}
	}
	if roles < 10 {
		t.Errorf("only %d roles were looked at", roles)
	}
	for _, wrong := range []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps", "secrets"}, Verbs: []string{"get", "watch"}},
		{APIGroups: []string{"*"}, Resources: []string{"secrets"}, Verbs: []string{"list"}},
		{APIGroups: []string{""}, Resources: []string{"*"}, Verbs: []string{"*"}},
	} {
		if slices.Equal(onSecrets([]rbacv1.PolicyRule{wrong}), []string{"get"}) {
			t.Errorf("nobody would notice %v", wrong)
		}
	}
}

// The operator for chosen namespaces has no ClusterRole, and outside of the tenants' namespaces no Secret.
func TestNamespacedCannotListSecrets(t *testing.T) {
	t.Parallel()
	manifest := kustomize(t, "config/namespaced")
	for role, rules := range rolesOf(t, manifest) {
		if strings.HasPrefix(role, "ClusterRole") || len(onSecrets(rules)) > 0 {
			t.Errorf("config/namespaced gives more than a tenant does: %s", role)
		}
	}
	if strings.Contains(manifest, "ClusterRole") {
		t.Error("config/namespaced binds a ClusterRole")
	}
	if got := onSecrets(rolesOf(t, kustomize(t, "config/namespaced/tenant"))["Role importjobstop-manager"]); !slices.Equal(got, []string{"get"}) {
		t.Errorf("in a tenant's namespace it may %q Secrets", got)
	}
}

// Both installs differ in scope only: the same rules, and but for the namespaces and the metrics the same flags.
func TestNamespacedDiffersInScopeOnly(t *testing.T) {
	t.Parallel()
	everywhere := rolesOf(t, kustomize(t, "config/default"))["ClusterRole importjobstop-manager-role"]
	role := rolesOf(t, kustomize(t, "config/namespaced/tenant"))["Role importjobstop-manager"]
	if a, b := expand("", everywhere), expand("", role); !slices.Equal(a, b) {
		t.Errorf("the operator may %v everywhere, and %v in a tenant's namespace", a, b)
	}
	var flags [2][]string
	for i, folder := range []string{"config/default", "config/namespaced"} {
		for _, f := range deploymentOf(t, kustomize(t, folder)).Spec.Template.Spec.Containers[0].Args {
			if !strings.HasPrefix(f, "--namespaces=") && !strings.HasPrefix(f, "--metrics-bind-address=") {
				flags[i] = append(flags[i], f)
			}
		}
		slices.Sort(flags[i])
	}
	if !slices.Equal(flags[0], flags[1]) {
		t.Errorf("the flags are %q and %q", flags[0], flags[1])
	}
}

// The cache keeps what the operator looks at, and nothing else that a tenant can fill an object with.
func TestTheCacheKeepsOnlyWhatIsRead(t *testing.T) {
	t.Parallel()
	read := []string{
		cdbv1.RetryRequestedAtAnnotation, "app.kubernetes.io/instance", "applyset.kubernetes.io/part-of", "argocd.argoproj.io/instance", "argocd.argoproj.io/tracking-id",
		"helm.toolkit.fluxcd.io/name", "kapp.k14s.io/app", "kapp.k14s.io/identity", "kustomize.toolkit.fluxcd.io/name", "meta.helm.sh/release-name",
	}
	fill := func() map[string]string {
		m := map[string]string{
			"kubectl.kubernetes.io/last-applied-configuration": strings.Repeat("x", 200<<10), "app.kubernetes.io/name": "stop", "App.kubernetes.io/instance": "of another case",
			"evil.example/" + cdbv1.RetryRequestedAtAnnotation: "not ours", "": "no name",
		}
		for _, name := range read {
			m[name] = "kept"
		}
		return m
	}
	o := env.Tenant("shop").Object("full")
	o.Labels, o.Annotations = fill(), fill()
	o.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "nightly"}}
	o.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl", FieldsV1: &metav1.FieldsV1{}}}
	spec := o.Spec
	kept, err := controllers.StripUnusedFields(o)
	harness.Must(t, err)
	if kept != any(o) || o.Spec != spec || o.ManagedFields != nil || len(o.OwnerReferences) != 1 {
		t.Errorf("what is cached is %v", kept)
	}
	for what, m := range map[string]map[string]string{"labels": o.Labels, "annotations": o.Annotations} {
		if slices.Sort(read); !slices.Equal(slices.Sorted(maps.Keys(m)), read) {
			t.Errorf("the %s that are kept are %q", what, slices.Sorted(maps.Keys(m)))
		}
	}
	if other, err := controllers.StripUnusedFields("a tombstone"); err != nil || other != "a tombstone" {
		t.Errorf("what is not an ImportJobStop becomes %v, %v", other, err)
	}
}
