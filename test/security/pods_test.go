// SPDX-License-Identifier: Apache-2.0

package security

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// admitted asks the API server, in the namespace that config/default made, whether it would take a pod.
func admitted(t *testing.T, spec *corev1.PodSpec) error {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, GenerateName: "checked-"}, Spec: *spec}
	return env.Client.Create(t.Context(), pod, client.DryRunAll)
}

// The pods of each install pass Pod Security "restricted", which the namespace enforces, and fail it when a setting is taken away.
func TestPodsAreRestricted(t *testing.T) {
	t.Parallel()
	namespace := &corev1.Namespace{}
	harness.Must(t, env.Client.Get(t.Context(), client.ObjectKey{Name: harness.Namespace}, namespace))
	if level := namespace.Labels["pod-security.kubernetes.io/enforce"]; level != "restricted" {
		t.Fatalf("the namespace enforces %q", level)
	}
	manifests := map[string]string{"config/default": kustomize(t, "config/default"), "config/namespaced": kustomize(t, "config/namespaced")}
	if *helm != "" {
		output, err := exec.CommandContext(t.Context(), *helm, "template", "importjobstop", harness.Path("config/chart")).CombinedOutput()
		if err != nil {
			t.Fatal(string(output))
		}
		manifests["config/chart"] = string(output)
	}
	for name, manifest := range manifests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := deploymentOf(t, manifest).Spec.Template.Spec
			harness.Must(t, admitted(t, &spec))
			for setting, remove := range map[string]func(*corev1.PodSpec){
				"runAsNonRoot":             func(s *corev1.PodSpec) { s.SecurityContext.RunAsNonRoot = nil },
				"seccompProfile":           func(s *corev1.PodSpec) { s.SecurityContext.SeccompProfile = nil },
				"allowPrivilegeEscalation": func(s *corev1.PodSpec) { s.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil },
				"capabilities":             func(s *corev1.PodSpec) { s.Containers[0].SecurityContext.Capabilities = nil },
				"no host network":          func(s *corev1.PodSpec) { s.HostNetwork = true },
			} {
				worse := spec.DeepCopy()
				remove(worse)
				err := admitted(t, worse)
				if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
					t.Errorf("without %s the API server says %v", setting, err)
				}
			}
			hardened(t, &spec)
		})
	}
}

// hardened checks what "restricted" does not ask for.
func hardened(t *testing.T, spec *corev1.PodSpec) {
	t.Helper()
	c := spec.Containers[0]
	for what, ok := range map[string]bool{
		"a read-only root file system":       c.SecurityContext.ReadOnlyRootFilesystem != nil && *c.SecurityContext.ReadOnlyRootFilesystem,
		"no service links":                   spec.EnableServiceLinks != nil && !*spec.EnableServiceLinks,
		"a token because it asks for one":    spec.AutomountServiceAccountToken != nil && *spec.AutomountServiceAccountToken,
		"requests and a limit of memory":     !c.Resources.Requests.Memory().IsZero() && !c.Resources.Requests.Cpu().IsZero() && !c.Resources.Limits.Memory().IsZero(),
		"no capabilities":                    slices.Equal(c.SecurityContext.Capabilities.Drop, []corev1.Capability{"ALL"}) && len(c.SecurityContext.Capabilities.Add) == 0,
		"probes":                             c.LivenessProbe != nil && c.ReadinessProbe != nil,
		"no volume, no env from a Secret":    len(spec.Volumes) == 0 && !slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.ValueFrom != nil }),
		"one container and none before it":   len(spec.Containers) == 1 && len(spec.InitContainers) == 0,
		"a ServiceAccount of its own":        spec.ServiceAccountName == "importjobstop-controller-manager",
		"metrics for authorized people only": !slices.Contains(c.Args, "--metrics-secure=false"),
		"no profiles":                        !slices.ContainsFunc(c.Args, func(a string) bool { return strings.HasPrefix(a, "--pprof") }),
	} {
		if !ok {
			t.Errorf("the pod has not: %s", what)
		}
	}
	account := &corev1.ServiceAccount{}
	harness.Must(t, env.Client.Get(t.Context(), client.ObjectKey{Namespace: harness.Namespace, Name: spec.ServiceAccountName}, account))
	if account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken {
		t.Error("the ServiceAccount gives its token to every pod that uses it")
	}
}
