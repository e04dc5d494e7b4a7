// SPDX-License-Identifier: Apache-2.0

// kubestatemetrics prints what kube-state-metrics makes of objects: kubestatemetrics CONFIG OBJECT…, each a YAML file.
package main

import (
	"fmt"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/kube-state-metrics/v2/pkg/customresourcestate"
	"k8s.io/kube-state-metrics/v2/pkg/metric"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "kubestatemetrics:", err)
		os.Exit(1)
	}
}

func run(configPath string, objectPaths []string) error {
	var config struct {
		Kind                        string `json:"kind"`
		customresourcestate.Metrics `json:",inline"`
	}
	if err := read(configPath, &config); err != nil {
		return err
	}
	for _, resource := range config.Spec.Resources {
		for i := range resource.Metrics { // as kube-state-metrics does when it has read the file
			resource.Metrics[i].Each.Type = metric.Type(strings.ToLower(string(resource.Metrics[i].Each.Type)))
		}
		factory, err := customresourcestate.NewCustomResourceMetrics(resource)
		if err != nil {
			return err
		}
		for _, path := range objectPaths {
			object := &unstructured.Unstructured{}
			if err := read(path, &object.Object); err != nil {
				return err
			}
			for _, family := range factory.MetricFamilyGenerators() {
				fmt.Printf("%s", family.Generate(object).ByteSlice())
			}
		}
	}
	return nil
}

func read(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
