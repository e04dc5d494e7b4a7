// SPDX-License-Identifier: Apache-2.0

// Package security tests each promise of docs/security.md, with the real manager, the real API server and a simulated cloud.
package security

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

var (
	env      *harness.Environment
	cleanups []func() // of what several tests share
	helm     = flag.String("helm", "", "the program helm; without it the pods of the chart are not tested")
)

func TestMain(m *testing.M) {
	os.Exit(harness.With(func(e *harness.Environment) int {
		env = e
		defer func() {
			for _, cleanup := range cleanups {
				cleanup()
			}
		}()
		return m.Run()
	}, nil, harness.Audited))
}

// newFixture is a tenant whose name begins with this.
func newFixture(t *testing.T, name string) *harness.Fixture {
	t.Helper()
	return harness.NewFixture(t, env, name+"-")
}

// kustomize builds a folder of the project.
func kustomize(t *testing.T, folder string) string {
	t.Helper()
	return env.MustKubectl(t, "kustomize", harness.Path(folder))
}

// apply a manifest as the administrator.
func apply(t *testing.T, manifest string, flags ...string) {
	t.Helper()
	_, err := env.Kubectl(t.Context(), strings.NewReader(manifest), append([]string{"apply", "-f", "-"}, flags...)...)
	harness.Must(t, err)
}

// documents of a manifest.
func documents(manifest string) []string { return strings.Split(manifest, "\n---\n") }
