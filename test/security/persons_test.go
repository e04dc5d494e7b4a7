// SPDX-License-Identifier: Apache-2.0

package security

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

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
