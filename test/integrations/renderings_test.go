// SPDX-License-Identifier: Apache-2.0

package integrations

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
		[]string{"image: mirror.example/operator@sha256:" + digest + "\n", "imagePullPolicy: IfNotPresent\n"},
		nil,
	},
	{"an image by tag and digest", "{image: {repository: mirror.example/operator, tag: v2, digest: 'sha256:" + digest + "'}}", []string{"image: mirror.example/operator:v2@sha256:" + digest + "\n"}, nil},
	{
		"secrets for the image", "{imagePullSecrets: [{name: mine}, {name: both}], global: {imagePullSecrets: [{name: both}, {name: all}], other: 1}}",
		[]string{"      imagePullSecrets:\n      - name: mine\n      - name: both\n      - name: all\n"},
		nil,
	},
	{
		"chosen namespaces", "{namespaces: [default, kube-public]}",
		[]string{"- --namespaces=default,kube-public\n", "  namespace: default\n", "  namespace: kube-public\n", "name: importjobstop-metrics-auth-role\n"},
		[]string{"kind: ClusterRole\nmetadata:\n  name: importjobstop-manager-role"},
	},
	{
		"chosen namespaces and no ClusterRole", "{namespaces: [default], metrics: {enabled: false}, rbac: {userRoles: false}}",
		[]string{"- --metrics-bind-address=0\n", "kind: Role\n  name: importjobstop-manager-role\n"},
		[]string{"ClusterRole", "kind: Service\n", "containerPort: 8443"},
	},
	{"roles of somebody else", "{rbac: {create: false}}", []string{"importjobstop-editor-role"}, []string{"importjobstop-manager-role", "importjobstop-leader-election-role", "metrics-auth"}},
	{"more flags", "{extraArgs: [--regional-endpoints, '--zap-log-level=debug']}", []string{`- "--regional-endpoints"`, `- "--zap-log-level=debug"`}, nil},
	{
		"a proxy, and more of the environment", "{proxy: {httpProxy: 'http://proxy:3128', httpsProxy: 'http://proxy:3128', noProxy: '10.0.0.0/8,.svc'}, env: [{name: SSL_CERT_FILE, value: /certs/ca.crt}]}",
		[]string{"- name: HTTP_PROXY\n          value: http://proxy:3128\n", "- name: HTTPS_PROXY\n", "- name: NO_PROXY\n          value: 10.0.0.0/8,.svc\n", "- name: SSL_CERT_FILE\n", "value: 440MiB\n"},
		nil,
	},
	{"a memory limit of one's own", "{env: [{name: GOMEMLIMIT, value: 100MiB}]}", []string{"value: 100MiB\n"}, []string{"440MiB"}},
	{"more memory", "{resources: {limits: {memory: 2Gi}}}", []string{"memory: 2Gi\n", "value: 1761MiB\n"}, nil},
	{"memory in powers of ten", "{resources: {limits: {memory: 1.5G}}}", []string{"value: 1230MiB\n"}, nil},
	{"memory in bytes", "{resources: {limits: {memory: 536870912}}}", []string{"value: 440MiB\n"}, nil},
	{"no limits", "{resources: {limits: null}}", []string{"requests:\n"}, []string{"GOMEMLIMIT", "env:"}},
	{
		"certain nodes", "{nodeSelector: {pool: db}, tolerations: [{key: db, operator: Exists}], affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: gpu, operator: DoesNotExist}]}]}}}}",
		[]string{"pool: db\n", "- key: db\n          operator: Exists\n", "nodeAffinity:\n"},
		[]string{"podAntiAffinity"},
	},
	{
		"over zones", "{topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}, {maxSkew: 2, topologyKey: rack, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {a: b}}}]}",
		[]string{"      topologySpreadConstraints:\n      - labelSelector:\n          matchLabels:\n            app.kubernetes.io/name: importjobstop-operator\n        maxSkew: 1\n", "            a: b\n        maxSkew: 2\n"},
		nil,
	},
	{
		"labels and annotations", "{commonLabels: {team: db}, podLabels: {sidecar: 'no'}, podAnnotations: {a: pod}, deploymentAnnotations: {b: deployment}, serviceAccount: {annotations: {c: account}}, metrics: {serviceAnnotations: {d: service}}}",
		[]string{"team: db\n", "sidecar: \"no\"\n", "a: pod\n", "b: deployment\n", "c: account\n", "d: service\n"},
		nil,
	},
	{
		"a certificate for the metrics, and a ServiceMonitor", "{metrics: {certSecret: my-cert, serviceMonitor: {enabled: true, interval: 30s, scrapeTimeout: 10s, labels: {release: prometheus}}}}",
		[]string{"secretName: my-cert\n", "- --metrics-cert-path=/metrics-cert\n", "serverName: importjobstop-controller-manager-metrics.importjobstop-system.svc\n", "release: prometheus\n", "interval: 30s\n", "scrapeTimeout: 10s\n"},
		[]string{"insecureSkipVerify"},
	},
	{
		"alerts and a dashboard", "{metrics: {rules: {enabled: true, labels: {release: prometheus}}, dashboard: {enabled: true, labels: {dashboards: 'yes'}, annotations: {grafana_folder: Databases}}}}",
		[]string{"kind: PrometheusRule\n", "kind: ConfigMap\n", "grafana_folder: Databases\n", "dashboards: \"yes\"\n", "{{ $value }}"},
		nil,
	},
	{
		"a NetworkPolicy", "{networkPolicy: {enabled: true, metricsFrom: [{podSelector: {}}], extraEgress: [{ports: [{port: 3128}]}]}}",
		[]string{"kind: NetworkPolicy\n", "    - podSelector: {}\n", "- port: 3128\n"},
		[]string{"metrics: enabled"},
	},
	{"a NetworkPolicy without metrics", "{networkPolicy: {enabled: true}, metrics: {enabled: false}}", []string{"kind: NetworkPolicy\n"}, []string{"ingress:"}},
	{
		"certificates of a proxy", "{volumes: [{name: ca, configMap: {name: ca}}], volumeMounts: [{name: ca, mountPath: /certs, readOnly: true}], metrics: {certSecret: my-cert}}",
		[]string{"- configMap:\n          name: ca\n        name: ca\n", "- mountPath: /certs\n", "- name: metrics-cert\n        secret:\n"},
		nil,
	},
	{
		"names and a priority", "{dnsPolicy: None, dnsConfig: {nameservers: [10.0.0.10]}, hostAliases: [{ip: 10.0.0.1, hostnames: [cdb.tencentcloudapi.com]}], priorityClassName: system-cluster-critical}",
		[]string{"dnsPolicy: None\n", "- 10.0.0.10\n", "- cdb.tencentcloudapi.com\n", "priorityClassName: system-cluster-critical\n"},
		nil,
	},
	{
		"another prefix", "{fullnameOverride: stops-a, metrics: {serviceMonitor: {enabled: true}, rules: {enabled: true}, dashboard: {enabled: true}}, networkPolicy: {enabled: true}}",
		[]string{"name: stops-a-controller-manager\n", "serviceAccountName: stops-a-controller-manager\n", "name: stops-a-manager-role\n", "name: stops-a-dashboard\n"},
		[]string{"name: importjobstop-controller-manager\n", "name: importjobstop-manager-role\n"},
	},
	{
		"other security", "{podSecurityContext: {fsGroup: 1000}, securityContext: {runAsUser: 1000}}",
		[]string{"fsGroup: 1000\n", "runAsNonRoot: true\n", "runAsUser: 1000\n", "readOnlyRootFilesystem: true\n"},
		nil,
	},
	{"no CRD", "{crds: {install: false}}", nil, []string{"CustomResourceDefinition"}},
	{"a CRD that goes", "{crds: {keep: false}}", []string{"CustomResourceDefinition"}, []string{"helm.sh/resource-policy"}},
}

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
