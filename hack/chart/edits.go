// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strings"
)

// edit makes a part of a template of a document. An empty text leaves the document out.
type edit func(document string) (string, error)

// replacement is a text that is in a document exactly once, and what stands there instead.
type replacement struct{ old, instead string }

func replace(text string, replacements ...replacement) (string, error) {
	for _, r := range replacements {
		if n := strings.Count(text, r.old); n != 1 {
			return "", fmt.Errorf("%q is there %d times, not once", r.old, n)
		}
		text = strings.Replace(text, r.old, r.instead, 1)
	}
	return text, nil
}

// specific has an edit for each document of config/default.
func specific() map[string]edit {
	return map[string]edit{
		"Namespace/importjobstop-system":                               func(string) (string, error) { return "", nil }, // Helm's users have made it
		"CustomResourceDefinition/importjobstops.cdb.tencentcloud.com": editCRD,

		"ServiceAccount/importjobstop-controller-manager":           all(editServiceAccount, generic),
		"Role/importjobstop-leader-election-role":                   when("rbac.create"),
		"RoleBinding/importjobstop-leader-election-rolebinding":     when("rbac.create"),
		"ClusterRole/importjobstop-manager-role":                    editManagerRole,
		"ClusterRoleBinding/importjobstop-manager-rolebinding":      editManagerRole,
		"ClusterRole/importjobstop-editor-role":                     when("rbac.userRoles"),
		"ClusterRole/importjobstop-viewer-role":                     when("rbac.userRoles"),
		"ClusterRole/importjobstop-metrics-auth-role":               when("rbac.create", "metrics.enabled"),
		"ClusterRoleBinding/importjobstop-metrics-auth-rolebinding": when("rbac.create", "metrics.enabled"),
		"ClusterRole/importjobstop-metrics-reader":                  when("rbac.create", "metrics.enabled"),
		"Service/importjobstop-controller-manager-metrics":          all(editService, when("metrics.enabled")),
		"Deployment/importjobstop-controller-manager":               all(editDeployment, generic),
		"PodDisruptionBudget/importjobstop-controller-manager":      all(editBudget, when("podDisruptionBudget.enabled")),
	}
}

func all(edits ...edit) edit {
	return func(document string) (_ string, err error) {
		for _, e := range edits {
			if document, err = e(document); err != nil {
				return "", err
			}
		}
		return document, nil
	}
}

var named = regexp.MustCompile(`(?m)^( *(?:- )?(?:name|serviceAccountName): )importjobstop(-[a-z-]+)$`)

const prefix = `{{ include "importjobstop.prefix" $ }}`

// generic puts the names, the namespace and the labels of the release into a document.
func generic(document string) (string, error) {
	document = strings.ReplaceAll(document, "namespace: importjobstop-system\n", "namespace: {{ $.Release.Namespace }}\n")
	if !named.MatchString(document) {
		return "", fmt.Errorf("no name begins with importjobstop-")
	}
	document = named.ReplaceAllString(document, "${1}"+prefix+"${2}")
	const labels = "{{- with $.Values.commonLabels }}\n%s{{- toYaml . | nindent 4 }}\n  {{- end }}\n"
	if strings.Contains(document, "\n  labels:\n") {
		return replace(document, replacement{"\n  labels:\n", "\n  labels:\n    " + fmt.Sprintf(labels, "    ")})
	}
	return replace(document, replacement{"\nmetadata:\n", "\nmetadata:\n  " + fmt.Sprintf(labels, "  labels: ")})
}

// when makes a document depend on values that are true or false.
func when(values ...string) edit {
	return func(document string) (string, error) {
		document, err := generic(document)
		condition := ".Values." + values[0]
		if len(values) > 1 {
			condition = "and .Values." + strings.Join(values, " .Values.")
		}
		return "{{- if " + condition + " }}\n" + document + "{{- end }}\n", err
	}
}

func editCRD(document string) (string, error) {
	if strings.Contains(document, "{{") {
		return "", fmt.Errorf("the CRD has braces that Helm would take for a template")
	}
	document, err := replace(document, replacement{
		"\n  annotations:\n", "\n  annotations:\n    {{- if .Values.crds.keep }}\n    helm.sh/resource-policy: keep\n    {{- end }}\n",
	})
	return "{{- if .Values.crds.install }}\n" + document + "{{- end }}\n", err
}

func editServiceAccount(document string) (string, error) {
	return replace(document, replacement{"\nmetadata:\n", "\nmetadata:\n" + annotations("serviceAccount.annotations")})
}

func editService(document string) (string, error) {
	return replace(document, replacement{"\nmetadata:\n", "\nmetadata:\n" + annotations("metrics.serviceAnnotations")})
}

func editBudget(document string) (string, error) {
	return replace(document, replacement{"  maxUnavailable: 1\n", "  maxUnavailable: {{ .Values.podDisruptionBudget.maxUnavailable }}\n"})
}

func annotations(value string) string {
	return "  {{- with .Values." + value + " }}\n  annotations: {{- toYaml . | nindent 4 }}\n  {{- end }}\n"
}

// editManagerRole makes a Role in each of the chosen namespaces, or a ClusterRole if none are chosen; and so with the binding.
func editManagerRole(document string) (string, error) {
	everywhere, err := generic(document)
	if err != nil {
		return "", err
	}
	within := strings.ReplaceAll(everywhere, "kind: ClusterRole", "kind: Role") // also of ClusterRoleBinding
	within, err = replace(within, replacement{"\nmetadata:\n", "\nmetadata:\n  namespace: {{ . }}\n"})
	return "{{- if .Values.rbac.create }}\n{{- range .Values.namespaces }}\n---\n" + within +
		"{{- else }}\n" + everywhere + "{{- end }}\n{{- end }}\n", err
}
