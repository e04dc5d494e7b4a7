// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"path/filepath"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// Every folder that the README offers builds, and the API server takes what comes out.
func TestKustomizations(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"config/default", "config/namespaced", "config/network-policy"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			if out, err := env.Kubectl(t.Context(), nil, "apply", "--dry-run=server", "--validate=strict", "-k", filepath.Join(harness.Root(), folder)); err != nil {
				t.Error(out)
			}
		})
	}
}
