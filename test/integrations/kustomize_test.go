// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// Every folder that the README offers builds, and the API server takes what comes out.
func TestKustomizations(t *testing.T) {
	t.Parallel()
	where := map[string]string{"config/samples": "kube-public"} // away from where TestCommands has stopped them
	for _, folder := range []string{"config/default", "config/namespaced", "config/namespaced/tenant", "config/network-policy", "config/crd", "config/samples"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			if output, err := env.Kubectl(t.Context(), nil, "apply", "--dry-run=server", "--validate=strict", "-n", where[folder], "-k", harness.Path(folder)); err != nil {
				t.Error(output)
			}
		})
	}
}

// make build-installer writes config/default with the image that it is told.
func TestInstaller(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, target := range []string{"deploy", "undeploy", "build-installer"} {
		plan := exec.CommandContext(t.Context(), "make", "--dry-run", target)
		plan.Dir = harness.Root()
		if output, err := plan.CombinedOutput(); err != nil || strings.Contains(string(output), "controlplane") {
			t.Errorf("make %s needs a control plane: %v %s", target, err, output)
		}
	}
	build := exec.CommandContext(t.Context(), "make", "build-installer", "DIST="+folder, "IMG=registry.example/operator:v1", "KUBECTL="+filepath.Join(env.Assets(), "kubectl"))
	build.Dir = harness.Root()
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatal(string(output))
	}
	installer, err := os.ReadFile(filepath.Join(folder, "install.yaml"))
	harness.Must(t, err)
	want := strings.Replace(kustomize(t, harness.Path("config/default")), "image: controller:latest", "image: registry.example/operator:v1", 1)
	if diff := cmp.Diff(want, string(installer)); diff != "" {
		t.Error(diff)
	}
	wantTaken(t, string(installer))
}

// The folders are bases by URL too: nothing in them reaches out of its repository, and a version can be named.
func TestRemoteBases(t *testing.T) {
	t.Parallel()
	repository := t.TempDir()
	shell := exec.CommandContext(t.Context(), "bash", "-euc", `
		cp -r "$1/config" .
		git init -q -b main
		git add .
		git -c user.name=test -c user.email=test@example commit -qm "as it is"
		git tag v1`, "bash", harness.Root())
	shell.Dir = repository
	if output, err := shell.CombinedOutput(); err != nil {
		t.Fatal(string(output))
	}
	for _, folder := range []string{"config/default", "config/namespaced"} {
		remote := kustomize(t, "file://"+repository+"//"+folder+"?ref=v1")
		if diff := cmp.Diff(kustomize(t, harness.Path(folder)), remote); diff != "" {
			t.Errorf("%s by URL is another: %s", folder, diff)
		}
	}
	mine := t.TempDir()
	text := fmt.Sprintf("resources: ['file://%[1]s//config/default?ref=v1']\ncomponents: ['file://%[1]s//config/metrics-cert?ref=v1']\n", repository)
	harness.Must(t, os.WriteFile(filepath.Join(mine, "kustomization.yaml"), []byte(text), 0o600))
	withCert := kustomize(t, mine)
	if !strings.Contains(withCert, "- --metrics-cert-path=/metrics-cert\n") || !strings.Contains(withCert, "secretName: importjobstop-metrics-cert\n") {
		t.Error("config/metrics-cert changes nothing")
	}
	wantTaken(t, withCert)
}

// Prometheus verifies the certificate where there is one to verify, and only there.
func TestPrometheusVerifiesTheCertificate(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	harness.Must(t, os.CopyFS(filepath.Join(folder, "config"), os.DirFS(harness.Path("config"))))
	text := "resources: [config/default, config/prometheus]\ncomponents: [config/metrics-cert]\n"
	harness.Must(t, os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(text), 0o600))
	both, alone := byName(t, kustomize(t, folder)), byName(t, kustomize(t, harness.Path("config/prometheus")))
	const name = "ServiceMonitor/importjobstop-controller-manager"
	tls := func(objects map[string]map[string]any) map[string]any {
		endpoints, _, _ := unstructured.NestedSlice(objects[name], "spec", "endpoints")
		endpoint, _ := endpoints[0].(map[string]any)
		config, _ := endpoint["tlsConfig"].(map[string]any)
		return config
	}
	want := map[string]any{
		"serverName": "importjobstop-controller-manager-metrics.importjobstop-system.svc",
		"ca":         map[string]any{"secret": map[string]any{"name": "importjobstop-metrics-cert", "key": "ca.crt"}},
	}
	if diff := cmp.Diff(want, tls(both)); diff != "" {
		t.Errorf("with a certificate: %s", diff)
	}
	if diff := cmp.Diff(map[string]any{"insecureSkipVerify": true}, tls(alone)); diff != "" {
		t.Errorf("without: %s", diff)
	}
	if both["Service/importjobstop-controller-manager-metrics"] == nil {
		t.Error("no Service has the name that is verified")
	}
}

// Argo CD's ConfigMap gets the health check by the component, and keeps what it had; the objects for Prometheus build.
func TestComponents(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"kustomization.yaml": "resources: [cm.yaml]\ncomponents: [argocd]\n",
		"cm.yaml":            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, labels: {app.kubernetes.io/part-of: argocd}}\ndata: {admin.enabled: 'false'}\n",
	} {
		harness.Must(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	harness.Must(t, os.CopyFS(filepath.Join(folder, "argocd"), os.DirFS(harness.Path("config/argocd"))))
	for output, wants := range map[string][]string{
		kustomize(t, folder):                            {"admin.enabled: \"false\"", "resource.customizations.health.cdb.tencentcloud.com_ImportJobStop"},
		kustomize(t, harness.Path("config/prometheus")): {"kind: ServiceMonitor", "kind: PrometheusRule"},
	} {
		for _, want := range wants {
			if !strings.Contains(output, want) {
				t.Errorf("no %s in %s", want, output)
			}
		}
	}
}

func kustomize(t *testing.T, folder string) string {
	t.Helper()
	return env.MustKubectl(t, "kustomize", folder)
}

// wantTaken checks that the API server takes a manifest.
func wantTaken(t *testing.T, manifest string) {
	t.Helper()
	if _, err := env.Kubectl(t.Context(), strings.NewReader(manifest), "apply", "--dry-run=server", "--validate=strict", "-f", "-"); err != nil {
		t.Error(err)
	}
}
