// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

// The version needs no other flag, and no cluster.
func TestVersion(t *testing.T) {
	t.Parallel()
	output, err := execute("--version")
	if want := "kubectl stop-import version devel\n"; err != nil || output != want {
		t.Errorf("it prints %q and returns %v, want %q", output, err, want)
	}
}
