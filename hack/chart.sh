#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the templates of the Helm chart from config/default, so that the two cannot drift.
set -euo pipefail
cd "$(dirname "$0")/.."
templates=config/chart/templates
"${KUBEBUILDER_ASSETS:-bin/controlplane}/kubectl" kustomize config/default | awk -v crd="$templates/crd.yaml" -v rest="$templates/operator.yaml" '
  function flush() {
    if (document ~ /\nkind: CustomResourceDefinition\n/) {
      sub(/\n  annotations:\n/, "&    helm.sh/resource-policy: keep\n", document)
      printf "{{- if .Values.crds.install }}\n%s{{- end }}\n", document > crd
    } else if (document !~ /\nkind: Namespace\n/) {
      printf "%s%s", separator, document > rest
      separator = "---\n"
    }
    document = ""
  }
  /^---$/ { flush(); next }
  { document = document $0 "\n" }
  END { flush() }'
sed -i.tmp \
  -e 's|namespace: importjobstop-system|namespace: {{ .Release.Namespace }}|' \
  -e 's|^  replicas: 2$|  replicas: {{ .Values.replicas }}|' \
  -e 's|image: controller:latest|image: {{ .Values.image.repository }}:{{ .Values.image.tag \| default (printf "v%s" .Chart.AppVersion) }}|' \
  -e 's|^        - --health-probe-bind-address=:8081$|&\
        {{- range .Values.extraArgs }}\
        - {{ . \| quote }}\
        {{- end }}|' \
  -e 's|^      serviceAccountName: .*|&\
      {{- with .Values.priorityClassName }}\
      priorityClassName: {{ . }}\
      {{- end }}|' \
  -e '/^        resources:$/,/^            memory: 96Mi$/{/resources:/!d;s|$| {{- toYaml .Values.resources \| nindent 10 }}|;}' \
  "$templates/operator.yaml"
rm "$templates/operator.yaml.tmp"
