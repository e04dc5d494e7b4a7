// SPDX-License-Identifier: Apache-2.0

// Package security tests each promise of docs/security.md, with the real manager, the real API server and a simulated cloud.
package security

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

var (
	env  *harness.Environment
	helm = flag.String("helm", "", "the program helm; without it the pods of the chart are not tested")
)

func TestMain(m *testing.M) {
	os.Exit(harness.With(func(e *harness.Environment) int {
		env = e
		return m.Run()
	}, nil, harness.Audited))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newFixture is a tenant whose name begins with this.
func newFixture(t *testing.T, name string) *harness.Fixture {
	t.Helper()
	return harness.NewFixture(t, env, name+"-")
}

func root(path string) string { return filepath.Join(harness.Root(), path) }

// kustomize builds a folder of the project.
func kustomize(t *testing.T, folder string) string {
	t.Helper()
	output, err := env.Kubectl(t.Context(), nil, "kustomize", root(folder))
	if err != nil {
		t.Fatal(output)
	}
	return output
}

// apply a manifest as the administrator.
func apply(t *testing.T, manifest string, flags ...string) {
	t.Helper()
	if output, err := env.Kubectl(t.Context(), strings.NewReader(manifest), append([]string{"apply", "-f", "-"}, flags...)...); err != nil {
		t.Fatal(output)
	}
}

// documents of a manifest.
func documents(manifest string) []string { return strings.Split(manifest, "\n---\n") }
