// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"path/filepath"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/google/go-cmp/cmp"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// Every folder that the README offers builds, and the API server takes what comes out.
func TestKustomizations(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"config/default", "config/namespaced", "config/network-policy"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			if out, err := env.Kubectl(t.Context(), nil, "apply", "--dry-run=server", "--validate=strict", "-k", filepath.Join(harness.Root(), folder)); err != nil {
				t.Error(out)
			}
		})
	}
}

// The operator for chosen namespaces has no permission outside of them.
func TestNamespacedHasNoClusterWidePermission(t *testing.T) {
	t.Parallel()
	out, err := env.Kubectl(t.Context(), nil, "kustomize", filepath.Join(harness.Root(), "config/namespaced"))
	if err != nil {
		t.Fatal(out)
	}
	for _, kind := range []string{"kind: ClusterRole", "kind: ClusterRoleBinding", "secrets"} {
		if strings.Contains(out, kind+"\n") {
			t.Errorf("config/namespaced has a %q", kind)
		}
	}
	cluster, tenant := &rbacv1.ClusterRole{}, &rbacv1.Role{}
	text, _, _ := strings.Cut(read(t, "config/namespaced/tenant/role.yaml"), "\n---\n")
	for path, into := range map[string]any{read(t, "config/rbac/role.yaml"): cluster, text: tenant} {
		if err := yaml.Unmarshal([]byte(path), into); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(cluster.Rules, tenant.Rules); diff != "" {
		t.Errorf("the rules for one namespace are others than for all: %s", diff)
	}
}

// With the Role of one namespace, and nothing else, the operator does its work there.
func TestTheRoleOfATenantIsEnough(t *testing.T) {
	t.Parallel()
	const narrow = "narrow"
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: narrow, Name: narrow}}
	if err := env.Client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: narrow}}); err != nil {
		t.Fatal(err)
	}
	if err := env.Client.Create(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	out, err := env.Kubectl(t.Context(), nil, "kustomize", filepath.Join(harness.Root(), "config/namespaced/tenant"))
	if err != nil {
		t.Fatal(out)
	}
	out = strings.ReplaceAll(out, "name: importjobstop-controller-manager\n  namespace: importjobstop-system", "name: narrow\n  namespace: narrow")
	if out, err := env.Kubectl(t.Context(), strings.NewReader(out), "apply", "-n", narrow, "-f", "-"); err != nil {
		t.Fatal(out)
	}
	token := &authenticationv1.TokenRequest{}
	if err := env.Client.SubResource("token").Create(t.Context(), account, token); err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := env.KubeconfigOf(narrow, token.Status.Token)
	if err != nil {
		t.Fatal(err)
	}
	operator, err := env.Run(t.Context(), program, "--kubeconfig="+kubeconfig, "--namespaces="+narrow)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(operator.Kill)
	o := object("narrow")
	o.Namespace = narrow
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: narrow, Name: "creds"}, StringData: map[string]string{
		"secretId": harness.Account.SecretID, "secretKey": harness.Account.SecretKey,
	}}
	importIn("RUNNING", 0, "")(env, o)
	for _, create := range []func() error{
		func() error { return env.Client.Create(t.Context(), secret) }, func() error { return env.Client.Create(t.Context(), o) },
	} {
		if err := create(); err != nil {
			t.Fatal(err)
		}
	}
	if err := until(t.Context(), env, o, cdbv1.ReasonStopAccepted); err != nil {
		t.Errorf("%v\n%s", err, operator.Log())
	}
	if strings.Contains(operator.Log(), "forbidden") {
		t.Errorf("a permission is missing:\n%s", operator.Log())
	}
}
