// SPDX-License-Identifier: Apache-2.0

// olm writes the bundle for the Operator Lifecycle Manager from config/default, as kustomize builds it, which it reads from its standard
// input, and from the chart, the samples and the icon. It then lets the library of operator-framework validate what it wrote.
package main

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/operator-framework/api/pkg/manifests"
	operators "github.com/operator-framework/api/pkg/operators/v1alpha1"
	"github.com/operator-framework/api/pkg/validation"
	validationerrors "github.com/operator-framework/api/pkg/validation/errors"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

const (
	packageName = "importjobstop-operator"
	readme      = `An ImportJobStop asks that one data import into TencentDB for MySQL be stopped. The operator turns it into one StopDBImportJob call, within the quota, and records what the cloud answered.

It reads the credentials from a Secret in the namespace of the object. The documentation is at https://github.com/tencentcloud-cdb/importjobstop-operator.`
)

// annotations of the bundle: where it is in the image, and which package and channel it belongs to.
var annotations = map[string]string{
	"operators.operatorframework.io.bundle.mediatype.v1":       "registry+v1",
	"operators.operatorframework.io.bundle.manifests.v1":       "manifests/",
	"operators.operatorframework.io.bundle.metadata.v1":        "metadata/",
	"operators.operatorframework.io.bundle.package.v1":         packageName,
	"operators.operatorframework.io.bundle.channels.v1":        "candidate",
	"operators.operatorframework.io.bundle.channel.default.v1": "candidate",
}

func main() {
	folder := flag.String("folder", "config/bundle", "where the bundle is written")
	image := flag.String("image", "controller:latest", "the image of the operator")
	flag.Parse()
	err := write(os.Stdin, *folder, *image)
	if err == nil {
		err = validate(*folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "olm:", err)
		os.Exit(1)
	}
}

// source is what the bundle is made of.
type source struct {
	deployment appsv1.Deployment
	rules      []rbacv1.PolicyRule // of the whole cluster
	roleRules  []rbacv1.PolicyRule // of the operator's namespace
	kept       map[string]string   // by the name of the file: what goes into the bundle as it is
	chart      chart
}

// chart is what the bundle says as the chart does.
type chart struct {
	Version     string   `json:"version"`
	Description string   `json:"description"`
	KubeVersion string   `json:"kubeVersion"`
	Home        string   `json:"home"`
	Keywords    []string `json:"keywords"`
}

func write(kustomized io.Reader, folder, image string) error {
	manifest, err := io.ReadAll(kustomized)
	if err != nil {
		return err
	}
	s := &source{kept: map[string]string{}}
	for document := range strings.SplitSeq(strings.TrimSuffix(string(manifest), "\n"), "\n---\n") {
		if err := s.take(document); err != nil {
			return err
		}
	}
	text, err := os.ReadFile("config/chart/Chart.yaml")
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(text, &s.chart); err != nil {
		return err
	}
	csv, err := s.csv(image)
	if err != nil {
		return err
	}
	s.kept[packageName+".clusterserviceversion.yaml"] = csv
	return s.save(folder)
}

// take sorts a document into what the Operator Lifecycle Manager creates by itself and what it takes as it is.
func (s *source) take(document string) error {
	var object struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
		Rules             []rbacv1.PolicyRule `json:"rules"`
	}
	if err := yaml.Unmarshal([]byte(document), &object); err != nil {
		return err
	}
	switch key := object.Kind + " " + strings.TrimPrefix(object.Name, "importjobstop-"); key {
	case "Namespace system", "ServiceAccount controller-manager", "RoleBinding leader-election-rolebinding",
		"ClusterRoleBinding manager-rolebinding", "ClusterRoleBinding metrics-auth-rolebinding":
	case "Deployment controller-manager":
		return yaml.UnmarshalStrict([]byte(document), &s.deployment)
	case "ClusterRole manager-role", "ClusterRole metrics-auth-role":
		s.rules = append(s.rules, object.Rules...)
	case "Role leader-election-role":
		s.roleRules = append(s.roleRules, object.Rules...)
	case "CustomResourceDefinition importjobstops.cdb.tencentcloud.com", "ClusterRole editor-role", "ClusterRole viewer-role", "ClusterRole metrics-reader",
		"Service controller-manager-metrics", "PodDisruptionBudget controller-manager":
		name := strings.ToLower(object.Name + "." + object.Kind + ".yaml")
		s.kept[name] = strings.ReplaceAll(document, "\n  namespace: importjobstop-system", "") + "\n"
	default:
		return fmt.Errorf("config/default has a %s, of which the bundle knows nothing", key)
	}
	return nil
}

func (s *source) csv(image string) (string, error) {
	examples, err := samples("config/samples/cdb_v1alpha1_importjobstop.yaml", "config/samples/cdb_v1alpha1_importjobstop_preview.yaml")
	if err != nil {
		return "", err
	}
	icon, err := os.ReadFile("docs/pictures/icon.svg")
	if err != nil {
		return "", err
	}
	template := &s.deployment.Spec.Template.Spec
	if template.Containers[0].Image != "controller:latest" {
		return "", fmt.Errorf("the first container of the Deployment has the image %s", template.Containers[0].Image)
	}
	template.Containers[0].Image = image
	c := &operators.ClusterServiceVersion{}
	c.APIVersion, c.Kind, c.Name = operators.ClusterServiceVersionAPIVersion, operators.ClusterServiceVersionKind, packageName+".v"+s.chart.Version
	c.Annotations = map[string]string{
		"alm-examples": examples, "capabilities": "Full Lifecycle", "categories": "Database", "containerImage": image,
		"description": s.chart.Description, "repository": s.chart.Home, "support": "importjobstop-maintainers",
	}
	c.Spec = operators.ClusterServiceVersionSpec{
		DisplayName: "ImportJobStop Operator", Description: readme, Maturity: "alpha", Keywords: s.chart.Keywords,
		MinKubeVersion: strings.TrimSuffix(strings.TrimPrefix(s.chart.KubeVersion, ">="), "-0"),
		Maintainers:    []operators.Maintainer{{Name: "importjobstop-maintainers", Email: "importjobstop-maintainers@users.noreply.github.com"}},
		Provider:       operators.AppLink{Name: "importjobstop-maintainers", URL: "https://github.com/tencentcloud-cdb"},
		Links:          []operators.AppLink{{Name: "Documentation", URL: s.chart.Home + "/tree/main/docs"}},
		Icon:           []operators.Icon{{Data: base64.StdEncoding.EncodeToString(icon), MediaType: "image/svg+xml"}},
		InstallModes: []operators.InstallMode{
			{Type: operators.InstallModeTypeOwnNamespace}, {Type: operators.InstallModeTypeSingleNamespace},
			{Type: operators.InstallModeTypeMultiNamespace}, {Type: operators.InstallModeTypeAllNamespaces, Supported: true},
		},
	}
	c.Spec.CustomResourceDefinitions.Owned = []operators.CRDDescription{{
		Name: "importjobstops.cdb.tencentcloud.com", Version: "v1alpha1", Kind: "ImportJobStop", DisplayName: "ImportJobStop",
		Description: "Asks that a data import into TencentDB for MySQL be stopped, once.",
	}}
	if err := c.Spec.Version.UnmarshalJSON([]byte(`"` + s.chart.Version + `"`)); err != nil {
		return "", err
	}
	account := template.ServiceAccountName
	c.Spec.InstallStrategy = operators.NamedInstallStrategy{StrategyName: operators.InstallStrategyNameDeployment, StrategySpec: operators.StrategyDetailsDeployment{
		DeploymentSpecs:    []operators.StrategyDeploymentSpec{{Name: s.deployment.Name, Spec: s.deployment.Spec, Label: s.deployment.Labels}},
		Permissions:        []operators.StrategyDeploymentPermissions{{ServiceAccountName: account, Rules: s.roleRules}},
		ClusterPermissions: []operators.StrategyDeploymentPermissions{{ServiceAccountName: account, Rules: s.rules}},
	}}
	return plain(c)
}

// plain is the object without what only an API server writes.
func plain(object any) (string, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return "", err
	}
	var content map[string]any
	if err := json.Unmarshal(text, &content); err != nil {
		return "", err
	}
	delete(content, "status")
	for _, key := range []string{"cleanup", "apiservicedefinitions"} {
		delete(content["spec"].(map[string]any), key)
	}
	yml, err := yaml.Marshal(content)
	return string(yml), err
}

// samples as a list in JSON.
func samples(paths ...string) (string, error) {
	var list []any
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		var object any
		if err := yaml.Unmarshal(text, &object); err != nil {
			return "", err
		}
		list = append(list, object)
	}
	text, err := json.MarshalIndent(list, "", "  ")
	return string(text), err
}

func (s *source) save(folder string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	metadata, err := yaml.Marshal(map[string]any{"annotations": annotations})
	if err != nil {
		return err
	}
	files := map[string]string{"metadata/annotations.yaml": string(metadata), "Dockerfile": dockerfile}
	for name, text := range s.kept {
		files["manifests/"+name] = text
	}
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

const dockerfile = `FROM scratch
LABEL operators.operatorframework.io.bundle.mediatype.v1=registry+v1
LABEL operators.operatorframework.io.bundle.manifests.v1=manifests/
LABEL operators.operatorframework.io.bundle.metadata.v1=metadata/
LABEL operators.operatorframework.io.bundle.package.v1=importjobstop-operator
LABEL operators.operatorframework.io.bundle.channels.v1=candidate
LABEL operators.operatorframework.io.bundle.channel.default.v1=candidate
COPY manifests /manifests/
COPY metadata /metadata/
`

// validate lets each validator of the library that is not deprecated look at the bundle, and fails on a warning, too.
func validate(folder string) error {
	bundle, err := manifests.GetBundleFromDir(folder)
	if err != nil {
		return err
	}
	objects := bundle.ObjectsToValidate()
	for _, object := range bundle.Objects {
		objects = append(objects, object)
	}
	findings := 0
	for name, validator := range map[string]interface {
		Validate(...any) []validationerrors.ManifestResult
	}{
		"bundle": validation.BundleValidator, "ClusterServiceVersion": validation.ClusterServiceVersionValidator, "CRD": validation.CustomResourceDefinitionValidator,
		"OperatorHub": validation.OperatorHubV2Validator, "capabilities": validation.StandardCapabilitiesValidator, "categories": validation.StandardCategoriesValidator,
		"objects": validation.ObjectValidator, "good practices": validation.GoodPracticesValidator, "deprecated APIs": validation.AlphaDeprecatedAPIsValidator,
	} {
		for _, result := range validator.Validate(objects...) {
			for _, finding := range append(result.Errors, result.Warnings...) {
				findings++
				fmt.Fprintf(os.Stderr, "%s: %s\n", name, finding.Error())
			}
		}
	}
	if findings > 0 {
		return fmt.Errorf("%s has %d findings", folder, findings)
	}
	fmt.Printf("%s: %d files, valid\n", folder, len(bundle.Objects)+2)
	return nil
}
