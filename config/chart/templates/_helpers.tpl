{{/* The prefix of the names of all objects but the CRD. */}}
{{- define "importjobstop.prefix" -}}
{{ .Values.fullnameOverride | default "importjobstop" }}
{{- end }}

{{- define "importjobstop.image" -}}
{{- $tag := .Values.image.tag | default (printf "v%s" .Chart.AppVersion) -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}{{ with .Values.image.tag }}:{{ . }}{{ end }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ $tag }}
{{- end -}}
{{- end }}

{{- define "importjobstop.pullSecrets" -}}
{{- with concat (.Values.imagePullSecrets | default list) ((.Values.global).imagePullSecrets | default list) -}}
{{ toYaml (uniq .) }}
{{- end -}}
{{- end }}

{{/* Constraints as they are given, with the Deployment's own selector where none is given. */}}
{{- define "importjobstop.spread" -}}
{{- $selector := dict "labelSelector" (dict "matchLabels" (dict "app.kubernetes.io/name" "importjobstop-operator")) -}}
{{- $constraints := list -}}
{{- range .Values.topologySpreadConstraints -}}
{{- $constraints = append $constraints (hasKey . "labelSelector" | ternary . (merge (deepCopy .) $selector)) -}}
{{- end -}}
{{- with $constraints -}}{{ toYaml . }}{{- end -}}
{{- end }}

{{/* 86 % of the memory limit in MiB: the heap is collected more often before it comes near. Empty without a limit. */}}
{{- define "importjobstop.goMemoryLimit" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources -}}
{{- if kindIs "float64" $limit }}{{- $limit = printf "%.0f" $limit }}{{- end -}}
{{- $limit = toString $limit -}}
{{- if $limit -}}
{{- $bytes := dict "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 -}}
{{- $unit := regexFind "[A-Za-z]*$" $limit -}}
{{- $number := trimSuffix $unit $limit -}}
{{- if or (not (hasKey $bytes $unit)) (not (regexMatch "^[0-9]+(\\.[0-9]+)?$" $number)) -}}
{{- fail (printf "resources.limits.memory is %q: write it as in 512Mi or 1Gi" $limit) -}}
{{- end -}}
{{- $mebibytes := divf (mulf (float64 $number) (get $bytes $unit) 0.86) 1048576.0 | floor | int64 -}}
{{- if lt $mebibytes 32 -}}
{{- fail (printf "resources.limits.memory is %q: the operator needs more than 37Mi" $limit) -}}
{{- end -}}
{{ $mebibytes }}MiB
{{- end -}}
{{- end }}

{{- define "importjobstop.env" -}}
{{- $own := list -}}
{{- range .Values.env }}{{- $own = append $own .name }}{{- end -}}
{{- $env := list -}}
{{- $pairs := list (list "GOMEMLIMIT" (include "importjobstop.goMemoryLimit" .)) (list "HTTP_PROXY" .Values.proxy.httpProxy) (list "HTTPS_PROXY" .Values.proxy.httpsProxy) (list "NO_PROXY" .Values.proxy.noProxy) -}}
{{- range $pairs -}}
{{- if and (last .) (not (has (first .) $own)) -}}
{{- $env = append $env (dict "name" (first .) "value" (last .)) -}}
{{- end -}}
{{- end -}}
{{- with concat $env (.Values.env | default list) -}}{{ toYaml . }}{{- end -}}
{{- end }}
