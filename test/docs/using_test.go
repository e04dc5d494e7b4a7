// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"reflect"
	"strings"
	"testing"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// The page about using an ImportJobStop describes each field of spec and each reason of Ready.
func TestUsingIsComplete(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(harness.Path("docs/using.md"))
	harness.Must(t, err)
	text := string(content)
	for _, kind := range []any{cdbv1.ImportJobStopSpec{}, cdbv1.ImportFilter{}} {
		for field := range reflect.TypeOf(kind).Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !strings.Contains(text, "`"+name) && !strings.Contains(text, "."+name+"`") {
				t.Errorf("docs/using.md says nothing of the field %s", name)
			}
		}
	}
	for _, reason := range cdbv1.ReadyReasons() {
		if row := "[`" + reason + "`](troubleshooting.md#" + strings.ToLower(reason) + ")"; !strings.Contains(text, row) {
			t.Errorf("docs/using.md has no row of the reason %s", reason)
		}
	}
}
