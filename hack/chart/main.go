// SPDX-License-Identifier: Apache-2.0

// chart writes what the Helm chart does not say itself: its templates and files from the folders of config, and values.yaml and the table
// of README.md from values.schema.json. It reads config/default, as kustomize builds it, from its standard input, and it fails unless
// each text that it replaces is there exactly once.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

const folder = "config/chart"

func main() {
	if err := write(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func write(kustomized io.Reader) error {
	manifest, err := io.ReadAll(kustomized)
	if err != nil {
		return err
	}
	crd, operator, err := templates(string(manifest))
	if err != nil {
		return err
	}
	rules, err := ruleGroups("config/prometheus/rules.yaml")
	if err != nil {
		return err
	}
	dashboard, err := os.ReadFile("config/grafana/dashboard.json")
	if err != nil {
		return err
	}
	schema, err := os.ReadFile(filepath.Join(folder, "values.schema.json"))
	if err != nil {
		return err
	}
	values, table, err := describe(schema)
	if err != nil {
		return err
	}
	readme, err := withTable(filepath.Join(folder, "README.md"), table)
	return errors.Join(err,
		save("templates/crd.yaml", crd), save("templates/operator.yaml", operator), save("files/rules.yaml", rules),
		save("files/dashboard.json", string(dashboard)), save("values.yaml", values), save("README.md", readme))
}

func save(name, text string) error {
	return os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644)
}

// templates makes the two templates of the documents of a manifest.
func templates(manifest string) (crd, operator string, err error) {
	var parts []string
	left := specific()
	for document := range strings.SplitSeq(strings.TrimSuffix(manifest, "\n"), "\n---\n") {
		var object struct {
			Kind     string                `json:"kind"`
			Metadata struct{ Name string } `json:"metadata"`
		}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			return "", "", err
		}
		name := object.Kind + "/" + object.Metadata.Name
		edit, known := left[name]
		if !known {
			return "", "", fmt.Errorf("nothing says what becomes of %s", name)
		}
		delete(left, name)
		text, err := edit(document + "\n")
		if err != nil {
			return "", "", fmt.Errorf("%s: %w", name, err)
		}
		switch {
		case object.Kind == "CustomResourceDefinition":
			crd = text
		case text != "":
			parts = append(parts, text)
		}
	}
	for name := range left {
		return "", "", fmt.Errorf("config/default has no %s", name)
	}
	operator = strings.Join(parts, "---\n")
	for _, leftover := range []string{"importjobstop-system", "controller:latest"} {
		if strings.Contains(operator, leftover) {
			return "", "", fmt.Errorf("%s is left over", leftover)
		}
	}
	return crd, operator, nil
}

// ruleGroups are the groups of a PrometheusRule, as a file that the chart includes as it is.
func ruleGroups(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	_, groups, found := bytes.Cut(text, []byte("\nspec:\n"))
	if !found {
		return "", fmt.Errorf("%s has no spec", path)
	}
	var rows strings.Builder
	for row := range bytes.Lines(groups) {
		rows.Write(bytes.TrimPrefix(row, []byte("  ")))
	}
	return rows.String(), nil
}
