// SPDX-License-Identifier: Apache-2.0

package security

import (
	"maps"
	"testing"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// What two persons want is stopped, once, by the operator that has looked at it before; what one wants alone is told in an event.
func TestAnApprovedStopRuns(t *testing.T) {
	t.Parallel()
	cluster, err := teams()
	harness.Must(t, err)
	cluster.UseProgramOf(env)
	f := harness.In(t, cluster.Tenant("billing"))
	f.Account("creds")
	for _, name := range []string{"approved", "alone"} {
		f.Cloud.SetImport(cdbsim.Import{Region: "ap-shanghai-fsi", ID: "import-" + name, InstanceID: "cdb-" + name, FileName: name + ".sql", Status: "RUNNING", Percent: 37})
	}
	f.Start()
	create := func(name string, who person, annotations fields) *unstructured.Unstructured {
		o := request(func(spec, a fields) {
			delete(spec, "asyncRequestId")
			spec["region"], spec["import"] = "ap-shanghai-fsi", fields{"instanceId": "cdb-" + name}
			maps.Copy(a, annotations)
		})
		o.SetNamespace("billing")
		o.SetName(name)
		harness.Must(t, who.client(t, cluster).Create(t.Context(), o))
		f.Until(name, "previewed", func(o *cdbv1.ImportJobStop) bool {
			return o.Status.Import != nil && o.Status.ObservedGeneration == o.Generation
		})
		return o
	}
	stops := func(id string) (n int) {
		for _, c := range f.Cloud.CallLog() {
			if c.Action == "StopDBImportJob" && c.AsyncRequestID == id {
				n++
			}
		}
		return n
	}
	editor, approver := person{"ann", []string{"billing-editors", "billing-approvers", "billing-oncall"}}, person{"bob", []string{"billing-approvers"}}
	o := create("approved", editor, nil)
	yes := fields{approvedBy: "ann", approvedImport: "import-approved"}
	wantAnswer(t, "one's own", "somebody else must resume it", patch{who: editor, spec: resume, annotations: yes}.try(t, cluster, o))
	if n := stops("import-approved"); n != 0 {
		t.Errorf("%d stops before the approval", n)
	}
	yes[approvedBy] = "bob"
	wantAnswer(t, "approved", "", patch{who: approver, spec: resume, annotations: yes}.try(t, cluster, o))
	f.UntilReason("approved", cdbv1.ReasonStopAccepted)
	if n := stops("import-approved"); n != 1 {
		t.Errorf("%d stops after the approval", n)
	}
	alone := create("alone", editor, nil)
	wantAnswer(t, "alone", "", patch{who: editor, spec: resume, annotations: fields{breakGlassBy: "ann"}}.try(t, cluster, alone))
	f.UntilReason("alone", cdbv1.ReasonStopAccepted)
	notesOf := func(name string) (notes []string) {
		events := &eventsv1.EventList{}
		harness.Must(t, cluster.Client.List(t.Context(), events, client.InNamespace("billing")))
		for _, e := range events.Items {
			if e.Regarding.Name == name && e.Reason == cdbv1.ReasonBreakGlass {
				notes = append(notes, e.Note)
			}
		}
		return notes
	}
	f.Eventually("the event of a broken glass", func() (bool, error) { return len(notesOf("alone")) > 0, nil })
	if notes := append(notesOf("alone"), notesOf("approved")...); len(notes) != 1 || notes[0] != "without a second person, by ann" {
		t.Errorf("the events are %q", notes)
	}
}
