// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// exceptions are the commands that do not run here, by their beginning, and why. Every other command of every page runs.
var exceptions = map[string]string{
	"tccli ":                                 "needs a cloud account",
	"docker ":                                "needs a registry",
	"helm ":                                  "TestHelmChart installs the chart",
	"kubectl rollout ":                       "no node runs the pods here",
	"velero ":                                "needs a cluster with Velero",
	"cosign ":                                "needs a signing service and a release that it signed",
	"ssh-keygen -Y verify ":                  "needs a signed release; the tests of the release sign and verify one",
	"sha256sum ":                             "needs the files of a release",
	"grep image: install.yaml":               "needs the files of a release",
	"jq ":                                    "needs the files of a release",
	"git clone ":                             "needs the repository as it is published",
	"make build VERSION=v0.1.0 && sha256sum": "needs the clone of the line before",
	"kubectl patch ijs stop-wrong-import ":   "needs two users and the policies; TestAStopIsApprovedBySomebodyElse has them",
	"kubectl stop-import --instance=":        "asks in a terminal; make recordings runs it in one",
}

// script is what runs for a command; of make its plan only. Nothing: the command is an exception.
func script(command string) string {
	for beginning := range exceptions {
		if strings.HasPrefix(command, beginning) {
			return ""
		}
	}
	if strings.Contains(command, "make ") {
		return strings.Replace(command, "make ", "make --dry-run ", 1)
	}
	return command
}

// Every command of every page runs as it stands there, page by page, in a namespace of the page with an operator, and prints what the page shows.
func TestCommands(t *testing.T) {
	env := start(t)
	ran, compared, excepted := 0, 0, 0
	for _, page := range pages(t) {
		all := steps(page.text)
		if len(all) == 0 {
			continue
		}
		t.Run(strings.ReplaceAll(page.name, "/", "_"), func(t *testing.T) {
			shell := reader(t, env, all)
			for _, s := range all {
				source := script(s.command)
				if source == "" {
					excepted++
					continue
				}
				ran++
				output, err := shell(source)
				t.Logf("$ %s%s", s.command, output)
				if err != nil {
					t.Errorf("%s: %s%v: %s", page.name, s.command, err, output)
				} else if s.want != "" {
					compared++
					if !alike(output, s.want) {
						t.Errorf("%s: %sprints\n%s\nand the page shows\n%s", page.name, s.command, output, s.want)
					}
				}
			}
		})
	}
	t.Logf("%d commands ran, of which %d were compared with the output that the page shows; %d are exceptions", ran, compared, excepted)
	if testing.Verbose() {
		return // a part of the pages may have been picked by -run
	}
	if ran < 60 || compared < 16 {
		t.Errorf("only %d commands ran and %d were compared", ran, compared)
	}
}

// Each exception has its command: one that no page has any more is removed.
func TestExceptionsAreNeeded(t *testing.T) {
	t.Parallel()
	for beginning := range exceptions {
		if !slices.ContainsFunc(pages(t), func(p page) bool {
			return slices.ContainsFunc(steps(p.text), func(s step) bool { return strings.HasPrefix(s.command, beginning) })
		}) {
			t.Errorf("no page has a command that begins with %q", beginning)
		}
	}
}

// start starts the control plane and the cloud, and builds the operator and the plugin.
func start(t *testing.T) *harness.Environment {
	t.Helper()
	env, err := harness.Start(t.Context())
	harness.Must(t, err)
	t.Cleanup(env.Stop)
	harness.Must(t, env.Build(t.Context()))
	harness.Must(t, env.BuildPlugin(t.Context()))
	return env
}

// The running imports that the pages are about.
var imports = []cdbsim.Import{
	{
		ID: "434e366f-beaf56d6-508b7f33-2abdb382", InstanceID: "cdb-c1nl9rpv", DatabaseName: "shop", FileName: "shop.sql.gz", Percent: 37,
		CreateTime: time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC),
	},
	{ID: "an-import-to-play-with"},
}

// made are the objects that a page may take for granted, with the id of their import and what happened to it.
var made = []struct{ name, id, reason string }{
	{"stop-nightly-import", "the-nightly-import", cdbv1.ReasonStopAccepted},
	{"stop-unknown", "no-such-import", cdbv1.ReasonImportNotFound},
}

// reader prepares what a person has who follows a page, and returns the shell. What the page itself creates is not there yet.
func reader(t *testing.T, env *harness.Environment, all []step) (shell func(script string) (output string, err error)) {
	t.Helper()
	n := harness.NewFixture(t, env, "page-")
	for _, i := range append(imports, cdbsim.Import{ID: "the-nightly-import"}) {
		i.Region, i.Status = harness.Region, "RUNNING"
		n.Cloud.SetImport(i)
	}
	n.Start()
	page := ""
	for _, s := range all {
		page += s.command
	}
	n.Create(n.Secret("keys", harness.Account))
	if !strings.Contains(page, "create secret generic tencentcloud-credentials") {
		n.Create(n.Secret("tencentcloud-credentials", harness.Account))
	}
	for _, m := range made {
		if strings.Contains(page, m.name) && !strings.Contains(page, "name: "+m.name+"\n") {
			n.Create(n.Object(m.name, harness.UsesSecret("keys"), func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = m.id }))
			n.UntilReason(m.name, m.reason)
		}
	}
	return shellIn(t, env, n.Namespace)
}

// shellIn returns the shell of who administers the cluster, and works in a namespace.
func shellIn(t *testing.T, env *harness.Environment, namespace string) func(script string) (string, error) {
	t.Helper()
	config, err := os.ReadFile(env.Kubeconfig)
	harness.Must(t, err)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	harness.Must(t, os.WriteFile(kubeconfig, config, 0o600))
	shell := func(script string) (string, error) {
		command := exec.CommandContext(t.Context(), "bash", "-euc", script)
		command.Dir = harness.Root()
		command.Env = append(env.KubectlEnv(), "KUBECONFIG="+kubeconfig,
			"TENCENTCLOUD_SECRET_ID="+harness.Account.SecretID, "TENCENTCLOUD_SECRET_KEY="+harness.Account.SecretKey)
		output, err := command.CombinedOutput()
		return string(output), err
	}
	_, err = shell("kubectl config set-context --current --namespace=" + namespace)
	harness.Must(t, err)
	return shell
}
