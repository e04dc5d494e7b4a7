// SPDX-License-Identifier: Apache-2.0

package security

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	appsv1 "k8s.io/api/apps/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// grant is the smallest thing that a rule gives: one verb on one resource, in a namespace or (when empty) everywhere.
type grant struct{ group, resource, verb, name, namespace string }

func (g grant) String() string {
	where, what := "everywhere", strings.Trim(g.group+"/"+g.resource+" "+g.name, "/ ")
	if g.namespace != "" {
		where = g.namespace
	}
	return fmt.Sprintf("%s: %s %s", where, g.verb, what)
}

func (g grant) covers(e auditv1.Event) bool {
	resource := e.ObjectRef.Resource
	if e.ObjectRef.Subresource != "" {
		resource += "/" + e.ObjectRef.Subresource
	}
	return g.group == e.ObjectRef.APIGroup && g.resource == resource && g.verb == e.Verb &&
		(g.name == "" || g.name == e.ObjectRef.Name) && (g.namespace == "" || g.namespace == e.ObjectRef.Namespace)
}

// check finds what is wrong with the grants in the light of what was done with them, and by what each was used.
func check(grants []grant, requests []auditv1.Event) (usedBy map[grant][]string, wrong []string) {
	usedBy = map[grant][]string{}
	for _, e := range requests {
		if e.ObjectRef == nil || e.ObjectRef.Resource == "" {
			continue // discovery, which everybody may
		}
		i := slices.IndexFunc(grants, func(g grant) bool { return g.covers(e) })
		request := e.Verb + " " + e.RequestURI
		switch {
		case e.Annotations["authorization.k8s.io/decision"] != "allow":
			wrong = append(wrong, "refused, a rule is missing: "+request)
		case i < 0:
			wrong = append(wrong, "no rule gives this: "+request)
		default:
			usedBy[grants[i]] = append(usedBy[grants[i]], request)
		}
	}
	for _, g := range grants {
		if len(usedBy[g]) == 0 {
			wrong = append(wrong, "a rule is never used: "+g.String())
		}
	}
	return usedBy, wrong
}

// expand makes grants of rules.
func expand(namespace string, rules []rbacv1.PolicyRule) (grants []grant) {
	for _, r := range rules {
		names := r.ResourceNames
		if len(names) == 0 {
			names = []string{""}
		}
		for _, group := range r.APIGroups {
			for _, resource := range r.Resources {
				for _, verb := range r.Verbs {
					for _, name := range names {
						grants = append(grants, grant{group, resource, verb, name, namespace})
					}
				}
			}
		}
	}
	return grants
}

// grantsOf are all that the cluster's bindings give to the operator that is installed in a namespace.
func grantsOf(t *testing.T, namespace string) (grants []grant) {
	t.Helper()
	is := func(subjects []rbacv1.Subject) bool {
		return slices.ContainsFunc(subjects, func(s rbacv1.Subject) bool {
			return s.Kind == rbacv1.ServiceAccountKind && s.Namespace == namespace && s.Name == "importjobstop-controller-manager"
		})
	}
	rulesOf := func(ref rbacv1.RoleRef, namespace string) []rbacv1.PolicyRule {
		if ref.Kind == "Role" {
			role := &rbacv1.Role{}
			harness.Must(t, env.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: ref.Name}, role))
			return role.Rules
		}
		role := &rbacv1.ClusterRole{}
		harness.Must(t, env.Client.Get(t.Context(), client.ObjectKey{Name: ref.Name}, role))
		return role.Rules
	}
	var everywhere rbacv1.ClusterRoleBindingList
	harness.Must(t, env.Client.List(t.Context(), &everywhere))
	for _, b := range everywhere.Items {
		if is(b.Subjects) {
			grants = append(grants, expand("", rulesOf(b.RoleRef, ""))...)
		}
	}
	var somewhere rbacv1.RoleBindingList
	harness.Must(t, env.Client.List(t.Context(), &somewhere))
	for _, b := range somewhere.Items {
		if is(b.Subjects) {
			grants = append(grants, expand(b.Namespace, rulesOf(b.RoleRef, b.Namespace))...)
		}
	}
	slices.SortFunc(grants, func(a, b grant) int { return cmp.Compare(a.String(), b.String()) })
	return grants
}

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
	f.Stop("done", func(o *cdbv1.ImportJobStop) { o.Spec.TTLSecondsAfterFinished = new(int32(1)) })
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

func printRules(install string, grants []grant, usedBy map[grant][]string) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "rule of %s\ttimes\tused by, as in\n", install)
	for _, g := range grants {
		example := ""
		if len(usedBy[g]) > 0 {
			example = usedBy[g][0]
		}
		_, _ = fmt.Fprintf(w, "%s\t%d\t%.120s\n", g, len(usedBy[g]), example)
	}
	_ = w.Flush()
}
