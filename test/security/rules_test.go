// SPDX-License-Identifier: Apache-2.0

package security

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apimachinery/pkg/util/version"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"sigs.k8s.io/yaml"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

var supports = regexp.MustCompile(`>=\s*([0-9]+\.[0-9]+)`)

// oldest is the oldest version of Kubernetes that the chart names.
func oldest(t *testing.T) *version.Version {
	t.Helper()
	text, err := os.ReadFile(harness.Path("config/chart/Chart.yaml"))
	harness.Must(t, err)
	var chart struct {
		KubeVersion string `json:"kubeVersion"`
	}
	harness.Must(t, yaml.Unmarshal(text, &chart))
	m := supports.FindStringSubmatch(chart.KubeVersion)
	if m == nil {
		t.Fatalf("the chart's kubeVersion %q names no oldest version", chart.KubeVersion)
	}
	return version.MustParseGeneric(m[1])
}

// compile every rule of a schema and of what is below it, as an API server of that version does when it gets the CRD.
// It returns what is wrong, by path, and how many rules there are.
func compile(t *testing.T, v *version.Version, path string, s *schema.Structural, isRoot bool) (wrong []string, rules int) {
	t.Helper()
	results, err := cel.Compile(s, model.SchemaDeclType(s, isRoot), celconfig.PerCallLimit, environment.MustBaseEnvSet(v), cel.NewExpressionsEnvLoader())
	harness.Must(t, err)
	for i, r := range results {
		rules++
		if r.Error != nil {
			wrong = append(wrong, path+": "+s.XValidations[i].Rule+": "+r.Error.Detail)
		}
		if r.MessageExpressionError != nil {
			wrong = append(wrong, path+": "+s.XValidations[i].MessageExpression+": "+r.MessageExpressionError.Detail)
		}
	}
	below := func(name string, child *schema.Structural) {
		w, n := compile(t, v, path+name, child, child.XEmbeddedResource)
		wrong, rules = append(wrong, w...), rules+n
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		child := s.Properties[name]
		below("."+name, &child)
	}
	if s.Items != nil {
		below("[*]", s.Items)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Structural != nil {
		below("[*]", s.AdditionalProperties.Structural)
	}
	return wrong, rules
}

// structural is the schema of each version of the CRD, after edit.
func structural(t *testing.T, edit func(string) string) map[string]*schema.Structural {
	t.Helper()
	text, err := os.ReadFile(harness.Path("config/crd/bases/cdb.tencentcloud.com_importjobstops.yaml"))
	harness.Must(t, err)
	crd, internal := &apiextensionsv1.CustomResourceDefinition{}, &apiextensions.CustomResourceDefinition{}
	harness.Must(t, yaml.UnmarshalStrict([]byte(edit(string(text))), crd))
	harness.Must(t, apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(crd, internal, nil))
	schemas := map[string]*schema.Structural{}
	for _, v := range crd.Spec.Versions {
		props, err := apiextensions.GetSchemaForVersion(internal, v.Name)
		harness.Must(t, err)
		schemas[v.Name], err = schema.NewStructural(props.OpenAPIV3Schema)
		harness.Must(t, err)
	}
	return schemas
}

// The oldest Kubernetes that the chart names takes the CRD: each of its rules compiles there. A function that came later is noticed.
func TestTheOldestKubernetesCompilesTheRules(t *testing.T) {
	t.Parallel()
	v := oldest(t)
	asIs := func(s string) string { return s }
	for name, s := range structural(t, asIs) {
		wrong, rules := compile(t, v, name, s, true)
		for _, w := range wrong {
			t.Errorf("Kubernetes %s does not take %s", v, w)
		}
		if rules < 4 {
			t.Errorf("%s has only %d rules", name, rules)
		}
		t.Logf("%s: %d rules compile on Kubernetes %s", name, rules, v)
	}
	const newer = "!format.dns1123Subdomain().validate(self).hasValue()" // since 1.32
	text := regexp.MustCompile(`rule: self\.matches\('\^\[a-z0-9\][^\n]*`)
	withNewer := func(s string) string {
		if !text.MatchString(s) {
			t.Fatal("the rule on the name of the Secret is not where it was")
		}
		return text.ReplaceAllLiteralString(s, `rule: "`+newer+`"`)
	}
	for name, s := range structural(t, withNewer) {
		if wrong, _ := compile(t, v, name, s, true); len(wrong) != 1 || !strings.Contains(wrong[0], "undeclared reference to 'format'") {
			t.Errorf("nobody would notice %s: %q", newer, wrong)
		}
		if wrong, _ := compile(t, version.MajorMinor(1, 32), name, s, true); len(wrong) > 0 {
			t.Errorf("Kubernetes 1.32 should take %s: %q", newer, wrong)
		}
	}
}
