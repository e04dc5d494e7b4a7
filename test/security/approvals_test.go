// SPDX-License-Identifier: Apache-2.0

package security

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// Whoever creates an object asks in their own name, suspended, and names the instance.
func TestAStopIsRequestedInOnesOwnName(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	for i, test := range []struct {
		name string
		who  person
		edit func(spec, annotations fields)
		want string
	}{
		{"as it should be", ann, func(fields, fields) {}, ""},
		{"in another's name", bobAsEditor, func(fields, fields) {}, "requested-by to your own name, bob"},
		{"in nobody's name", ann, func(_, a fields) { delete(a, requestedBy) }, "requested-by to your own name, ann"},
		{"by an administrator, in another's name", admin, func(fields, fields) {}, "requested-by to your own name, root"},
		{"not suspended", ann, func(s, _ fields) { delete(s, "suspend") }, "create the object with spec.suspend: true"},
		{"without an instance", ann, func(s, _ fields) { delete(s, "import") }, "name the instance in spec.import.instanceId"},
		{"approved at birth", ann, func(_, a fields) { a[approvedBy] = "bob" }, "remove the annotations approved-by and approved-import"},
		{"alone, without the right", ann, func(s, a fields) { delete(s, "suspend"); a[breakGlassBy] = "ann" }, "create the object with spec.suspend: true"},
		{"alone, in another's name", oncall, func(s, a fields) { delete(s, "suspend"); a[breakGlassBy] = "bob" }, "create the object with spec.suspend: true"},
		{"alone, without saying so", oncall, func(s, _ fields) { delete(s, "suspend") }, "create the object with spec.suspend: true"},
		{"alone, with the right", oncall, func(s, a fields) { delete(s, "suspend"); a[breakGlassBy] = "ann" }, ""},
	} {
		o := request(test.edit)
		o.SetName(fmt.Sprint("request-", i))
		wantAnswer(t, test.name, test.want, test.who.client(t, cluster).Create(t.Context(), o))
	}
}

var bobAsEditor = person{"bob", []string{"shop-editors"}}

// Nobody resumes what they have requested, what they have not looked at, or anything else than that.
func TestAStopIsApprovedBySomebodyElse(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	const (
		mayNot, own, theirs = "resuming needs the verb resume", "the object was requested by ann", "approved-by to your own name, "
		nothing, another    = "there is no preview to approve", "the preview is of import-1"
		late                = "the operator has not looked at this spec yet"
	)
	for i, test := range []struct {
		name, preview string
		patch
	}{
		{"by an editor", "import-1", patch{who: bobAsEditor, spec: resume, annotations: approve, want: mayNot}},
		{"one's own, without the right", "import-1", patch{who: ann, spec: resume, annotations: fields{approvedBy: "ann", approvedImport: "import-1"}, want: mayNot}},
		{"one's own, with the right", "import-1", patch{who: both, spec: resume, annotations: fields{approvedBy: "ann", approvedImport: "import-1"}, want: own}},
		{"one's own, in another's name", "import-1", patch{who: both, spec: resume, annotations: approve, want: theirs + "ann"}},
		{"one's own, in other letters", "import-1", patch{who: shouting, spec: resume, annotations: fields{approvedBy: "ANN", approvedImport: "import-1"}, want: own}},
		{"one's own, requested in another's name", "import-1", patch{who: both, spec: resume, annotations: fields{requestedBy: "zoe", approvedBy: "ann", approvedImport: "import-1"}, want: "requested-by cannot change"}},
		{"in another's name", "import-1", patch{who: bob, spec: resume, annotations: fields{approvedBy: "zoe", approvedImport: "import-1"}, want: theirs + "bob"}},
		{"in nobody's name", "import-1", patch{who: bob, spec: resume, want: theirs + "bob"}},
		{"by an administrator, in another's name", "import-1", patch{who: admin, spec: resume, annotations: approve, want: theirs + "root"}},
		{"another import", "import-1", patch{who: bob, spec: resume, annotations: fields{approvedBy: "bob", approvedImport: "import-2"}, want: another}},
		{"no import", "import-1", patch{who: bob, spec: resume, annotations: fields{approvedBy: "bob"}, want: another}},
		{"without a preview", "", patch{who: bob, spec: resume, annotations: approve, want: nothing}},
		{"without a preview, and no import", "", patch{who: bob, spec: resume, annotations: fields{approvedBy: "bob", approvedImport: ""}, want: nothing}},
		{"the preview of another import", "import-2", patch{who: bob, spec: resume, annotations: fields{approvedBy: "bob", approvedImport: "import-2"}, want: "the preview is of import-2"}},
		{"and something else", "import-1", patch{who: bob, spec: fields{"suspend": false, "waitFor": "Stopped"}, annotations: approve, want: "change nothing else in the spec"}},
		{"and leaving something out", "import-1", patch{who: bob, spec: fields{"suspend": false, "asyncRequestId": nil}, annotations: approve, want: "change nothing else in the spec"}},
		{"before it is resumed", "import-1", patch{who: bob, annotations: approve, want: "are set when the object is resumed"}},
		{"alone, without the right", "import-1", patch{who: both, spec: resume, annotations: fields{breakGlassBy: "ann"}, want: theirs}},
		{"alone, in another's name", "import-1", patch{who: oncall, spec: resume, annotations: fields{breakGlassBy: "bob"}, want: mayNot}},
		{"alone, with the right, in the name of an approval", "import-1", patch{who: oncall, spec: resume, annotations: fields{breakGlassBy: "ann", approvedBy: "bob", approvedImport: "import-1"}, want: "nobody approves what you resume alone"}},
		{"alone, with the right", "", patch{who: oncall, spec: resume, annotations: fields{breakGlassBy: "ann"}}},
		{"as it should be", "import-1", patch{who: bob, spec: resume, annotations: approve}},
		{"as it should be, suspend left out", "import-1", patch{who: bob, spec: fields{"suspend": nil}, annotations: approve}},
	} {
		o := request(func(fields, fields) {})
		o.SetName(fmt.Sprint("approval-", i))
		harness.Must(t, ann.client(t, cluster).Create(t.Context(), o))
		preview(t, cluster, o, test.preview)
		wantAnswer(t, test.name, test.want, test.try(t, cluster, o))
	}
	stale := request(func(fields, fields) {})
	stale.SetName("stale")
	harness.Must(t, ann.client(t, cluster).Create(t.Context(), stale))
	yes := patch{who: bob, spec: resume, annotations: approve}
	wantAnswer(t, "what nobody has looked at", late, yes.try(t, cluster, stale))
	preview(t, cluster, stale, "import-1")
	harness.Must(t, patch{who: ann, spec: fields{"waitFor": "Stopped"}}.try(t, cluster, stale))
	wantAnswer(t, "what was edited since", late, yes.try(t, cluster, stale))
	preview(t, cluster, stale, "import-1")
	wantAnswer(t, "what was looked at again", "", yes.try(t, cluster, stale))
}

// What was approved stays so, and can only be suspended; then it needs a new approval.
func TestWhatWasApprovedStaysSo(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	o := request(func(fields, fields) {})
	o.SetName("approved")
	harness.Must(t, ann.client(t, cluster).Create(t.Context(), o))
	preview(t, cluster, o, "import-1")
	harness.Must(t, patch{who: bob, spec: resume, annotations: approve}.try(t, cluster, o))
	const spec, annotations = "the spec cannot change after it was approved", "are set when the object is resumed, and stay as they are"
	for what, p := range map[string]patch{
		"the spec":               {who: ann, spec: fields{"waitFor": "Stopped"}, want: spec},
		"the spec, by an admin":  {who: admin, spec: fields{"waitFor": "Stopped"}, want: spec},
		"the spec, suspended":    {who: ann, spec: fields{"suspend": true, "waitFor": "Stopped"}, want: spec},
		"the guard":              {who: ann, spec: fields{"import": fields{"fileName": "x.sql"}}, want: spec},
		"the id, left out":       {who: ann, spec: fields{"asyncRequestId": nil}, want: spec},
		"approved-by":            {who: ann, annotations: fields{approvedBy: "zoe"}, want: annotations},
		"approved-by, removed":   {who: ann, annotations: fields{approvedBy: nil}, want: annotations},
		"approved-import":        {who: bob, annotations: fields{approvedImport: "import-2"}, want: annotations},
		"requested-by":           {who: ann, annotations: fields{requestedBy: "zoe"}, want: "requested-by cannot change"},
		"requested-by, removed":  {who: ann, annotations: fields{requestedBy: nil}, want: "requested-by cannot change"},
		"break-glass-by":         {who: bob, annotations: fields{breakGlassBy: "bob"}, want: "needs the verb break-glass"},
		"break-glass-by, forged": {who: oncall, annotations: fields{breakGlassBy: "bob"}, want: "needs the verb break-glass"},
	} {
		wantAnswer(t, what, p.want, p.try(t, cluster, o))
	}
	harness.Must(t, patch{who: ann, annotations: fields{cdbv1.RetryRequestedAtAnnotation: "now"}}.try(t, cluster, o))
	harness.Must(t, patch{who: ann, spec: fields{"suspend": true}}.try(t, cluster, o))
	preview(t, cluster, o, "import-1")
	wantAnswer(t, "resumed by whom the old approval does not name", "approved-by to your own name, zoe",
		patch{who: person{"zoe", bob.groups}, spec: resume}.try(t, cluster, o))
	harness.Must(t, patch{who: ann, annotations: fields{approvedBy: nil, approvedImport: nil}, spec: fields{"waitFor": "Stopped"}}.try(t, cluster, o))
}

// A person with the verb break-glass is on the record for ever.
func TestABrokenGlassStaysBroken(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	o := request(func(s, a fields) { delete(s, "suspend"); a[breakGlassBy] = "ann" })
	o.SetName("broken-glass")
	harness.Must(t, oncall.client(t, cluster).Create(t.Context(), o))
	for what, p := range map[string]patch{
		"removed by an editor": {who: ann, annotations: fields{breakGlassBy: nil}},
		"removed by oneself":   {who: oncall, annotations: fields{breakGlassBy: nil}},
		"replaced":             {who: ann, annotations: fields{breakGlassBy: "bob"}},
		"replaced by somebody who may act alone, and does nothing": {who: person{"zoe", []string{"shop-oncall"}}, annotations: fields{breakGlassBy: "zoe"}},
	} {
		wantAnswer(t, what, "is never removed", p.try(t, cluster, o))
	}
}

// Namespaces that are left out need no second person.
func TestApprovalsAreNotRequiredWhereTheNamespaceSaysSo(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	namespace := &corev1.Namespace{}
	namespace.Name, namespace.Labels = "sandbox", map[string]string{"cdb.tencentcloud.com/approvals": "not-required"}
	harness.Must(t, cluster.Client.Create(t.Context(), namespace))
	o := request(func(s, a fields) { delete(s, "suspend"); delete(a, requestedBy) })
	o.SetName("free")
	o.SetNamespace("sandbox")
	wantAnswer(t, "a namespace that no limits name", "the namespace sandbox may not stop imports in the region ap-guangzhou", cluster.Client.Create(t.Context(), o))
}
