// SPDX-License-Identifier: Apache-2.0

package security

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/cel/environment"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// A team stops imports in its regions and on its instances, and nowhere else; what it may not stop, it may at least suspend.
func TestATeamStopsWithinItsLimits(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	const regions, instances = "may not stop imports in the region ", "may not stop imports on the instance "
	for what, test := range map[string]struct {
		namespace string
		edit      func(spec fields)
		want      string
	}{
		"its first instance":     {"shop", func(fields) {}, ""},
		"its last instance":      {"shop", func(s fields) { s["import"] = fields{"instanceId": "cdb-8fv2q1xk"} }, ""},
		"another instance":       {"shop", func(s fields) { s["import"] = fields{"instanceId": "cdb-other"} }, instances + "cdb-other"},
		"a part of its instance": {"shop", func(s fields) { s["import"] = fields{"instanceId": "cdb-8fv2"} }, instances + "cdb-8fv2"},
		"the word for all":       {"shop", func(s fields) { s["import"] = fields{"instanceId": "*"} }, "is forbidden"},
		"its last region":        {"shop", func(s fields) { s["region"] = "ap-shanghai" }, ""},
		"another region":         {"shop", func(s fields) { s["region"] = "ap-singapore" }, regions + "ap-singapore"},
		"another team's region":  {"shop", func(s fields) { s["region"] = "ap-shanghai-fsi" }, regions + "ap-shanghai-fsi"},
		"any instance of all":    {"billing", func(s fields) { s["region"] = "ap-shanghai-fsi" }, ""},
		"a namespace of no team": {"default", func(fields) {}, "the namespace default may not stop imports in the region ap-guangzhou"},
		"the operator's own":     {harness.Namespace, func(fields) {}, "may not stop imports"},
	} {
		o := request(func(spec, annotations fields) { test.edit(spec); annotations[requestedBy] = "root" })
		o.SetNamespace(test.namespace)
		o.SetGenerateName("limits-")
		err := admin.client(t, cluster).Create(t.Context(), o, client.DryRunAll)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: refused: %v", what, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) && what != "the word for all":
			t.Errorf("%s: the API server says %v, want %q", what, err, test.want)
		case what == "the word for all" && err == nil:
			t.Errorf("%s: taken", what)
		}
	}
}

// An edit cannot lead out of the limits. What lies outside, because the limits changed, can be suspended and not resumed.
func TestAnEditStaysWithinTheLimits(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	free(t, cluster, "edits", "ap-guangzhou", "cdb-c1nl9rpv")
	o := request(func(fields, fields) {})
	o.SetNamespace("edits")
	o.SetName("edited")
	f := harness.In(t, cluster.Tenant("edits"))
	f.Eventually("the new limits", func() (bool, error) {
		err := cluster.Client.Create(t.Context(), o)
		return err == nil, err
	})
	try := func(what, want string, spec fields) {
		t.Helper()
		wantAnswer(t, what, want, patch{who: admin, spec: spec}.try(t, cluster, o))
	}
	try("another region", "in the region ap-singapore", fields{"region": "ap-singapore"})
	try("another instance", "on the instance cdb-other", fields{"import": fields{"instanceId": "cdb-other"}})
	try("no instance", "name the instance in spec.import.instanceId", fields{"import": nil})
	try("resumed", "", fields{"suspend": nil})
	limit(t, cluster, "edits", "ap-singapore", "*")
	f.Eventually("the newest limits", func() (bool, error) {
		err := patch{who: admin, spec: fields{"waitFor": "Stopped"}}.try(t, cluster, o.DeepCopy())
		return apierrors.IsForbidden(err), err
	})
	harness.Must(t, patch{who: admin, annotations: fields{"note": "taken"}}.try(t, cluster, o))
	retry := func(mark string) error {
		return patch{who: admin, annotations: fields{cdbv1.RetryRequestedAtAnnotation: mark}}.try(t, cluster, o)
	}
	wantAnswer(t, "retried outside", "in the region ap-guangzhou", retry("now"))
	try("suspended", "", fields{"suspend": true})
	wantAnswer(t, "looked at again", "", retry("later"))
	try("resumed outside", "in the region ap-guangzhou", fields{"suspend": false})
}

// free creates a namespace where approvals are not required, with limits.
func free(t *testing.T, cluster *harness.Environment, name, regions, instances string) {
	t.Helper()
	namespace := &corev1.Namespace{}
	namespace.Name, namespace.Labels = name, map[string]string{"cdb.tencentcloud.com/approvals": "not-required"}
	harness.Must(t, cluster.Client.Create(t.Context(), namespace))
	limit(t, cluster, name, regions, instances)
}

func limit(t *testing.T, cluster *harness.Environment, name, regions, instances string) {
	t.Helper()
	body, err := json.Marshal(fields{"data": fields{name + ".regions": regions, name + ".instances": instances}})
	harness.Must(t, err)
	limits := &corev1.ConfigMap{}
	limits.Namespace, limits.Name = harness.Namespace, "importjobstop-limits"
	harness.Must(t, cluster.Client.Patch(t.Context(), limits, client.RawPatch(types.MergePatchType, body)))
}

// The API server counts ImportJobStops against the quota of the namespace. No controller runs here, so the test writes what it would write.
func TestTheQuotaCountsObjects(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	const name = "count/importjobstops.cdb.tencentcloud.com"
	quota := &corev1.ResourceQuota{}
	harness.Must(t, cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: "billing", Name: "importjobstops"}, quota))
	free(t, cluster, "counted", "*", "*")
	counted := &corev1.ResourceQuota{Spec: quota.Spec}
	counted.Namespace, counted.Name = "counted", quota.Name
	harness.Must(t, cluster.Client.Create(t.Context(), counted))
	counted.Status.Hard = quota.Spec.Hard
	counted.Status.Used = corev1.ResourceList{name: resource.MustParse("499")}
	harness.Must(t, cluster.Client.Status().Update(t.Context(), counted))
	harness.In(t, cluster.Tenant("counted")).Eventually("the quota is full", func() (bool, error) {
		o := request(func(fields, fields) {})
		o.SetNamespace("counted")
		o.SetGenerateName("counted-")
		err := cluster.Client.Create(t.Context(), o)
		return err != nil && strings.Contains(err.Error(), "exceeded quota: importjobstops"), err
	})
}

// The oldest Kubernetes that the chart names takes the policies: each expression compiles there, among those that it lets new ones use.
func TestTheOldestKubernetesCompilesThePolicies(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"limits.yaml", "approvals.yaml"} {
		text, err := os.ReadFile(harness.Path("config/teams/policies", file))
		harness.Must(t, err)
		wrong, compiled := compilePolicy(t, string(text), oldest(t))
		if len(wrong) > 0 || compiled < 5 {
			t.Errorf("%s: of %d expressions these are wrong: %s", file, compiled, strings.Join(wrong, "\n"))
		}
		t.Logf("%s: %d expressions compile on Kubernetes %s", file, compiled, oldest(t))
		newer := strings.Replace(string(text), "  validations:\n", "  validations:\n  - expression: \"!format.dns1123Subdomain().validate('a').hasValue()\"\n", 1)
		if wrong, _ := compilePolicy(t, newer, oldest(t)); len(wrong) != 1 {
			t.Errorf("%s: nobody would notice what is newer: %q", file, wrong)
		}
	}
}

// compilePolicy compiles every expression of a policy as an API server does that has to roll back to the version before it.
func compilePolicy(t *testing.T, text string, v *version.Version) (wrong []string, compiled int) {
	t.Helper()
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{}
	harness.Must(t, yaml.UnmarshalStrict([]byte(documents(text)[0]), policy))
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(version.MajorMinor(v.Major(), v.Minor()-1)))
	harness.Must(t, err)
	options := cel.OptionalVariableDeclarations{HasParams: policy.Spec.ParamKind != nil, HasAuthorizer: true}
	compile := func(accessor cel.ExpressionAccessor) {
		compiled++
		if result := compiler.CompileCELExpression(accessor, options, environment.NewExpressions); result.Error != nil {
			wrong = append(wrong, accessor.GetExpression()+": "+result.Error.Detail)
		}
	}
	for _, variable := range policy.Spec.Variables {
		compiled++
		accessor := &validating.Variable{Name: variable.Name, Expression: variable.Expression}
		if result := compiler.CompileAndStoreVariable(accessor, options, environment.NewExpressions); result.Error != nil {
			wrong = append(wrong, variable.Expression+": "+result.Error.Detail)
		}
	}
	for _, v := range policy.Spec.Validations {
		compile(&validating.ValidationCondition{Expression: v.Expression})
		if v.MessageExpression != "" {
			compile(&validating.MessageExpressionCondition{MessageExpression: v.MessageExpression})
		}
	}
	return wrong, compiled
}
