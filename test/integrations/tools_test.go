// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// The tools that take minutes to build; make test-integrations builds and names them.
var (
	helm     = flag.String("helm", "", "the program helm; without it the chart is not tested")
	promtool = flag.String("promtool", "", "the program promtool; without it the alert rules are not tested")
)

func runTool(t *testing.T, program string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+env.Kubeconfig)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %s", filepath.Base(program), strings.Join(args, " "), output)
	}
	return string(output)
}

// helm install --wait of a chart that has the object: done returns, failed fails at once, all else runs into the timeout.
func TestHelmWait(t *testing.T) {
	if *helm == "" {
		t.Skip("needs -helm")
	}
	t.Parallel()
	want := map[health]string{inProgress: "times out", held: "times out", done: "deployed", failed: "failed"}
	for _, p := range phases {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			o := stripped(recorded[p.name])
			unstructured.RemoveNestedField(o.Object, "status")
			manifest, err := yaml.Marshal(o.Object)
			harness.Must(t, err)
			chart := t.TempDir()
			for name, text := range map[string]string{"Chart.yaml": "apiVersion: v2\nname: stop\nversion: 0.0.0\n", "templates/stop.yaml": string(manifest)} {
				harness.Must(t, os.MkdirAll(filepath.Dir(filepath.Join(chart, name)), 0o700))
				harness.Must(t, os.WriteFile(filepath.Join(chart, name), []byte(text), 0o600))
			}
			command := exec.CommandContext(t.Context(), *helm, "install", p.name, chart, "--take-ownership", "--wait", "--timeout=4s", "-n", namespaceOf(p))
			command.Env = append(os.Environ(), "KUBECONFIG="+env.Kubeconfig)
			output, err := command.CombinedOutput()
			got := "deployed"
			if err != nil {
				got = "failed"
				if strings.Contains(string(output), "InProgress") {
					got = "times out"
				}
			}
			check(t, "helm --wait", p, got, want[p.health])
			if t.Failed() {
				t.Logf("helm: %s", output)
			}
		})
	}
}

// The alert rules are right, and fire when they should.
func TestAlertRules(t *testing.T) {
	if *promtool == "" {
		t.Skip("needs -promtool")
	}
	t.Parallel()
	dir := t.TempDir()
	var rule struct {
		Spec map[string]any `json:"spec"`
	}
	harness.Must(t, yaml.Unmarshal([]byte(read(t, "config/prometheus/rules.yaml")), &rule))
	rules, err := yaml.Marshal(rule.Spec)
	harness.Must(t, err)
	for name, text := range map[string][]byte{"rules.yaml": rules, "rules_test.yaml": []byte(read(t, "config/prometheus/rules_test.yaml"))} {
		harness.Must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	runTool(t, *promtool, "check", "rules", filepath.Join(dir, "rules.yaml"))
	runTool(t, *promtool, "test", "rules", filepath.Join(dir, "rules_test.yaml"))
}

var byReason = regexp.MustCompile(`importjobstop_objects\{reason(=|=~|!~)"([^"]*)"\}`)

// Each reason that calls for somebody is told by one alert, and by one only: also a reason that nobody has thought of.
func TestEachReasonHasAnAlert(t *testing.T) {
	t.Parallel()
	nobody := []string{cdbv1.ReasonStopAccepted, cdbv1.ReasonImportStopped, cdbv1.ReasonAlreadyStopped, cdbv1.ReasonSuspended}
	selectors := byReason.FindAllStringSubmatch(read(t, "config/prometheus/rules.yaml"), -1)
	if len(selectors) < 3 {
		t.Fatalf("only %d alerts are about reasons", len(selectors))
	}
	for _, reason := range append(reasons(t), "None", "OfALaterVersion") {
		alerts := 0
		for _, selector := range selectors {
			if slices.Contains(strings.Split(selector[2], "|"), reason) == (selector[1] != "!~") {
				alerts++
			}
		}
		want := 1
		if slices.Contains(nobody, reason) {
			want = 0
		}
		if alerts != want {
			t.Errorf("%d alerts are about %s, want %d", alerts, reason, want)
		}
	}
}

// Each alert has its test.
func TestEachAlertHasATest(t *testing.T) {
	t.Parallel()
	var rules struct {
		Spec struct {
			Groups []struct {
				Rules []struct{ Alert string } `json:"rules"`
			} `json:"groups"`
		} `json:"spec"`
	}
	harness.Must(t, yaml.Unmarshal([]byte(read(t, "config/prometheus/rules.yaml")), &rules))
	tests := read(t, "config/prometheus/rules_test.yaml")
	names := []string{}
	for _, r := range rules.Spec.Groups[0].Rules {
		if !strings.Contains(tests, "alertname: "+r.Alert+"\n") || slices.Contains(names, r.Alert) {
			t.Errorf("%s has no test, or stands there twice", r.Alert)
		}
		names = append(names, r.Alert)
	}
}
