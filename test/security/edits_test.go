// SPDX-License-Identifier: Apache-2.0

package security

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// edit is a merge patch of an object, as kubectl sends it.
type edit struct{ name, patch string }

// Edits that would make the record of one import that of another.
func retargets(site string) []edit {
	other := "International"
	if site == other {
		other = "China"
	}
	edits := []edit{
		{"another region", `{"spec":{"region":"ap-shanghai"}}`},
		{"another import", `{"spec":{"asyncRequestId":"another"}}`},
		{"an import", `{"spec":{"import":{"instanceId":"cdb-another"}}}`},
		{"another site", fmt.Sprintf(`{"spec":{"site":%q}}`, other)},
		{"all at once", fmt.Sprintf(`{"spec":{"region":"ap-shanghai","asyncRequestId":"another","site":%q}}`, other)},
		{"with a harmless edit", `{"spec":{"asyncRequestId":"another","waitFor":"Stopped"}}`},
		{"of what counts in its status", `{"spec":{"asyncRequestId":"another"},"status":null}`},
		{"of its status as well", `{"spec":{"asyncRequestId":"another"},"status":{"requestId":"","lastAttempt":null}}`},
	}
	if site == "International" { // omitted, it would be China
		edits = append(edits, edit{"the site omitted", `{"spec":{"site":null}}`})
	}
	return edits
}

// Edits of other fields, which the operator may act upon, and such as change nothing.
func harmless(site string) []edit {
	name := site
	if name == "" {
		name = "China" // which an omitted site is
	}
	edits := []edit{
		{"the Secret", `{"spec":{"credentialsSecretRef":{"name":"renewed"}}}`},
		{"waitFor", `{"spec":{"waitFor":"Stopped"}}`},
		{"suspend", `{"spec":{"suspend":true}}`},
		{"deadline and TTL", `{"spec":{"activeDeadlineSeconds":60,"ttlSecondsAfterFinished":60}}`},
		{"the same region and id", fmt.Sprintf(`{"spec":{"region":%q}}`, harness.Region)},
		{"the site that it has, by name", fmt.Sprintf(`{"spec":{"site":%q}}`, name)},
		{"labels", `{"metadata":{"labels":{"a":"b"},"annotations":{"` + cdbv1.RetryRequestedAtAnnotation + `":"now"}}}`},
	}
	if name == "China" {
		edits = append(edits, edit{"the site omitted", `{"spec":{"site":null}}`})
	}
	return edits
}

// try asks the API server whether it would take an edit.
func try(f *harness.Fixture, o *cdbv1.ImportJobStop, e edit) error {
	return env.Client.Patch(f.Context(), o.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(e.patch)), client.DryRunAll)
}

// wantRetarget checks that an edit of the target is taken, or is refused with a message that says what is right.
func wantRetarget(t *testing.T, f *harness.Fixture, o *cdbv1.ImportJobStop, e edit, taken bool) {
	t.Helper()
	err := try(f, o, e)
	switch {
	case taken && err != nil:
		t.Errorf("%s: refused: %v", e.name, err)
	case !taken && err == nil:
		t.Errorf("%s: taken", e.name)
	case !taken && (!strings.Contains(err.Error(), "region, asyncRequestId, import and site cannot change") || !strings.Contains(err.Error(), "create another object for another import")):
		t.Errorf("%s: refused without saying what is right: %v", e.name, err)
	}
}

// What the object is the record of cannot be edited: once a stop was accepted, and while a call may still be. All else can, and all can before that.
func TestTheRecordOfAStopCannotBecomeAnothers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "record")
	now := metav1.NowMicro()
	for what, test := range map[string]struct {
		status cdbv1.ImportJobStopStatus
		final  bool
	}{
		"new":              {status: cdbv1.ImportJobStopStatus{ObservedGeneration: -1}},
		"refused":          {status: cdbv1.ImportJobStopStatus{LastAttempt: &cdbv1.Attempt{StartTime: now, EndTime: &now, ErrorCode: "InvalidParameter"}}},
		"accepted":         {status: cdbv1.ImportJobStopStatus{RequestID: "r-1", LastAttempt: &cdbv1.Attempt{StartTime: now, EndTime: &now, RequestID: "r-1"}}, final: true},
		"accepted-by-hand": {status: cdbv1.ImportJobStopStatus{RequestID: "r-1"}, final: true}, // as after a restore
		"calling":          {status: cdbv1.ImportJobStopStatus{LastAttempt: &cdbv1.Attempt{StartTime: now}}, final: true},
		"answer-lost":      {status: cdbv1.ImportJobStopStatus{LastAttempt: &cdbv1.Attempt{StartTime: now, ErrorCode: "ClientError.Timeout"}}, final: true},
	} {
		for _, site := range []string{"", "China", "International"} {
			t.Run(what+"/"+site, func(t *testing.T) {
				t.Parallel()
				f := harness.In(t, f.Tenant)
				o := f.Object(strings.ToLower(what + site))
				o.Spec.Site = cdbv1.Site(site)
				f.Create(o)
				o.Status = test.status
				f.Must(env.Client.Status().Update(t.Context(), o))
				for _, e := range harmless(site) {
					if err := try(f, o, e); err != nil {
						t.Errorf("%s: refused: %v", e.name, err)
					}
				}
				for _, e := range retargets(site) {
					wantRetarget(t, f, o, e, !test.final)
				}
			})
		}
	}
}

// What is removed first, to be set to something else afterwards, is refused at the first step, however it is written.
func TestTheRecordOfAStopCannotBeEmptiedFirst(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "record")
	o := f.Object("accepted")
	o.Spec.Site = cdbv1.SiteInternational
	f.Create(o)
	o.Status.RequestID = "r-1"
	harness.Must(t, env.Client.Status().Update(t.Context(), o))
	for _, x := range []struct{ kind, patch string }{
		{"merge", `{"spec":null}`},
		{"merge", `{"spec":{"site":null}}`},
		{"merge", `{"spec":{"region":null}}`},
		{"merge", `{"spec":{"asyncRequestId":null}}`},
		{"merge", `{"spec":{"asyncRequestId":""}}`},
		{"json", `[{"op":"remove","path":"/spec/site"}]`},
		{"json", `[{"op":"remove","path":"/status"},{"op":"remove","path":"/spec/site"},{"op":"add","path":"/spec/site","value":"China"}]`},
		{"json", `[{"op":"remove","path":"/spec"},{"op":"add","path":"/spec","value":{"region":"ap-shanghai","asyncRequestId":"another","credentialsSecretRef":{"name":"creds"}}}]`},
	} {
		if output, err := env.Kubectl(t.Context(), nil, "patch", "ijs", o.Name, "-n", f.Namespace, "--type="+x.kind, "-p", x.patch); err == nil {
			t.Errorf("%s was taken: %s", x.patch, output)
		}
	}
	manifest := func(spec string) string {
		return "apiVersion: cdb.tencentcloud.com/v1alpha1\nkind: ImportJobStop\nmetadata: {name: accepted, namespace: " + f.Namespace + "}\nspec: " + spec
	}
	for _, args := range [][]string{{"replace"}, {"apply", "--server-side", "--force-conflicts"}} {
		other := manifest("{region: ap-shanghai, asyncRequestId: another, site: International, credentialsSecretRef: {name: creds}}")
		if output, err := env.Kubectl(t.Context(), strings.NewReader(other), append(args, "-f", "-")...); err == nil {
			t.Errorf("%s was taken: %s", strings.Join(args, " "), output)
		}
	}
	if now := f.Get("accepted"); now.Spec != o.Spec || now.Status.RequestID != "r-1" {
		t.Errorf("it became %+v", now)
	}
}
