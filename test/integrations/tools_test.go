// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"flag"
	"fmt"
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

	oldestKubectl    = flag.String("oldestkubectl", "", "the program of hack/tools/kubectl; without it only the newest kubectl is tested")
	kubeStateMetrics = flag.String("kubestatemetrics", "", "the program of hack/tools/kubestatemetrics; without it the configuration of kube-state-metrics is not tested")
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

// installed is what helm install says of a chart that has the object of a phase.
func installed(t *testing.T, p phase, release string, flags ...string) string {
	t.Helper()
	o := stripped(recorded[p.name])
	unstructured.RemoveNestedField(o.Object, "status")
	manifest, err := yaml.Marshal(o.Object)
	harness.Must(t, err)
	chart := t.TempDir()
	for name, text := range map[string]string{"Chart.yaml": "apiVersion: v2\nname: stop\nversion: 0.0.0\n", "templates/stop.yaml": string(manifest)} {
		harness.Must(t, os.MkdirAll(filepath.Dir(filepath.Join(chart, name)), 0o700))
		harness.Must(t, os.WriteFile(filepath.Join(chart, name), []byte(text), 0o600))
	}
	command := exec.CommandContext(t.Context(), *helm, append([]string{"install", release, chart, "--take-ownership", "--timeout=4s", "-n", namespaceOf(p)}, flags...)...)
	command.Env = append(os.Environ(), "KUBECONFIG="+env.Kubeconfig)
	output, err := command.CombinedOutput()
	t.Logf("helm: %s", output)
	switch {
	case err == nil:
		return "deployed"
	case strings.Contains(string(output), "InProgress"):
		return "times out"
	}
	return "failed"
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
			check(t, "helm --wait", p, installed(t, p, p.name, "--wait"), want[p.health])
		})
	}
}

// Without --wait, and with the strategies that do not look at custom resources, a failed stop is deployed: docs/helm.md says so.
func TestHelmWithoutWaitSeesNoFailure(t *testing.T) {
	if *helm == "" {
		t.Skip("needs -helm")
	}
	t.Parallel()
	i := slices.IndexFunc(phases, func(p phase) bool { return p.name == "not-found" })
	for n, flags := range [][]string{nil, {"--wait=hookOnly"}, {"--wait=legacy"}} {
		if got := installed(t, phases[i], fmt.Sprint("blind-", n), flags...); got != "deployed" {
			t.Errorf("helm install %v: %s", flags, got)
		}
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

var byReason = regexp.MustCompile(`importjobstop_(recently_failed_objects|oldest_unfinished_seconds)\{reason(=|=~|!=|!~)"([^"]*)"\}`)

// alertsAbout counts the alerts that a metric leads to with a reason.
func alertsAbout(t *testing.T, metric, reason string) (n int) {
	t.Helper()
	for _, selector := range byReason.FindAllStringSubmatch(read(t, "config/prometheus/rules.yaml"), -1) {
		if selector[1] == metric && slices.Contains(strings.Split(selector[3], "|"), reason) == strings.HasPrefix(selector[2], "=") {
			n++
		}
	}
	return n
}

// Whatever goes on for too long is told by one alert, and by one only, and so is whatever has failed for good: also with a reason that
// nobody has thought of.
func TestEachReasonHasAnAlert(t *testing.T) {
	t.Parallel()
	goOn := []string{cdbv1.ReasonCredentialsNotFound, cdbv1.ReasonCredentialsRejected}
	for _, reason := range append(reasons(t), "None", "OfALaterVersion") {
		if n := alertsAbout(t, "oldest_unfinished_seconds", reason); n != 1 {
			t.Errorf("%d alerts are about what is unfinished with %s", n, reason)
		}
		want := 1
		if slices.Contains(goOn, reason) {
			want = 0
		}
		if n := alertsAbout(t, "recently_failed_objects", reason); n != want {
			t.Errorf("%d alerts are about what has failed with %s, want %d", n, reason, want)
		}
	}
	for _, p := range phases {
		if p.health == failed && p.finished() == slices.Contains(goOn, p.reason) {
			t.Errorf("%s: finished is %t", p.name, p.finished())
		}
	}
}

// Each alert has its test, and a runbook that is there.
func TestEachAlertHasATestAndARunbook(t *testing.T) {
	t.Parallel()
	var rules struct {
		Spec struct {
			Groups []struct {
				Rules []struct {
					Alert       string
					Annotations map[string]string
				} `json:"rules"`
			} `json:"groups"`
		} `json:"spec"`
	}
	harness.Must(t, yaml.Unmarshal([]byte(read(t, "config/prometheus/rules.yaml")), &rules))
	tests := read(t, "config/prometheus/rules_test.yaml")
	names := []string{}
	repository, _, _ := strings.Cut(cdbv1.RemediesPage, "docs/")
	for _, r := range rules.Spec.Groups[0].Rules {
		if !strings.Contains(tests, "alertname: "+r.Alert+"\n") || slices.Contains(names, r.Alert) {
			t.Errorf("%s has no test, or stands there twice", r.Alert)
		}
		names = append(names, r.Alert)
		path, found := strings.CutPrefix(r.Annotations["runbook_url"], repository)
		page, anchor, _ := strings.Cut(path, "#")
		if !found || anchor != strings.ToLower(r.Alert) || !anchors(read(t, page))[anchor] {
			t.Errorf("the runbook of %s is %s, which is not there", r.Alert, r.Annotations["runbook_url"])
		}
		fmt.Printf("%s: %s\n", r.Alert, path)
	}
}
