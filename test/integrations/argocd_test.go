// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/yaml"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// runAction is what a script of an action returns. As in Argo CD, it can require os.
func runAction(t *testing.T, script string, object map[string]any) *lua.LTable {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	t.Cleanup(state.Close)
	for _, lib := range []lua.LGFunction{lua.OpenPackage, lua.OpenBase, lua.OpenTable, lua.OpenString} {
		state.Push(state.NewFunction(lib))
		state.Call(0, 0)
	}
	state.PreloadModule("os", lua.OpenOs)
	state.SetGlobal("obj", luaValue(state, object))
	harness.Must(t, state.DoString(script))
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the script returned %s", state.Get(-1))
	}
	return table
}

// enabled are the actions that Argo CD offers for an object.
func enabled(t *testing.T, object map[string]any) string {
	t.Helper()
	var names []string
	runAction(t, read(t, lualib, "actions/discovery.lua"), object).ForEach(func(name, action lua.LValue) {
		if table, ok := action.(*lua.LTable); ok && table.RawGetString("disabled") == lua.LFalse {
			names = append(names, lua.LVAsString(name))
		}
	})
	slices.Sort(names)
	return strings.Join(names, ",")
}

// goValue is what Argo CD makes of a result.
func goValue(value lua.LValue) any {
	switch v := value.(type) {
	case *lua.LTable:
		if v.Len() > 0 {
			items := []any{}
			v.ForEach(func(_, item lua.LValue) { items = append(items, goValue(item)) })
			return items
		}
		fields := map[string]any{}
		v.ForEach(func(key, item lua.LValue) { fields[lua.LVAsString(key)] = goValue(item) })
		return fields
	case lua.LBool:
		return bool(v)
	case lua.LNumber:
		return float64(v)
	default:
		return lua.LVAsString(value)
	}
}

// Argo CD offers what makes a difference: nothing for what is over, and resume for what is held back only.
func TestArgoCDActions(t *testing.T) {
	t.Parallel()
	for _, p := range phases {
		want := "retry,suspend"
		switch {
		case p.health == held:
			want = "resume,retry"
		case p.finished() && (p.ready() == "True" || p.reason == cdbv1.ReasonImportAlreadyFinished):
			want = ""
		}
		check(t, "Argo CD actions", p, enabled(t, recorded[p.name].Object), want)
	}
}

// The tests in the layout of Argo CD's own repository say the same, and the ConfigMap has these very scripts.
func TestArgoCDActionsTestdata(t *testing.T) {
	t.Parallel()
	object := func(path string) (content map[string]any) {
		harness.Must(t, yaml.Unmarshal([]byte(read(t, lualib, "actions", path)), &content))
		return content
	}
	var tests struct {
		DiscoveryTests []struct {
			InputPath string
			Result    []struct {
				Name     string
				Disabled bool
			}
		}
		ActionTests []struct{ Action, InputPath, ExpectedOutputPath string }
	}
	harness.Must(t, yaml.UnmarshalStrict([]byte(read(t, lualib, "actions/action_test.yaml")), &tests))
	for _, test := range tests.DiscoveryTests {
		var want []string
		for _, r := range test.Result {
			if !r.Disabled {
				want = append(want, r.Name)
			}
		}
		slices.Sort(want)
		if got := enabled(t, object(test.InputPath)); got != strings.Join(want, ",") {
			t.Errorf("%s: %s are enabled, want %s", test.InputPath, got, want)
		}
	}
	for _, test := range tests.ActionTests {
		got := goValue(runAction(t, read(t, lualib, "actions", test.Action, "action.lua"), object(test.InputPath)))
		if diff := cmp.Diff(any(object(test.ExpectedOutputPath)), got); diff != "" {
			t.Errorf("%s: %s", test.Action, diff)
		}
	}
	if len(tests.ActionTests) != 2 || len(tests.DiscoveryTests) != 3 {
		t.Errorf("only %d and %d tests were read", len(tests.DiscoveryTests), len(tests.ActionTests))
	}
	var config struct{ Data map[string]string }
	harness.Must(t, yaml.Unmarshal([]byte(read(t, "config/argocd/argocd-cm.yaml")), &config))
	var actions struct {
		Discovery   string `json:"discovery.lua"`
		Definitions []struct {
			Name   string
			Action string `json:"action.lua"`
		} `json:"definitions"`
	}
	harness.Must(t, yaml.UnmarshalStrict([]byte(config.Data["resource.customizations.actions.cdb.tencentcloud.com_ImportJobStop"]), &actions))
	if actions.Discovery != read(t, lualib, "actions/discovery.lua") || len(actions.Definitions) != 3 {
		t.Error("config/argocd/argocd-cm.yaml has another discovery")
	}
	for _, d := range actions.Definitions {
		if d.Action != read(t, lualib, "actions", d.Name, "action.lua") {
			t.Errorf("config/argocd/argocd-cm.yaml has another action %s", d.Name)
		}
	}
}

// A retry is a new value of the annotation, also for an object without any, and nothing else.
func TestArgoCDRetry(t *testing.T) {
	t.Parallel()
	var object map[string]any
	harness.Must(t, yaml.Unmarshal([]byte(read(t, lualib, "testdata/not-found.yaml")), &object))
	got, _ := goValue(runAction(t, read(t, lualib, "actions/retry/action.lua"), object)).(map[string]any)
	metadata, _ := got["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	if value, _ := annotations[cdbv1.RetryRequestedAtAnnotation].(string); len(value) != len("2026-11-25T01:48:48Z") || len(annotations) != 1 {
		t.Errorf("the annotations are %v", annotations)
	}
	delete(metadata, "annotations")
	if diff := cmp.Diff(object, got); diff != "" {
		t.Error(diff)
	}
}
