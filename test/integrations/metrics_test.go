// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// exposed is what a running manager exposes.
func exposed(t *testing.T) (text string) {
	t.Helper()
	address, err := harness.FreeAddress()
	harness.Must(t, err)
	n := harness.In(t, env.Tenant(busyNamespace))
	n.Start("--requests-per-second=1", "--metrics-bind-address="+address, "--metrics-secure=false", "--leader-elect", "--leader-election-namespace="+harness.Namespace)
	n.Eventually("metrics", func() (bool, error) {
		response, err := http.Get("http://" + address + "/metrics")
		if err != nil {
			return false, err
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		text = string(body)
		return strings.Contains(text, "importjobstop_cloud_call_duration_seconds_bucket") && strings.Contains(text, "importjobstop_budget_waiting"), err
	})
	return text
}

var metric = regexp.MustCompile(`\b(?:importjobstop|controller_runtime|workqueue|leader_election)_[a-z_]+`)

// Each query of the dashboard and of the alert rules asks for what the manager exposes.
func TestQueriesAskForWhatIsThere(t *testing.T) {
	t.Parallel()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	harness.Must(t, json.Unmarshal([]byte(read(t, "config/grafana/dashboard.json")), &dashboard))
	queries := map[string]string{"config/prometheus/rules.yaml": read(t, "config/prometheus/rules.yaml")}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			queries[p.Title] += target.Expr + "\n"
		}
	}
	text := exposed(t)
	for where, query := range queries {
		for _, name := range metric.FindAllString(query, -1) {
			if !strings.Contains(text, "\n"+name+"{") && !strings.Contains(text, "\n"+name+" ") {
				t.Errorf("%s asks for %s, which the manager does not expose", where, name)
			}
		}
	}
}

// kube-state-metrics reads our configuration by its own parser, and tells the state of an object in each phase.
func TestKubeStateMetrics(t *testing.T) {
	if *kubeStateMetrics == "" {
		t.Skip("needs -kubestatemetrics")
	}
	t.Parallel()
	for _, p := range []string{"accepted", "not-found", "suspended", "not-seen-yet"} {
		output := runTool(t, *kubeStateMetrics, harness.Path("config/kube-state-metrics/importjobstops.yaml"), harness.Path(lualib, "testdata", p+".yaml"))
		want := map[string][]string{
			"accepted":     {`kube_importjobstop_info{`, `ready="True"`, `reason="StopAccepted"`, `name="accepted"`, `exported_namespace="phases"`, `import="accepted"`, "kube_importjobstop_status_attempts{", "kube_importjobstop_status_completion_time{"},
			"not-found":    {`ready="False"`, `reason="ImportNotFound"`, `error_code="InvalidParameter.InvalidAsyncRequestId"`},
			"suspended":    {`suspended="true"`, `ready="Unknown"`, `reason="Suspended"`},
			"not-seen-yet": {`kube_importjobstop_info{`, `name="not-seen-yet"`},
		}[p]
		for _, w := range want {
			if !strings.Contains(output, w) {
				t.Errorf("%s: no %s in %s", p, w, output)
			}
		}
		if p == "suspended" && strings.Contains(output, "completion_time{") {
			t.Errorf("%s has a completion time: %s", p, output)
		}
	}
}
