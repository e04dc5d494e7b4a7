// SPDX-License-Identifier: Apache-2.0

package security

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// flagsOf the container in the Deployment of a manifest, without those that need a pod.
func flagsOf(t *testing.T, manifest string) (flags []string) {
	t.Helper()
	for _, f := range deploymentOf(t, manifest).Spec.Template.Spec.Containers[0].Args {
		if !strings.HasPrefix(f, "--health-probe-bind-address") && f != "--metrics-bind-address=:8443" {
			flags = append(flags, f)
		}
	}
	return flags
}

func deploymentOf(t *testing.T, manifest string) *appsv1.Deployment {
	t.Helper()
	for _, document := range documents(manifest) {
		if strings.Contains(document, "\nkind: Deployment\n") {
			d := &appsv1.Deployment{}
			harness.Must(t, yaml.UnmarshalStrict([]byte(document), d))
			return d
		}
	}
	t.Fatal("no Deployment in the manifest")
	return nil
}

// workload is what an operator does in its life: it leads, waits for a Secret, succeeds, deletes, fails, and finds an object changed
// when it comes to write the answer.
func workload(t *testing.T, f *harness.Fixture, flags []string, reader string) {
	t.Helper()
	metrics, err := harness.FreeAddress()
	f.Must(err)
	if reader != "" {
		flags = append(flags, "--metrics-bind-address="+metrics)
	}
	f.Start(flags...)
	env.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, AsyncRequestID: f.ImportID("unknown"), Times: 1})
	f.StopImport("done", func(o *cdbv1.ImportJobStop) { o.Spec.TTLSecondsAfterFinished = new(int32(1)) })
	f.Create(f.Object("unknown"))
	f.UntilReason("done", cdbv1.ReasonCredentialsNotFound)
	f.Account("creds")
	f.UntilReason("unknown", cdbv1.ReasonStopping)
	f.Update("unknown", func(o *cdbv1.ImportJobStop) { o.Labels = map[string]string{"changed": "meanwhile"} })
	f.UntilReason("unknown", cdbv1.ReasonImportNotFound)
	f.Eventually("deleted", func() (bool, error) {
		_, err := f.Tenant.Get(f.Context(), "done")
		return apierrors.IsNotFound(err), err
	})
	f.Update("unknown", func(o *cdbv1.ImportJobStop) {
		o.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: "again"}
	})
	f.Eventually("told again in an event", func() (bool, error) {
		events := &eventsv1.EventList{}
		err := env.Client.List(f.Context(), events, client.InNamespace(f.Namespace), client.MatchingFields{"regarding.name": "unknown"})
		return len(events.Items) >= 2, err
	})
	if reader != "" {
		if code, _ := scrape(t, metrics, reader); code != 200 {
			t.Errorf("HTTP %d for the metrics", code)
		}
	}
	if err := f.Operator.Terminate(); err != nil {
		t.Errorf("it did not stop well: %v", err)
	}
	f.Must(env.Client.Delete(f.Context(), f.Secret("creds", cdbsim.Account{})))
	f.Must(env.Client.Delete(f.Context(), f.Object("unknown")))
}

// Each rule of config/ is used by something, nothing is refused, and the check notices any rule that is taken away or added.
// It is the first to run, alone, because one of the operators watches all namespaces.
func TestEachRuleIsUsedAndNoneIsMissing(t *testing.T) {
	narrow := strings.ReplaceAll(kustomize(t, "config/namespaced"), harness.Namespace, "narrow-system")
	role := strings.ReplaceAll(kustomize(t, "config/namespaced/tenant"), harness.Namespace, "narrow-system")
	rules, shop := harness.NewFixture(t, env, "rules"), harness.NewFixture(t, env, "shop")
	apply(t, narrow)
	apply(t, role, "-n", "shop")
	token, err := env.Token(t.Context(), "narrow-system", "importjobstop-controller-manager")
	harness.Must(t, err)
	kubeconfig, err := env.KubeconfigOf("narrow", token)
	harness.Must(t, err)
	for _, install := range []struct {
		config, system string
		users          *harness.Fixture
		flags          []string
		reader         string
	}{
		{"config/default", harness.Namespace, rules, append(flagsOf(t, kustomize(t, "config/default")), "--namespaces="), metricsReader(t)},
		{"config/namespaced", "narrow-system", shop, append(flagsOf(t, narrow), "--kubeconfig="+kubeconfig), ""},
	} {
		t.Run(install.config, func(t *testing.T) {
			flags := append(install.flags, "--leader-election-namespace="+install.system)
			defer checkRules(t, install.config, install.system)   // also when the workload fails, as it does without a rule
			for _, watchList := range []string{"true", "false"} { // an older API server has no streaming lists
				t.Setenv("KUBE_FEATURE_WatchListClient", watchList)
				workload(t, harness.In(t, install.users.Tenant), flags, install.reader)
			}
		})
	}
}

// checkRules checks what is granted to the operator in a namespace by what it has done, and the check by grants taken away and added.
func checkRules(t *testing.T, config, system string) {
	t.Helper()
	requests, err := env.Audit(system, "importjobstop-controller-manager")
	harness.Must(t, err)
	grants := grantsOf(t, system)
	usedBy, wrong := check(grants, requests)
	if len(wrong) > 0 {
		t.Error(strings.Join(wrong, "\n"))
	}
	printRules(config, grants, usedBy)
	for i, g := range grants {
		if _, wrong := check(slices.Delete(slices.Clone(grants), i, i+1), requests); len(wrong) == 0 {
			t.Errorf("nobody would notice that it lacks %s", g)
		}
	}
	for _, g := range []grant{
		{"", "secrets", "list", "", ""},
		{"", "secrets", "watch", "", ""},
		{"", "secrets", "list", "", "elsewhere"},
		{"", "secrets", "list", "some", ""},
		{"", "secrets", "update", "", ""},
		{"", "*", "get", "", ""},
		{"", "secrets", "*", "", ""},
	} {
		if _, wrong := check(append(slices.Clone(grants), g), requests); len(wrong) == 0 {
			t.Errorf("nobody would notice that it also has %s", g)
		}
	}
}
