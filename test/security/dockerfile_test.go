// SPDX-License-Identifier: Apache-2.0

package security

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// The image is built from the files that the Dockerfile names: one that it forgets breaks every image, and no other test builds one.
func TestTheDockerfileCopiesThePackage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(harness.Root(), "Dockerfile"))
	harness.Must(t, err)
	var copied []string
	for _, row := range regexp.MustCompile(`(?m)^COPY (.*) \./$`).FindAllStringSubmatch(string(text), -1) {
		copied = append(copied, strings.Fields(row[1])...)
	}
	sources, err := filepath.Glob(filepath.Join(harness.Root(), "*.go"))
	harness.Must(t, err)
	for _, source := range sources {
		name := filepath.Base(source)
		if isTest := strings.HasSuffix(name, "_test.go"); !isTest && !slices.Contains(copied, name) {
			t.Errorf("the Dockerfile does not copy %s", name)
		}
	}
}
