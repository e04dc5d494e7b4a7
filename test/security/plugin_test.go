// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// desk is a team with an operator, and the plugin.
type desk struct {
	*harness.Fixture
	cluster *harness.Environment
}

// The plugin is built once for each cluster, however many tests use it.
var (
	buildPlugin = sync.OnceValue(func() error {
		cluster, err := teams()
		if err != nil {
			return err
		}
		return cluster.BuildPlugin(context.Background())
	})
	buildFreePlugin = sync.OnceValue(func() error { return env.BuildPlugin(context.Background()) })
)

func newDesk(t *testing.T, namespace string) desk {
	t.Helper()
	cluster, err := teams()
	harness.Must(t, err)
	harness.Must(t, buildPlugin())
	cluster.UseProgramOf(env)
	cluster.MustKubectl(t, "create", "namespace", namespace)
	cluster.MustKubectl(t, "patch", "configmap", "importjobstop-limits", "--namespace=importjobstop-system", "--type=merge",
		fmt.Sprintf(`--patch={"data":{"%[1]s.regions":"*","%[1]s.instances":"*"}}`, namespace))
	for group, role := range map[string]string{"editors": "editor", "approvers": "approver", "oncall": "break-glass", "viewers": "viewer"} {
		cluster.MustKubectl(t, "create", "rolebinding", group, "--namespace="+namespace, "--group=desk-"+group, "--clusterrole=importjobstop-"+role+"-role")
	}
	d := desk{harness.In(t, cluster.Tenant(namespace)), cluster}
	d.Account("creds")
	d.Start()
	return d
}

func (d desk) running(id, instance string) {
	d.Cloud.SetImport(cdbsim.Import{Region: "ap-guangzhou", ID: id, InstanceID: instance, FileName: id + ".sql", Status: "RUNNING", Percent: 37})
}

// stops counts those of these imports: the cloud is that of other tests, too.
func (d desk) stops(ids ...string) (n int) {
	for _, c := range d.Cloud.CallLog() {
		if c.Action == "StopDBImportJob" && slices.Contains(ids, c.AsyncRequestID) {
			n++
		}
	}
	return n
}

// says runs the plugin, where nobody can be asked, and checks its exit code and what it prints.
func (d desk) says(who person, code int, want string, args ...string) {
	d.Helper()
	args = append([]string{"stop-import"}, args...)
	args = append(args, "--namespace="+d.Namespace, "--as="+who.name)
	for _, group := range append(who.groups, "system:authenticated") {
		args = append(args, "--as-group="+group)
	}
	output, err := d.cluster.Kubectl(d.Context(), nil, args...)
	if err != nil {
		output = err.Error()
	}
	var exit *exec.ExitError
	got := 0
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	}
	if got != code || !strings.Contains(output, want) {
		d.Fatalf("%s by %s: exit code %d, want %d and %q:\n%s", strings.Join(args, " "), who.name, got, code, want, output)
	}
}

func (d desk) wantApprovals(name string, want map[string]string) {
	d.Helper()
	o := d.Get(name)
	for _, key := range []string{requestedBy, approvedBy, approvedImport, breakGlassBy} {
		if got := o.Annotations[key]; got != want[key] {
			d.Fatalf("%s of %s is %q, want %q", key, name, got, want[key])
		}
	}
}

var (
	deskEditor   = person{"ann", []string{"desk-editors"}}
	deskBoth     = person{"Ann", []string{"desk-editors", "desk-approvers"}}
	deskApprover = person{"bob", []string{"desk-approvers"}}
	deskViewer   = person{"vic", []string{"desk-viewers"}}
	deskOncall   = person{"zoe", []string{"desk-editors", "desk-oncall"}}
	byID         = []string{"--region=ap-guangzhou", "--secret=creds"}
)

// The plugin asks for the second person whom the policy wants, and is the tool of that person.
func TestThePluginRequestsAndApproves(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "desk")
	d.running("found", "cdb-found")
	found := append([]string{"--instance=cdb-found", "--name=found"}, byID...)
	const command = "\n  kubectl stop-import resume found --namespace=desk"
	d.says(deskEditor, 3, "ann requested it. Somebody else, with the verb resume on importjobstops in the namespace desk, lets it go on with"+command, append(found, "--yes")...)
	d.wantApprovals("found", map[string]string{requestedBy: "ann"})
	d.says(deskViewer, 0, command, "status", "found")
	d.says(deskViewer, 3, command, "resume", "found", "--yes")
	d.says(deskEditor, 3, command, "resume", "found", "--yes")
	d.says(deskBoth, 3, command, "resume", "found", "--yes")
	d.says(deskEditor, 3, "--break-glass needs the verb break-glass", "resume", "found", "--break-glass")
	d.says(deskApprover, 1, "give --yes to approve what is shown", "resume", "found")
	if n := d.stops("found"); n != 0 || !d.Get("found").Spec.Suspend {
		t.Errorf("%d stops before the approval", n)
	}
	d.says(deskApprover, 0, "found.sql", "resume", "found", "--yes", "--wait")
	d.wantApprovals("found", map[string]string{requestedBy: "ann", approvedBy: "bob", approvedImport: "found"})
	if n := d.stops("found"); n != 1 {
		t.Errorf("%d stops after the approval", n)
	}
	// With an id, the instance must be known too.
	d.running("known", "cdb-known")
	known := append([]string{"known", "--name=known"}, byID...)
	d.says(deskEditor, 1, "give --instance, too", known...)
	known = append(known, "--instance=cdb-known")
	d.says(deskEditor, 0, "server dry run", append(known, "--dry-run=server")...)
	d.says(deskEditor, 3, "resume known", known...)
	d.says(deskEditor, 3, "resume known", known...) // it exists
	d.says(deskEditor, 124, "Suspended", append([]string{"--timeout=1s", "--wait", "--name=waits"}, append(byID, "known", "--instance=cdb-known")...)...)
	d.Until("known", "previewed", func(o *cdbv1.ImportJobStop) bool { return o.Status.Import != nil })
	d.says(deskApprover, 0, "StopAccepted: ", "resume", "known", "--yes", "--wait")
	// What was approved once is approved again, by whoever resumes it then.
	d.running("again", "cdb-again")
	d.says(deskEditor, 3, "resume again", append([]string{"--instance=cdb-again", "--name=again", "--yes"}, byID...)...)
	d.says(deskEditor, 0, "suspended", "suspend", "again")
	d.says(person{"eve", deskApprover.groups}, 0, "again.sql", "resume", "again", "--yes")
	d.wantApprovals("again", map[string]string{requestedBy: "ann", approvedBy: "eve", approvedImport: "again"})
}

// Who may act alone does so only when they say so.
func TestThePluginBreaksTheGlass(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "night")
	d.running("alone", "cdb-alone")
	alone := append([]string{"--instance=cdb-alone", "--name=alone", "--yes"}, byID...)
	d.says(deskEditor, 3, "--break-glass needs the verb break-glass", append(alone, "--break-glass")...)
	d.says(deskOncall, 3, "resume alone", alone...)
	if n := d.stops("alone"); n != 0 {
		t.Errorf("%d stops without an approval", n)
	}
	d.says(deskOncall, 0, "StopAccepted: ", "resume", "alone", "--break-glass", "--wait")
	d.wantApprovals("alone", map[string]string{requestedBy: "zoe", breakGlassBy: "zoe"})
	d.running("night", "cdb-night")
	d.says(deskOncall, 0, "StopAccepted: ", append([]string{"--instance=cdb-night", "--name=night", "--yes", "--break-glass"}, byID...)...)
	d.running("id", "cdb-id")
	d.says(deskOncall, 0, "StopAccepted: ", append([]string{"id", "--name=id", "--break-glass", "--wait"}, byID...)...)
	d.wantApprovals("id", map[string]string{requestedBy: "zoe", breakGlassBy: "zoe"})
	d.says(deskOncall, 1, "ImportNotFound", append([]string{"gone", "--name=gone", "--break-glass", "--wait"}, byID...)...)
	d.says(deskEditor, 3, "nobody has approved this stop", "retry", "gone")
	d.says(deskEditor, 3, "--break-glass needs the verb break-glass", "retry", "gone", "--break-glass")
	d.says(person{"eve", deskOncall.groups}, 0, "retry requested", "retry", "gone", "--break-glass")
	d.wantApprovals("gone", map[string]string{requestedBy: "zoe", breakGlassBy: "eve"})
	if n := d.stops("alone", "night", "id"); n != 3 {
		t.Errorf("%d stops", n)
	}
}

// Without the policy, nobody is asked for more than before, and no annotation is written.
func TestThePluginNeedsNoApprovalWithoutThePolicy(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "free")
	harness.Must(t, buildFreePlugin())
	d := desk{f, env}
	d.Account("creds")
	d.Start()
	d.running("free", "cdb-free")
	d.says(admin, 0, "StopAccepted: ", append([]string{"--instance=cdb-free", "--name=free", "--yes", "--break-glass"}, byID...)...)
	d.wantApprovals("free", nil)
}

// The plugin knows the policy by its name, and asks for its verbs.
func TestThePluginKnowsThePolicy(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(harness.Path("config/teams/policies/approvals.yaml"))
	harness.Must(t, err)
	for _, part := range []string{"\n  name: " + cdbv1.ApprovalsPolicy + "\nspec:", "check('" + cdbv1.ResumeVerb + "')", "check('" + cdbv1.BreakGlassVerb + "')"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("the policy has no %q", part)
		}
	}
}
