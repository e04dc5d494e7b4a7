// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// byName are the objects of a manifest, without what Helm or kustomize alone put into them.
func byName(t *testing.T, manifest string) map[string]map[string]any {
	t.Helper()
	objects := map[string]map[string]any{}
	for document := range strings.SplitSeq(manifest, "\n---\n") {
		u := &unstructured.Unstructured{}
		harness.Must(t, yaml.Unmarshal([]byte(document), &u.Object))
		if u.GetKind() == "" || u.GetKind() == "Namespace" {
			continue
		}
		annotations := u.GetAnnotations()
		delete(annotations, "helm.sh/resource-policy")
		u.SetAnnotations(annotations)
		objects[u.GetKind()+"/"+u.GetName()] = u.Object
	}
	return objects
}

// rendering is the chart with some values, and what must and must not be in it.
type rendering struct {
	name, values string
	has, lacks   []string
}

var renderings = []rendering{
	{name: "as it is"},
	{"one pod", "{replicas: 1, podDisruptionBudget: {enabled: false}}", []string{"  replicas: 1\n"}, []string{"PodDisruptionBudget"}},
	{"another budget", "{replicas: 5, podDisruptionBudget: {maxUnavailable: 50%}}", []string{"  maxUnavailable: 50%\n"}, nil},
	{
		"an image by digest", "{image: {repository: mirror.example/operator, digest: 'sha256:" + digest + "', pullPolicy: IfNotPresent}}",
		[]string{"image: mirror.example/operator@sha256:" + digest + "\n", "imagePullPolicy: IfNotPresent\n"}, nil,
	},
	{"an image by tag and digest", "{image: {repository: mirror.example/operator, tag: v2, digest: 'sha256:" + digest + "'}}", []string{"image: mirror.example/operator:v2@sha256:" + digest + "\n"}, nil},
	{
		"secrets for the image", "{imagePullSecrets: [{name: mine}, {name: both}], global: {imagePullSecrets: [{name: both}, {name: all}], other: 1}}",
		[]string{"      imagePullSecrets:\n      - name: mine\n      - name: both\n      - name: all\n"}, nil,
	},
	{
		"chosen namespaces", "{namespaces: [default, kube-public]}",
		[]string{"- --namespaces=default,kube-public\n", "  namespace: default\n", "  namespace: kube-public\n", "name: importjobstop-metrics-auth-role\n"},
		[]string{"kind: ClusterRole\nmetadata:\n  name: importjobstop-manager-role"},
	},
	{
		"chosen namespaces and no ClusterRole", "{namespaces: [default], metrics: {enabled: false}, rbac: {userRoles: false}}",
		[]string{"- --metrics-bind-address=0\n", "kind: Role\n  name: importjobstop-manager-role\n"}, []string{"ClusterRole", "kind: Service\n", "containerPort: 8443"},
	},
	{"roles of somebody else", "{rbac: {create: false}}", []string{"importjobstop-editor-role"}, []string{"importjobstop-manager-role", "importjobstop-leader-election-role", "metrics-auth"}},
	{"more flags", "{extraArgs: [--regional-endpoints, '--zap-log-level=debug']}", []string{`- "--regional-endpoints"`, `- "--zap-log-level=debug"`}, nil},
	{
		"a proxy, and more of the environment", "{proxy: {httpProxy: 'http://proxy:3128', httpsProxy: 'http://proxy:3128', noProxy: '10.0.0.0/8,.svc'}, env: [{name: SSL_CERT_FILE, value: /certs/ca.crt}]}",
		[]string{"- name: HTTP_PROXY\n          value: http://proxy:3128\n", "- name: HTTPS_PROXY\n", "- name: NO_PROXY\n          value: 10.0.0.0/8,.svc\n", "- name: SSL_CERT_FILE\n", "value: 440MiB\n"}, nil,
	},
	{"a memory limit of one's own", "{env: [{name: GOMEMLIMIT, value: 100MiB}]}", []string{"value: 100MiB\n"}, []string{"440MiB"}},
	{"more memory", "{resources: {limits: {memory: 2Gi}}}", []string{"memory: 2Gi\n", "value: 1761MiB\n"}, nil},
	{"memory in powers of ten", "{resources: {limits: {memory: 1.5G}}}", []string{"value: 1230MiB\n"}, nil},
	{"memory in bytes", "{resources: {limits: {memory: 536870912}}}", []string{"value: 440MiB\n"}, nil},
	{"no limits", "{resources: {limits: null}}", []string{"requests:\n"}, []string{"GOMEMLIMIT", "env:"}},
	{
		"certain nodes", "{nodeSelector: {pool: db}, tolerations: [{key: db, operator: Exists}], affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: gpu, operator: DoesNotExist}]}]}}}}",
		[]string{"pool: db\n", "- key: db\n          operator: Exists\n", "nodeAffinity:\n"}, []string{"podAntiAffinity"},
	},
	{
		"over zones", "{topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}, {maxSkew: 2, topologyKey: rack, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {a: b}}}]}",
		[]string{"      topologySpreadConstraints:\n      - labelSelector:\n          matchLabels:\n            app.kubernetes.io/name: importjobstop-operator\n        maxSkew: 1\n", "            a: b\n        maxSkew: 2\n"}, nil,
	},
	{
		"labels and annotations", "{commonLabels: {team: db}, podLabels: {sidecar: 'no'}, podAnnotations: {a: pod}, deploymentAnnotations: {b: deployment}, serviceAccount: {annotations: {c: account}}, metrics: {serviceAnnotations: {d: service}}}",
		[]string{"team: db\n", "sidecar: \"no\"\n", "a: pod\n", "b: deployment\n", "c: account\n", "d: service\n"}, nil,
	},
	{
		"a certificate for the metrics, and a ServiceMonitor", "{metrics: {certSecret: my-cert, serviceMonitor: {enabled: true, interval: 30s, scrapeTimeout: 10s, labels: {release: prometheus}}}}",
		[]string{"secretName: my-cert\n", "- --metrics-cert-path=/metrics-cert\n", "serverName: importjobstop-controller-manager-metrics.importjobstop-system.svc\n", "release: prometheus\n", "interval: 30s\n", "scrapeTimeout: 10s\n"}, []string{"insecureSkipVerify"},
	},
	{
		"alerts and a dashboard", "{metrics: {rules: {enabled: true, labels: {release: prometheus}}, dashboard: {enabled: true, labels: {dashboards: 'yes'}, annotations: {grafana_folder: Databases}}}}",
		[]string{"kind: PrometheusRule\n", "kind: ConfigMap\n", "grafana_folder: Databases\n", "dashboards: \"yes\"\n", "{{ $value }}"}, nil,
	},
	{
		"a NetworkPolicy", "{networkPolicy: {enabled: true, metricsFrom: [{podSelector: {}}], extraEgress: [{ports: [{port: 3128}]}]}}",
		[]string{"kind: NetworkPolicy\n", "    - podSelector: {}\n", "- port: 3128\n"}, []string{"metrics: enabled"},
	},
	{"a NetworkPolicy without metrics", "{networkPolicy: {enabled: true}, metrics: {enabled: false}}", []string{"kind: NetworkPolicy\n"}, []string{"ingress:"}},
	{
		"certificates of a proxy", "{volumes: [{name: ca, configMap: {name: ca}}], volumeMounts: [{name: ca, mountPath: /certs, readOnly: true}], metrics: {certSecret: my-cert}}",
		[]string{"- configMap:\n          name: ca\n        name: ca\n", "- mountPath: /certs\n", "- name: metrics-cert\n        secret:\n"}, nil,
	},
	{
		"names and a priority", "{dnsPolicy: None, dnsConfig: {nameservers: [10.0.0.10]}, hostAliases: [{ip: 10.0.0.1, hostnames: [cdb.tencentcloudapi.com]}], priorityClassName: system-cluster-critical}",
		[]string{"dnsPolicy: None\n", "- 10.0.0.10\n", "- cdb.tencentcloudapi.com\n", "priorityClassName: system-cluster-critical\n"}, nil,
	},
	{
		"another prefix", "{fullnameOverride: stops-a, metrics: {serviceMonitor: {enabled: true}, rules: {enabled: true}, dashboard: {enabled: true}}, networkPolicy: {enabled: true}}",
		[]string{"name: stops-a-controller-manager\n", "serviceAccountName: stops-a-controller-manager\n", "name: stops-a-manager-role\n", "name: stops-a-dashboard\n"}, []string{"name: importjobstop-controller-manager\n", "name: importjobstop-manager-role\n"},
	},
	{
		"other security", "{podSecurityContext: {fsGroup: 1000}, securityContext: {runAsUser: 1000}}",
		[]string{"fsGroup: 1000\n", "runAsNonRoot: true\n", "runAsUser: 1000\n", "readOnlyRootFilesystem: true\n"}, nil,
	},
	{"no CRD", "{crds: {install: false}}", nil, []string{"CustomResourceDefinition"}},
	{"a CRD that goes", "{crds: {keep: false}}", []string{"CustomResourceDefinition"}, []string{"helm.sh/resource-policy"}},
}

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// templated is what Helm makes of the chart with values.
func templated(t *testing.T, values string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), *helm, "template", "importjobstop", harness.Path("config/chart"), "--namespace=importjobstop-system", "--values=-")
	command.Stdin = strings.NewReader(values)
	output, err := command.CombinedOutput()
	return string(output), err
}

// monitoringKinds teaches the API server the kinds of the Prometheus operator by name. TestManifests checks their fields.
func monitoringKinds(t *testing.T) {
	t.Helper()
	for plural, kind := range map[string]string{"servicemonitors": "ServiceMonitor", "prometheusrules": "PrometheusRule"} {
		crd := fmt.Sprintf("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: %[1]s.monitoring.coreos.com}\n"+
			"spec: {group: monitoring.coreos.com, scope: Namespaced, names: {plural: %[1]s, kind: %[2]s}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}", plural, kind)
		_, err := env.Kubectl(t.Context(), strings.NewReader(crd), "apply", "-f", "-")
		harness.Must(t, err)
		env.MustKubectl(t, "wait", "--for=condition=Established", "crd/"+plural+".monitoring.coreos.com")
	}
}

// The chart with each of its values makes what it says, and the API server takes it.
func TestHelmChart(t *testing.T) {
	if *helm == "" {
		t.Skip("needs -helm")
	}
	t.Parallel()
	runTool(t, *helm, "lint", "--strict", harness.Path("config/chart"))
	monitoringKinds(t)
	for _, r := range renderings {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			output, err := templated(t, r.values)
			if err != nil {
				t.Fatal(output)
			}
			for _, want := range r.has {
				if !strings.Contains(output, want) {
					t.Errorf("no %q in %s", want, output)
				}
			}
			for _, wrong := range r.lacks {
				if strings.Contains(output, wrong) {
					t.Errorf("%q is in %s", wrong, output)
				}
			}
			wantTaken(t, output)
			fmt.Printf("chart %s: %d objects\n", r.name, len(byName(t, output)))
		})
	}
}

// Where the chart and the folders of config should be equal, they are.
func TestHelmChartIsWhatKustomizeMakes(t *testing.T) {
	if *helm == "" {
		t.Skip("needs -helm")
	}
	t.Parallel()
	const image = "image: {repository: controller, tag: latest}"
	for folder, values := range map[string]string{
		"config/default":        "{" + image + "}",
		"config/prometheus":     "{metrics: {serviceMonitor: {enabled: true}, rules: {enabled: true}}}",
		"config/network-policy": "{networkPolicy: {enabled: true}}",
		"config/namespaced":     "{" + image + ", namespaces: [shop], metrics: {enabled: false}, rbac: {userRoles: false}, crds: {install: false}}",
	} {
		output, err := templated(t, values)
		if err != nil {
			t.Fatal(output)
		}
		chart, want := byName(t, output), byName(t, kustomize(t, harness.Path(folder)))
		for name, object := range want {
			if folder == "config/namespaced" && strings.HasPrefix(name, "Deployment/") {
				continue // has its flags in another order
			}
			if diff := cmp.Diff(object, chart[name]); diff != "" {
				t.Errorf("%s of the chart is not that of %s: %s", name, folder, diff)
			}
		}
		if folder == "config/default" && len(chart) != len(want) {
			t.Errorf("the chart has %d objects, %s has %d", len(chart), folder, len(want))
		}
		if folder == "config/namespaced" {
			tenant := byName(t, kustomize(t, harness.Path("config/namespaced/tenant")))
			if diff := cmp.Diff(tenant["Role/importjobstop-manager"]["rules"], chart["Role/importjobstop-manager-role"]["rules"]); diff != "" {
				t.Errorf("the Role in a namespace: %s", diff)
			}
		}
	}
}

// Each value is tried by a rendering, and one that is wrong is refused.
func TestHelmValues(t *testing.T) {
	if *helm == "" {
		t.Skip("needs -helm")
	}
	t.Parallel()
	tried := map[string]bool{}
	for _, r := range renderings {
		var values map[string]any
		harness.Must(t, yaml.Unmarshal([]byte(r.values), &values))
		collect(values, "", tried)
	}
	rows := regexp.MustCompile("(?m)^\\| `([A-Za-z.]+)` \\|").FindAllStringSubmatch(read(t, "config/chart/README.md"), -1)
	if len(rows) < 40 {
		t.Errorf("only %d values are in the README", len(rows))
	}
	for _, row := range rows {
		path := row[1]
		if !tried[path] {
			t.Errorf("no rendering has %s", path)
		}
	}
	for _, wrong := range []string{
		"{replicas: two}", "{replica: 2}", "{extraArgs: [regional]}", "{image: {repository: ''}}", "{image: {digest: 'sha256:12'}}", "{namespaces: [Shop]}", "{namespaces: [a, a]}",
		"{resources: {limits: {memory: much}}}", "{resources: {limits: {memory: 16Mi}}}", "{podLabels: {app.kubernetes.io/name: mine}}", "{commonLabels: {app.kubernetes.io/name: mine}}",
		"{metrics: {enabled: false, serviceMonitor: {enabled: true}}}", "{fullnameOverride: Big}", "{topologySpreadConstraints: [{maxSkew: 1}]}", "{imagePullSecrets: [mine]}", "{podAnnotations: {a: 1}}",
	} {
		if output, err := templated(t, wrong); err == nil {
			t.Errorf("%s was taken: %.200s", wrong, output)
		}
	}
}

// collect writes the paths of values.
func collect(values map[string]any, path string, paths map[string]bool) {
	for name, value := range values {
		paths[path+name] = true
		if below, ok := value.(map[string]any); ok {
			collect(below, path+name+".", paths)
		}
	}
}

// The generator fails if a text that it replaces is not there exactly once, and if it knows an object not.
func TestTheGeneratorOfTheChartNoticesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "chart")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program, "./hack/chart")
	build.Dir = harness.Root()
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatal(string(output))
	}
	root := t.TempDir()
	harness.Must(t, os.CopyFS(filepath.Join(root, "config"), os.DirFS(harness.Path("config"))))
	manifest := kustomize(t, harness.Path("config/default"))
	generate := func(manifest string) (string, error) {
		command := exec.CommandContext(t.Context(), program)
		command.Dir, command.Stdin = root, strings.NewReader(manifest)
		output, err := command.CombinedOutput()
		return string(output), err
	}
	if output, err := generate(manifest); err != nil {
		t.Fatal(output)
	}
	for _, file := range []string{"templates/operator.yaml", "templates/crd.yaml", "values.yaml", "README.md", "files/rules.yaml", "files/dashboard.json"} {
		written, err := os.ReadFile(filepath.Join(root, "config/chart", file))
		harness.Must(t, err)
		if string(written) != read(t, "config/chart", file) {
			t.Errorf("config/chart/%s is not up to date: make chart", file)
		}
	}
	for _, change := range [][2]string{
		{"memory: 96Mi", "memory: 128Mi"},
		{"- --leader-elect\n        - --metrics-bind-address=:8443\n", "- --leader-elect\n        - --metrics-bind-address=:8443\n        - --metrics-bind-address=:8443\n"},
		{"image: controller:latest", "image: controller:v1"},
		{"name: importjobstop-metrics-reader", "name: importjobstop-another-reader"},
		{"        image: controller:latest\n", "        command: [/manager, --namespaces=importjobstop-system]\n        image: controller:latest\n"},
	} {
		if !strings.Contains(manifest, change[0]) {
			t.Fatalf("config/default has no %q", change[0])
		}
		if output, err := generate(strings.Replace(manifest, change[0], change[1], 1)); err == nil {
			t.Errorf("nobody would notice %q: %s", change[1], output)
		}
	}
}

// older is the chart with a CRD that does not know a field of the spec, nor the rules that speak of it.
func older(t *testing.T, field string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "chart")
	harness.Must(t, os.CopyFS(folder, os.DirFS(harness.Path("config/chart"))))
	text := read(t, "config/crd/bases/cdb.tencentcloud.com_importjobstops.yaml")
	crd := &unstructured.Unstructured{}
	harness.Must(t, yaml.Unmarshal([]byte(text), &crd.Object))
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	schema, _ := versions[0].(map[string]any)
	if _, found, _ := unstructured.NestedMap(schema, "schema", "openAPIV3Schema", "properties", "spec", "properties", field); !found {
		t.Fatalf("the CRD has no spec.%s", field)
	}
	unstructured.RemoveNestedField(schema, "schema", "openAPIV3Schema", "properties", "spec", "properties", field)
	unstructured.RemoveNestedField(schema, "schema", "openAPIV3Schema", "properties", "spec", "x-kubernetes-validations")
	unstructured.RemoveNestedField(schema, "schema", "openAPIV3Schema", "x-kubernetes-validations")
	harness.Must(t, unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions"))
	crd.SetAnnotations(map[string]string{"helm.sh/resource-policy": "keep"})
	written, err := yaml.Marshal(crd.Object)
	harness.Must(t, err)
	harness.Must(t, os.WriteFile(filepath.Join(folder, "templates/crd.yaml"), written, 0o600))
	return folder
}

// Install, upgrade, rollback, uninstall and install under another name, on a cluster of its own and between two CRDs, lose no object.
// A rollback hides the fields that the older CRD does not know, and the next write of an object loses them.
func TestHelmKeepsTheObjects(t *testing.T) {
	if *helm == "" {
		t.Skip("needs -helm")
	}
	t.Parallel()
	cluster, err := harness.Start(t.Context())
	harness.Must(t, err)
	t.Cleanup(cluster.Stop)
	kubectl := func(args ...string) string { return cluster.MustKubectl(t, args...) }
	kubectl("delete", "-k", harness.Path("config/crd"))
	kubectl("delete", "--ignore-not-found", "--wait=false", "-k", harness.Path("config/default")) // a namespace does not end here
	try := func(args ...string) (string, error) {
		command := exec.CommandContext(t.Context(), *helm, append(args, "--namespace=stops")...)
		command.Env = append(os.Environ(), "KUBECONFIG="+cluster.Kubeconfig)
		output, err := command.CombinedOutput()
		return string(output), err
	}
	run := func(args ...string) {
		t.Helper()
		if output, err := try(args...); err != nil {
			t.Fatalf("helm %s: %s", strings.Join(args, " "), output)
		}
	}
	const field = "waitFor"
	get := func() string { return kubectl("get", "ijs", "stop-later", "-o", "jsonpath={.spec."+field+"}") }
	current, old := harness.Path("config/chart"), older(t, field)
	run("install", "importjobstop", old, "--create-namespace")
	kubectl("wait", "--for=condition=Established", "crd/importjobstops.cdb.tencentcloud.com")
	kubectl("apply", "-f", harness.Path("config/samples/cdb_v1alpha1_importjobstop.yaml"))
	before := kubectl("get", "ijs", "stop-nightly-import", "-o", "yaml")
	run("upgrade", "importjobstop", current, "--set=replicas=1")
	if replicas := kubectl("get", "deployment", "-n", "stops", "-o", "jsonpath={.items[*].spec.replicas}"); replicas != "1" {
		t.Errorf("%s replicas after the upgrade", replicas)
	}
	newer := "apiVersion: cdb.tencentcloud.com/v1alpha1\nkind: ImportJobStop\nmetadata: {name: stop-later, namespace: default}\n" +
		"spec: {region: ap-guangzhou, asyncRequestId: import-1, credentialsSecretRef: {name: creds}, suspend: true, waitFor: Stopped}"
	harness.In(t, cluster.Tenant("default")).Eventually("the new field is known", func() (bool, error) {
		_, err := cluster.Kubectl(t.Context(), strings.NewReader(newer), "apply", "--validate=strict", "-f", "-")
		return err == nil, err
	})
	run("rollback", "importjobstop", "1")
	harness.In(t, cluster.Tenant("default")).Eventually("the rollback hides the field", func() (bool, error) { return get() == "", nil })
	run("upgrade", "importjobstop", current)
	harness.In(t, cluster.Tenant("default")).Eventually("an upgrade shows the field again", func() (bool, error) { return get() != "", nil })
	run("rollback", "importjobstop", "1")
	harness.In(t, cluster.Tenant("default")).Eventually("the rollback hides the field", func() (bool, error) {
		kubectl("label", "--overwrite", "ijs", "stop-later", "written=after-the-rollback")
		return get() == "", nil
	})
	run("upgrade", "importjobstop", current)
	if value := get(); value != "" {
		t.Errorf("what was written after the rollback still has the value %s", value)
	}
	run("uninstall", "importjobstop")
	if left := kubectl("get", "deployments,clusterroles", "-A", "-o", "name"); strings.Contains(left, "importjobstop-manager") {
		t.Errorf("uninstall leaves %s", left)
	}
	if output, err := try("install", "another", current); err == nil || !strings.Contains(output, "take-ownership") && !strings.Contains(output, "ownership metadata") {
		t.Errorf("an install under another name says %q", output)
	}
	run("install", "another", current, "--take-ownership")
	if diff := cmp.Diff(before, kubectl("get", "ijs", "stop-nightly-import", "-o", "yaml")); diff != "" {
		t.Errorf("the object is not what it was: %s", diff)
	}
}
