// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// editDeployment puts the values into the Deployment.
func editDeployment(document string) (string, error) {
	document, err := replace(document, ofPod()...)
	if err != nil {
		return "", err
	}
	return replace(document, ofContainer()...)
}

// optional is a field of the pod that is absent while its value is empty.
func optional(indent int, field, value string) string {
	blanks := strings.Repeat(" ", indent)
	return fmt.Sprintf("%[1]s{{- with .Values.%[3]s }}\n%[1]s%[2]s: {{- toYaml . | nindent %[4]d }}\n%[1]s{{- end }}\n", blanks, field, value, indent+2)
}

func ofPod() []replacement {
	const (
		affinity = "      affinity:\n        podAntiAffinity:\n          preferredDuringSchedulingIgnoredDuringExecution:\n          - podAffinityTerm:\n              labelSelector:\n" +
			"                matchLabels:\n                  app.kubernetes.io/name: importjobstop-operator\n              topologyKey: kubernetes.io/hostname\n            weight: 100\n"
		security  = "      securityContext:\n        runAsNonRoot: true\n        seccompProfile:\n          type: RuntimeDefault\n"
		selector  = "      nodeSelector:\n        kubernetes.io/os: linux\n"
		account   = "      serviceAccountName: importjobstop-controller-manager\n"
		podLabels = "  template:\n    metadata:\n      labels:\n        app.kubernetes.io/name: importjobstop-operator\n"
	)
	certificate := "      {{- if or .Values.volumes .Values.metrics.certSecret }}\n      volumes:\n" +
		"      {{- with .Values.metrics.certSecret }}\n      - name: metrics-cert\n        secret:\n          secretName: {{ . }}\n      {{- end }}\n" +
		"      {{- with .Values.volumes }}\n      {{- toYaml . | nindent 6 }}\n      {{- end }}\n      {{- end }}\n"
	return []replacement{
		{"\nmetadata:\n", "\nmetadata:\n" + annotations("deploymentAnnotations")},
		{"  replicas: 2\n", "  replicas: {{ .Values.replicas }}\n"},
		{podLabels, strings.Replace(podLabels, "      labels:\n", "      {{- with .Values.podAnnotations }}\n      annotations: {{- toYaml . | nindent 8 }}\n      {{- end }}\n      labels:\n"+
			"        {{- with .Values.podLabels }}\n        {{- toYaml . | nindent 8 }}\n        {{- end }}\n", 1)},
		{affinity, "      affinity:\n        {{- with .Values.affinity }}\n        {{- toYaml . | nindent 8 }}\n        {{- else }}\n" +
			strings.TrimPrefix(affinity, "      affinity:\n") + "        {{- end }}\n"},
		{selector, optional(6, "nodeSelector", "nodeSelector")},
		{security, optional(6, "securityContext", "podSecurityContext")},
		{account, account + "      {{- with include \"importjobstop.pullSecrets\" . }}\n      imagePullSecrets: {{- . | nindent 6 }}\n      {{- end }}\n" +
			"      {{- with include \"importjobstop.spread\" . }}\n      topologySpreadConstraints: {{- . | nindent 6 }}\n      {{- end }}\n" +
			"      {{- with .Values.priorityClassName }}\n      priorityClassName: {{ . }}\n      {{- end }}\n" +
			"      {{- with .Values.dnsPolicy }}\n      dnsPolicy: {{ . }}\n      {{- end }}\n" +
			optional(6, "dnsConfig", "dnsConfig") + optional(6, "hostAliases", "hostAliases") + optional(6, "tolerations", "tolerations") + certificate},
	}
}

func ofContainer() []replacement {
	const (
		environment = "        env:\n        - name: GOMEMLIMIT\n          value: 440MiB\n"
		resources   = "        resources:\n          limits:\n            memory: 512Mi\n          requests:\n            cpu: 20m\n            memory: 96Mi\n"
		security    = "        securityContext:\n          allowPrivilegeEscalation: false\n          capabilities:\n            drop:\n            - ALL\n          readOnlyRootFilesystem: true\n"
		address     = "        - --metrics-bind-address=:8443\n"
		last        = "        - --health-probe-bind-address=:8081\n"
		port        = "        - containerPort: 8443\n          name: metrics\n"
	)
	return []replacement{
		{address, "        - --metrics-bind-address={{ if .Values.metrics.enabled }}:8443{{ else }}0{{ end }}\n"},
		{last, last + "        {{- with .Values.namespaces }}\n        - --namespaces={{ join \",\" . }}\n        {{- end }}\n" +
			"        {{- if .Values.metrics.certSecret }}\n        - --metrics-cert-path=/metrics-cert\n        {{- end }}\n" +
			"        {{- range .Values.extraArgs }}\n        - {{ . | quote }}\n        {{- end }}\n"},
		{environment, "        {{- with include \"importjobstop.env\" . }}\n        env: {{- . | nindent 8 }}\n        {{- end }}\n"},
		{"        image: controller:latest\n", "        image: {{ include \"importjobstop.image\" . }}\n" +
			"        {{- with .Values.image.pullPolicy }}\n        imagePullPolicy: {{ . }}\n        {{- end }}\n"},
		{port, "        {{- if .Values.metrics.enabled }}\n" + port + "        {{- end }}\n"},
		{resources, optional(8, "resources", "resources")},
		{security, optional(8, "securityContext", "securityContext") +
			"        {{- if or .Values.volumeMounts .Values.metrics.certSecret }}\n        volumeMounts:\n" +
			"        {{- if .Values.metrics.certSecret }}\n        - name: metrics-cert\n          mountPath: /metrics-cert\n          readOnly: true\n        {{- end }}\n" +
			"        {{- with .Values.volumeMounts }}\n        {{- toYaml . | nindent 8 }}\n        {{- end }}\n        {{- end }}\n"},
	}
}
