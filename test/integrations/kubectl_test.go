// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

func namespaceOf(p phase) string { return recorded[p.name].GetNamespace() }

// Each way to wait returns at once where it should, and runs into its timeout where it should.
func TestKubectlWait(t *testing.T) {
	t.Parallel()
	for _, wait := range []struct {
		condition string
		met       []health
	}{
		{"Ready", []health{done}},
		{"Ready=False", []health{failed}},
		{"Reconciling=False", []health{done, failed}},
	} {
		for _, p := range phases {
			t.Run(wait.condition+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				want, timeout := "times out", "1s"
				for _, v := range wait.met {
					if p.health == v {
						want, timeout = "met", "30s"
					}
				}
				got := "met"
				if output, err := env.Kubectl(t.Context(), nil, "wait", "--for=condition="+wait.condition, "--timeout="+timeout, "-n", namespaceOf(p), "ijs/"+p.name); err != nil {
					got = "times out"
					if !strings.Contains(output, "timed out") {
						t.Errorf("kubectl: %s", output)
					}
				}
				check(t, "kubectl wait "+wait.condition, p, got, want)
			})
		}
	}
}

// The script that waits for either end tells them apart, and does not wait for what is known.
func TestWaitScript(t *testing.T) {
	t.Parallel()
	want := map[health]string{inProgress: "124", held: "124", done: "0", failed: "1"}
	for _, p := range phases {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			timeout := "30s"
			if want[p.health] == "124" {
				timeout = "1s"
			}
			began := time.Now()
			output, got := waitScript(t, p.name, timeout, "-n", namespaceOf(p))
			check(t, "config/samples/wait.sh", p, got, want[p.health])
			if time.Since(began) > 20*time.Second || (got != "124" && !strings.HasPrefix(output, p.reason+": ")) {
				t.Errorf("after %s it printed %q", time.Since(began), output)
			}
		})
	}
	if output, got := waitScript(t, "no-such-object", "30s"); got != "1" || !strings.Contains(output, "not found") {
		t.Errorf("without an object it exits with %s: %q", got, output)
	}
}

// withKubectl is the environment of who administers the cluster from a shell.
func withKubectl() []string {
	return append(os.Environ(), "KUBECONFIG="+env.Kubeconfig, "PATH="+env.Assets()+":"+os.Getenv("PATH"))
}

func waitScript(t *testing.T, args ...string) (output, exitCode string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), harness.Path("config/samples/wait.sh"), args...)
	command.Env = withKubectl()
	printed, err := command.CombinedOutput()
	if err != nil && command.ProcessState == nil {
		t.Fatal(err)
	}
	return string(printed), strconv.Itoa(command.ProcessState.ExitCode())
}

// apply of the same manifest, and a server-side apply of it, change nothing; diff is silent.
func TestKubectlDiffIsSilent(t *testing.T) {
	t.Parallel()
	manifest := harness.Path("config/samples/cdb_v1alpha1_importjobstop.yaml")
	env.MustKubectl(t, "create", "namespace", "diff")
	for _, args := range [][]string{{"apply"}, {"diff"}, {"apply", "--server-side", "--force-conflicts"}, {"diff", "--server-side", "--force-conflicts"}} {
		if _, err := env.Kubectl(t.Context(), nil, append(args, "-n", "diff", "-f", manifest)...); err != nil {
			t.Error(err)
		}
	}
}

// The oldest kubectl of docs/versions.md prints what the pages show, validates strictly, and waits for each condition.
func TestTheOldestKubectl(t *testing.T) {
	t.Parallel()
	if *oldestKubectl == "" {
		t.Skip("needs -oldestkubectl")
	}
	const scratch = "oldest-kubectl"
	sample, unknown := harness.Path("config/samples/cdb_v1alpha1_importjobstop_import.yaml"), filepath.Join(t.TempDir(), "unknown.yaml")
	text, err := os.ReadFile(sample)
	harness.Must(t, err)
	harness.Must(t, os.WriteFile(unknown, []byte(strings.Replace(string(text), "instanceId:", "instance: ", 1)), 0o600))
	env.MustKubectl(t, "create", "namespace", scratch)
	for _, test := range []struct {
		args, want string
	}{
		{"get ijs accepted -n " + namespace, "NAME REGION IMPORT READY REASON ATTEMPTS AGE accepted " + harness.Region + " accepted True StopAccepted"},
		{"wait --for=condition=Ready ijs/accepted -n " + namespace, "condition met"},
		{"wait --for=condition=Ready=False ijs/invalid -n " + namespace, "condition met"},
		{"wait --for=condition=Reconciling=False ijs/invalid -n " + namespace, "condition met"},
		{"wait --for=condition=Ready --timeout=1s ijs/invalid -n " + namespace, "error: timed out waiting"},
		{"wait --for=jsonpath={.status.conditions[?(@.type==\"Ready\")].reason}=StopAccepted ijs/accepted -n " + namespace, "condition met"},
		{"explain importjobstops.spec.import", "instanceId"},
		{"apply -n " + scratch + " -f " + sample, "created"},
		{"apply -n " + scratch + " -f " + sample, "unchanged"},
		{"diff -n " + scratch + " -f " + sample, ""},
		{"apply --server-side --force-conflicts -n " + scratch + " -f " + sample, "serverside-applied"},
		{"apply -n " + scratch + " -f " + unknown, `unknown field "spec.import.instance"`},
	} {
		command := exec.CommandContext(t.Context(), *oldestKubectl, strings.Fields(test.args)...)
		command.Env = withKubectl()
		output, err := command.CombinedOutput()
		if !strings.Contains(strings.Join(strings.Fields(string(output)), " "), test.want) || (test.want == "" && err != nil) {
			t.Errorf("kubectl %s: %v, %s; want %s", test.args, err, output, test.want)
		}
	}
}

// Each field explains itself, and the two that people look for can be selected by.
func TestKubectlExplainAndSelect(t *testing.T) {
	t.Parallel()
	// explain takes what kubectl has kept of the server's resources, from before the CRD; this makes it ask anew.
	env.MustKubectl(t, "api-resources", "--api-group=cdb.tencentcloud.com")
	env.MustKubectl(t, "explain", "ijs", "--recursive")
	for _, path := range []string{"spec", "status", "spec.credentialsSecretRef", "status.lastAttempt", "status.target"} {
		output, err := env.Kubectl(t.Context(), nil, "explain", "ijs."+path)
		if err != nil || strings.Contains(output, "<no description>") {
			t.Errorf("explain ijs.%s: %s", path, output)
		}
	}
	output, err := env.Kubectl(t.Context(), nil, "get", "ijs", "-n", namespace, "-o", "name", "--field-selector=spec.region="+harness.Region+",spec.asyncRequestId=accepted")
	if err != nil || strings.TrimSpace(output) != "importjobstop.cdb.tencentcloud.com/accepted" {
		t.Errorf("selected %q", output)
	}
}

// Each column has a name without blanks, so that awk and cut find it; and with -o wide everything that a person asks first.
func TestPrinterColumns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		flags []string
		want  string
	}{
		{nil, "NAME REGION IMPORT READY REASON ATTEMPTS AGE"},
		{[]string{"-o", "wide"}, "NAME REGION IMPORT READY REASON INSTANCE DATABASE FILE REQUESTID ATTEMPTS AGE ERROR NEXTATTEMPT MESSAGE"},
	} {
		output := env.MustKubectl(t, append([]string{"get", "ijs", "-n", namespace, "accepted", "invalid"}, test.flags...)...)
		lines := strings.Split(output, "\n")
		if got := strings.Join(strings.Fields(lines[0]), " "); got != test.want {
			t.Errorf("the columns are %s, want %s", got, test.want)
		}
		for _, want := range []string{"accepted " + harness.Region + " accepted True StopAccepted", "invalid " + harness.Region + " invalid False InvalidRequest"} {
			if !strings.Contains(strings.Join(strings.Fields(output), " "), want) {
				t.Errorf("no %q in\n%s", want, output)
			}
		}
		if len(test.flags) > 0 && !strings.Contains(lines[1], "the cloud accepted the stop, RequestId ") {
			t.Errorf("no message in\n%s", output)
		}
	}
}
