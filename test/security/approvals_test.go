// SPDX-License-Identifier: Apache-2.0

package security

import (
	"encoding/json"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

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
		{"and leaving something out", "import-1", patch{who: bob, spec: fields{"suspend": false, "import": nil}, annotations: approve, want: "change nothing else in the spec"}},
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

// Who approves a request does not write it: only who requested it changes what would be stopped.
func TestNobodyEditsTheRequestOfSomebodyElse(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	o := request(func(fields, fields) {})
	o.SetName("swapped")
	harness.Must(t, ann.client(t, cluster).Create(t.Context(), o))
	preview(t, cluster, o, "import-1")
	const theirs = "the object was requested by ann, and only ann changes its spec"
	swap := fields{"asyncRequestId": "import-2", "import": fields{"instanceId": "cdb-8fv2q1xk"}}
	for what, p := range map[string]patch{
		"by who approves it":           {who: bob, spec: swap, want: theirs},
		"a field that names no import": {who: bob, spec: fields{"credentialsSecretRef": fields{"name": "other"}}, want: theirs},
		"by another editor":            {who: bobAsEditor, spec: swap, want: theirs},
		"by an administrator":          {who: admin, spec: swap, want: theirs},
		"in other letters":             {who: shouting, spec: swap, want: theirs},
		"in the requester's name":      {who: bob, spec: swap, annotations: fields{requestedBy: "bob"}, want: "requested-by cannot change"},
	} {
		wantAnswer(t, what, p.want, p.try(t, cluster, o))
	}
	wantAnswer(t, "by who requested it", "", patch{who: ann, spec: swap}.try(t, cluster, o))
	wantAnswer(t, "what says nothing of the import", "", patch{who: bob, annotations: fields{"note": "seen"}}.try(t, cluster, o))
}

// A retry sends a stop again, or looks for another import: what nobody approved is retried only by who may act alone, and says so.
func TestARetryNeedsAnApproval(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	o := request(func(s, a fields) { delete(s, "suspend"); delete(s, "asyncRequestId"); a[breakGlassBy] = "ann" })
	o.SetName("retried")
	harness.Must(t, oncall.client(t, cluster).Create(t.Context(), o))
	const nobodys, retry = "nobody has approved this stop", cdbv1.RetryRequestedAtAnnotation
	zoe := person{"zoe", []string{"shop-oncall"}}
	for what, p := range map[string]patch{
		"by an editor":                {who: bobAsEditor, annotations: fields{retry: "1"}, want: nobodys},
		"by an approver":              {who: bob, annotations: fields{retry: "1"}, want: nobodys},
		"in the name of an approver":  {who: bob, annotations: fields{retry: "1", approvedBy: "bob", approvedImport: "import-1"}, want: nobodys},
		"by oneself, without a right": {who: ann, annotations: fields{retry: "1"}, want: nobodys},
		"by somebody else on call":    {who: zoe, annotations: fields{retry: "1"}, want: nobodys},
	} {
		wantAnswer(t, what, p.want, p.try(t, cluster, o))
	}
	wantAnswer(t, "by oneself", "", patch{who: oncall, annotations: fields{retry: "1"}}.try(t, cluster, o))
	wantAnswer(t, "by somebody else on call, who says so", "", patch{who: zoe, annotations: fields{retry: "2", breakGlassBy: "zoe"}}.try(t, cluster, o))
	wantAnswer(t, "the same again", "", patch{who: bobAsEditor, annotations: fields{retry: "2"}}.try(t, cluster, o))
	harness.Must(t, patch{who: bobAsEditor, spec: fields{"suspend": true}}.try(t, cluster, o))
	wantAnswer(t, "a look at what is suspended", "", patch{who: bobAsEditor, annotations: fields{retry: "3"}}.try(t, cluster, o))
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
		"the guard":              {who: ann, spec: fields{"import": nil}, want: spec},
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

// A ServiceAccount is no person, whatever it may do: those of GitOps tools may do everything, for whoever may push to their repository.
func TestAServiceAccountIsNoSecondPerson(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	const name, noPerson = "system:serviceaccount:flux-system:kustomize-controller", "a ServiceAccount does not approve"
	flux := person{name, []string{"system:masters"}}
	alone := request(func(s, a fields) { delete(s, "suspend"); a[requestedBy], a[breakGlassBy] = name, name })
	alone.SetName("flux-alone")
	wantAnswer(t, "created alone", "create the object with spec.suspend: true", flux.client(t, cluster).Create(t.Context(), alone))
	theirs := request(func(fields, fields) {})
	theirs.SetName("flux-approves")
	harness.Must(t, ann.client(t, cluster).Create(t.Context(), theirs))
	preview(t, cluster, theirs, "import-1")
	yes := fields{approvedBy: name, approvedImport: "import-1"}
	wantAnswer(t, "approved", noPerson, patch{who: flux, spec: resume, annotations: yes}.try(t, cluster, theirs))
	wantAnswer(t, "resumed alone", noPerson, patch{who: flux, spec: resume, annotations: fields{breakGlassBy: name}}.try(t, cluster, theirs))
	own := request(func(_, a fields) { a[requestedBy] = name })
	own.SetName("flux-requests")
	wantAnswer(t, "requested", "", flux.client(t, cluster).Create(t.Context(), own))
	preview(t, cluster, own, "import-1")
	wantAnswer(t, "edited", "", patch{who: flux, spec: fields{"waitFor": "Stopped"}}.try(t, cluster, own))
	preview(t, cluster, own, "import-1")
	wantAnswer(t, "approved by a person", "", patch{who: bob, spec: resume, annotations: approve}.try(t, cluster, own))
}

// Another way to write an object leads to the same policy, or changes nothing.
func TestNoWayAroundTheApprovals(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	apply := func(who person, o *unstructured.Unstructured) error {
		return who.client(t, cluster).Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("way"), client.ForceOwnership)
	}
	o := request(func(fields, fields) {})
	o.SetName("way")
	unsuspended := request(func(s, _ fields) { s["suspend"] = false })
	unsuspended.SetName("way")
	wantAnswer(t, "applied by the server, and created", "create the object with spec.suspend: true", apply(ann, unsuspended.DeepCopy()))
	wantAnswer(t, "applied by the server, as it should be", "", apply(ann, o.DeepCopy()))
	is := o.DeepCopy()
	harness.Must(t, cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(o), is))
	preview(t, cluster, is, "import-1")
	wantAnswer(t, "applied by the server, and resumed", "resuming needs the verb resume", apply(ann, unsuspended.DeepCopy()))
	generated := request(func(s, a fields) { delete(s, "suspend"); a[breakGlassBy] = "ann" })
	generated.SetGenerateName("way-")
	wantAnswer(t, "with a generated name", "create the object with spec.suspend: true", ann.client(t, cluster).Create(t.Context(), generated))
	forged, err := json.Marshal(fields{
		"metadata": fields{"annotations": approve, "generation": 7},
		"spec":     fields{"suspend": false, "asyncRequestId": "import-2"},
		"status":   fields{"observedGeneration": 7},
	})
	harness.Must(t, err)
	byStatus := client.RawPatch(types.MergePatchType, forged)
	wantAnswer(t, "the status, by an editor", "importjobstops/status", ann.client(t, cluster).Status().Patch(t.Context(), is.DeepCopy(), byStatus))
	harness.Must(t, cluster.Client.Status().Patch(t.Context(), is, byStatus))
	if a := is.GetAnnotations(); a[approvedBy] != "" || is.GetGeneration() != 1 || is.Object["spec"].(fields)["suspend"] != true {
		t.Errorf("a patch of the status has written %v", is.Object)
	}
}
