// SPDX-License-Identifier: Apache-2.0

// Package integrations tests that the tools of others make of each phase of an object what the status contract says: over one set of
// objects that the real operator brought into these phases, as the real API server tells them.
package integrations

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

var (
	env      *harness.Environment
	recorded map[string]*unstructured.Unstructured // by phase
	table    results
)

func TestMain(m *testing.M) {
	os.Exit(harness.With(func(e *harness.Environment) int {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		env = e
		var err error
		if recorded, err = record(ctx, e); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		code := m.Run()
		table.print(os.Stdout)
		return code
	}, nil))
}

// results are what each tool makes of each phase.
type results struct {
	mu   sync.Mutex
	rows map[string]map[string]string // by tool and phase
}

// check records what a tool makes of a phase, and fails if it is another one than wanted.
func check(t *testing.T, tool string, p phase, got, want string) {
	t.Helper()
	table.mu.Lock()
	defer table.mu.Unlock()
	if table.rows == nil {
		table.rows = map[string]map[string]string{}
	}
	if table.rows[tool] == nil {
		table.rows[tool] = map[string]string{}
	}
	table.rows[tool][p.name] = got
	if got != want {
		t.Errorf("%s makes %q of %s, want %q", tool, got, p.name, want)
	}
}

func (r *results) print(output io.Writer) {
	w := tabwriter.NewWriter(output, 0, 0, 2, ' ', 0)
	tools := slices.Sorted(maps.Keys(r.rows))
	_, _ = fmt.Fprintln(w, "phase\tcontract\t"+strings.Join(tools, "\t"))
	for _, p := range phases {
		row := []string{p.name, string(p.health)}
		for _, tool := range tools {
			row = append(row, r.rows[tool][p.name])
		}
		_, _ = fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
}

// reasons are those that Ready can have, read from the source that documents them.
func reasons(t *testing.T) (output []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), harness.Path("api/v1alpha1/conditions.go"), nil, 0)
	harness.Must(t, err)
	notOfReady := []string{cdbv1.ReasonThrottled, cdbv1.ReasonCloudError, cdbv1.ReasonOutcomeUnknown, cdbv1.ReasonFinished, cdbv1.ReasonProgressing, cdbv1.ReasonTTLIgnored, cdbv1.ReasonBreakGlass}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		literal, _ := spec.Values[0].(*ast.BasicLit)
		reason, err := strconv.Unquote(literal.Value)
		harness.Must(t, err)
		if !slices.Contains(notOfReady, reason) {
			output = append(output, reason)
		}
		return true
	})
	if a, b := slices.Sorted(slices.Values(output)), slices.Sorted(slices.Values(cdbv1.ReadyReasons())); !slices.Equal(a, b) {
		t.Errorf("ReadyReasons has %q, the source %q", b, a)
	}
	return output
}
