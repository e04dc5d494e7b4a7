// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"os"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/yaml"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(harness.Path(path...))
	harness.Must(t, err)
	return string(text)
}

// kstatus decides for Flux, Helm 4, kpt and others.
func TestKstatus(t *testing.T) {
	t.Parallel()
	want := map[health]status.Status{inProgress: status.InProgressStatus, held: status.InProgressStatus, done: status.CurrentStatus, failed: status.FailedStatus}
	for _, p := range phases {
		result, err := status.Compute(recorded[p.name])
		harness.Must(t, err)
		check(t, "kstatus", p, string(result.Status), string(want[p.health]))
	}
}

const lualib = "config/argocd/resource_customizations/cdb.tencentcloud.com/ImportJobStop"

// Argo CD runs the very script with the very engine.
func TestArgoCD(t *testing.T) {
	t.Parallel()
	script := read(t, lualib, "health.lua")
	want := map[health]string{inProgress: "Progressing", held: "Suspended", done: "Healthy", failed: "Degraded"}
	for _, p := range phases {
		health, _ := runLua(t, script, recorded[p.name].Object)
		check(t, "Argo CD", p, health, want[p.health])
	}
	component := read(t, "config/argocd/argocd-cm.yaml")
	for row := range strings.Lines(script) {
		if !strings.Contains(component, "    "+row) {
			t.Errorf("config/argocd/argocd-cm.yaml has another script: no %q", row)
		}
	}
}

// The files in the layout of Argo CD's own tests say the same.
func TestArgoCDTestdata(t *testing.T) {
	t.Parallel()
	var tests struct {
		Tests []struct {
			HealthStatus struct{ Status, Message string } `json:"healthStatus"`
			InputPath    string                           `json:"inputPath"`
		} `json:"tests"`
	}
	harness.Must(t, yaml.UnmarshalStrict([]byte(read(t, lualib, "health_test.yaml")), &tests))
	if len(tests.Tests) != len(phases) {
		t.Errorf("%d files for %d phases", len(tests.Tests), len(phases))
	}
	for _, test := range tests.Tests {
		var object map[string]any
		harness.Must(t, yaml.Unmarshal([]byte(read(t, lualib, test.InputPath)), &object))
		health, message := runLua(t, read(t, lualib, "health.lua"), object)
		if health != test.HealthStatus.Status || message != test.HealthStatus.Message {
			t.Errorf("%s: %s %q, want %s %q", test.InputPath, health, message, test.HealthStatus.Status, test.HealthStatus.Message)
		}
	}
}

func runLua(t *testing.T, script string, object map[string]any) (health, message string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, lib := range []lua.LGFunction{lua.OpenBase, lua.OpenTable, lua.OpenString} {
		state.Push(state.NewFunction(lib))
		state.Call(0, 0)
	}
	state.SetGlobal("obj", luaValue(state, object))
	harness.Must(t, state.DoString(script))
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the script returned %s", state.Get(-1))
	}
	return lua.LVAsString(table.RawGetString("status")), lua.LVAsString(table.RawGetString("message"))
}

// luaValue is what Argo CD makes of JSON.
func luaValue(state *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case bool:
		return lua.LBool(v)
	case float64:
		return lua.LNumber(v)
	case int64:
		return lua.LNumber(v)
	case string:
		return lua.LString(v)
	case []any:
		table := state.CreateTable(len(v), 0)
		for _, item := range v {
			table.Append(luaValue(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(v))
		for key, item := range v {
			table.RawSetH(lua.LString(key), luaValue(state, item))
		}
		return table
	default:
		return lua.LNil
	}
}

// Flux evaluates inProgress, failed and current in this order, over the object's own fields.
func TestFlux(t *testing.T) {
	t.Parallel()
	_, kustomization, _ := strings.Cut(read(t, "config/flux/importjobstops.yaml"), "\n---\n")
	for _, test := range []struct{ tool, text, held string }{
		{"Flux CEL", kustomization, "InProgress"},
		{"Flux CEL, suspended is current", read(t, "config/flux/suspended-is-current/patch.yaml"), "Current"},
	} {
		want := map[health]string{inProgress: "InProgress", held: test.held, done: "Current", failed: "Failed"}
		for _, p := range phases {
			check(t, test.tool, p, fluxHealth(t, test.text, p), want[p.health])
		}
	}
}

// fluxHealth is what Flux makes of a phase by the expressions of a Kustomization.
func fluxHealth(t *testing.T, text string, p phase) string {
	t.Helper()
	var kustomization struct {
		Spec struct {
			HealthCheckExprs []struct{ InProgress, Failed, Current string } `json:"healthCheckExprs"`
		} `json:"spec"`
	}
	harness.Must(t, yaml.Unmarshal([]byte(text), &kustomization))
	exprs := kustomization.Spec.HealthCheckExprs[0]
	for _, expr := range []struct{ text, health string }{{exprs.InProgress, "InProgress"}, {exprs.Failed, "Failed"}, {exprs.Current, "Current"}} {
		if isTrue(t, expr.text, recorded[p.name]) {
			return expr.health
		}
	}
	return "InProgress" // as Flux, when nothing is true
}

func isTrue(t *testing.T, expr string, object *unstructured.Unstructured) bool {
	t.Helper()
	options := make([]cel.EnvOption, 0, len(object.Object))
	for field := range object.Object {
		options = append(options, cel.Variable(field, cel.DynType))
	}
	e, err := cel.NewEnv(options...)
	harness.Must(t, err)
	checked, issues := e.Compile(expr)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	program, err := e.Program(checked)
	harness.Must(t, err)
	value, _, err := program.Eval(object.Object)
	if err != nil {
		return false // a field that is not there yet
	}
	is, _ := value.Value().(bool)
	return is
}
