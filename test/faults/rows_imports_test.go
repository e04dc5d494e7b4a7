// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// importRows are about objects that say what they know of an import instead of its id: wherever the operator dies between the list, the
// freeze, the attempt and the call, it stops what it had frozen, and nothing else.
var importRows = []row{
	{"import: kill -9 while it is looked for", false, func(f *fixture) {
		f.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Slow, Action: list, Times: 2})
		f.begin("old")
		f.find()
		f.Start()
		f.listed(1)
		f.kill()
		f.Start()
		f.UntilReason("a", cdbv1.ReasonStopAccepted)
		f.wantStopped("old")
	}},
	{"import: kill -9 before it is frozen", false, killFound(hold, isFreeze, "new")},
	{"import: kill -9 after it is frozen", false, killFound(holdAnswer, isFreeze, "old")},
	{"import: kill -9 before the attempt", false, killFound(hold, isAttempt, "old")},
	{"import: kill -9 between the attempt and the call", false, killFound(holdAnswer, isAttempt, "old")},
	{"import: its list changes at each page", false, func(f *fixture) {
		f.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Changed, Action: list, Times: 5})
		f.begin("old")
		f.find()
		f.Start()
		f.Until("a", "told that the list changes", func(o *cdbv1.ImportJobStop) bool { return harness.HasReason(o, cdbv1.ReasonRetryScheduled) })
		f.wantStopped()
		f.UntilReason("a", cdbv1.ReasonStopAccepted)
		f.wantStopped("old")
		f.inject("list changed", 5)
	}},
	{"import: the third page of its list hangs", true, func(f *fixture) {
		for i := range 250 {
			f.SetImport(fmt.Sprint("past-", i), cdbsim.Import{InstanceID: f.instance(), Status: "SUCCESS"})
		}
		f.begin("old")
		f.Cloud.Play(cdbsim.Fault{Kind: cdbsim.Hang, Action: list, FromOffset: 200, Times: 1})
		f.find()
		f.Start()
		f.UntilReason("a", cdbv1.ReasonStopAccepted)
		f.wantStopped("old")
		f.inject("page hung", 1)
	}},
	{"import: created again by whatever can create it again", false, createdAgain},
}

const list = "DescribeDBImportRecords"

// isFreeze is the write of what was found.
func isFreeze(r *http.Request, body []byte) bool {
	return isStatus(r, body) && hasFound(body) && !hasAttempt(body)
}

// killFound kills the manager at a request. Then the import that was to be stopped ends, and a corrected one begins.
func killFound(kind what, match func(*http.Request, []byte) bool, stopped string) func(*fixture) {
	return func(f *fixture) {
		r := f.proxy.add(kind, 1, match)
		f.begin("old")
		f.find()
		f.Start()
		f.hit(r, 1)
		if stopped == "old" {
			f.Until("a", "frozen", func(o *cdbv1.ImportJobStop) bool { return o.Status.Import != nil })
		}
		f.kill()
		f.SetImport("old", cdbsim.Import{InstanceID: f.instance(), DatabaseName: "shop", Status: "KILLED"})
		f.begin("new")
		f.proxy.heal()
		f.Start()
		want := cdbv1.ReasonAlreadyStopped
		if stopped == "new" { // nothing was promised yet
			want = cdbv1.ReasonStopAccepted
		}
		f.UntilReason("a", want)
		f.wantStopped(stopped)
	}
}

// createdAgain: without its status, an object finds the corrected import, and stops it only if nothing created it again.
func createdAgain(f *fixture) {
	marks := map[string]func(*cdbv1.ImportJobStop){
		"flux": func(o *cdbv1.ImportJobStop) { o.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "shop"} },
		"argocd": func(o *cdbv1.ImportJobStop) {
			o.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "shop"}
		},
		"helm":   func(o *cdbv1.ImportJobStop) { o.Annotations = map[string]string{"meta.helm.sh/release-name": "shop"} },
		"velero": func(o *cdbv1.ImportJobStop) { o.Labels = map[string]string{"velero.io/restore-name": "shop"} },
		"owner": func(o *cdbv1.ImportJobStop) {
			o.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "shop", UID: types.UID("00000000-0000-0000-0000-000000000001")}}
		},
	}
	f.Start()
	for name, mark := range marks {
		f.SetImport(name+"-old", cdbsim.Import{InstanceID: f.instance() + name})
		edit := func(o *cdbv1.ImportJobStop) {
			mark(o)
			o.Spec.AsyncRequestID, o.Spec.Import = "", &cdbv1.ImportFilter{InstanceID: f.instance() + name}
		}
		f.Create(f.Object(name, edit))
		f.UntilReason(name, cdbv1.ReasonImportNotPinned)
		f.Update(name, func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = f.ImportID(name + "-old") })
		f.UntilReason(name, cdbv1.ReasonStopAccepted)
		f.SetImport(name+"-new", cdbsim.Import{InstanceID: f.instance() + name})
		f.delete(f.Object(name))
		f.Create(f.Object(name, edit))
		f.UntilReason(name, cdbv1.ReasonImportNotPinned)
		if n := len(f.Stops(name + "-new")); n > 0 {
			f.Errorf("%s: the corrected import was stopped", name)
		}
		f.inject("created again", 1)
	}
}

// instance is one of the tenant's own.
func (f *fixture) instance() string { return "cdb-of" + f.Namespace[len("faults-"):] }

// begin begins an import on the instance.
func (f *fixture) begin(name string) {
	f.SetImport(name, cdbsim.Import{InstanceID: f.instance(), DatabaseName: "shop", Percent: 37})
}

// find creates the object a, which knows the instance and the database alone.
func (f *fixture) find() {
	f.Create(f.Object("a", func(o *cdbv1.ImportJobStop) {
		o.Spec.AsyncRequestID, o.Spec.Import = "", &cdbv1.ImportFilter{InstanceID: f.instance(), DatabaseName: "shop"}
	}))
}

// listed waits for n pages.
func (f *fixture) listed(n int) {
	f.Eventually("a page of the list", func() (bool, error) {
		pages := 0
		for _, c := range f.Cloud.CallLog() {
			if c.Action == list {
				pages++
			}
		}
		return pages >= n, nil
	})
}

// wantStopped compares the imports that the cloud was asked to stop.
func (f *fixture) wantStopped(names ...string) {
	f.Helper()
	want := map[string]bool{}
	for _, name := range names {
		want[f.ImportID(name)] = true
		if len(f.Stops(name)) == 0 {
			f.Errorf("%s was not stopped", name)
		}
	}
	for _, c := range f.Stops() {
		if !want[c.AsyncRequestID] {
			f.Errorf("a stop of %s", c.AsyncRequestID)
		}
	}
}
