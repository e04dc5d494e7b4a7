// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

func TestTheOracleKnowsWhichImportIsMeant(t *testing.T) {
	t.Parallel()
	filter := cdbv1.ImportFilter{InstanceID: "cdb-1", DatabaseName: "shop"}
	imports := []cdbsim.Import{{ID: "a", InstanceID: "cdb-1", DatabaseName: "shop"}, {ID: "b", InstanceID: "cdb-1", DatabaseName: "shop"}, {ID: "c", InstanceID: "cdb-1"}, {ID: "d", InstanceID: "cdb-2", DatabaseName: "shop"}}
	frozen := func(id string, edits ...func(*cdbv1.ImportJobStop)) Version {
		o := &cdbv1.ImportJobStop{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "1", Generation: 1}}
		o.Spec.Import = &filter
		o.Status = cdbv1.ImportJobStopStatus{
			ObservedGeneration: 1, Target: &cdbv1.Target{Region: "ap-guangzhou", AsyncRequestID: id, Import: filter}, Import: &cdbv1.ImportRecord{AsyncRequestID: id},
		}
		for _, edit := range edits {
			edit(o)
		}
		return Version{ImportJobStop: o}
	}
	attempted := func(o *cdbv1.ImportJobStop) { o.Status.LastAttempt = &cdbv1.Attempt{StartTime: metav1.NowMicro()} }
	ofFlux := func(o *cdbv1.ImportJobStop) { o.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "shop"} }
	for name, test := range map[string]struct {
		versions []Version
		want     string
	}{
		"frozen and attempted":       {[]Version{frozen("a"), frozen("a", attempted)}, ""},
		"another than the frozen":    {[]Version{frozen("a"), frozen("b", attempted)}, "a was frozen"},
		"of another database":        {[]Version{frozen("c", attempted)}, "does not match"},
		"of another instance":        {[]Version{frozen("d", attempted)}, "does not match"},
		"of no import":               {[]Version{frozen("", attempted)}, "does not match"},
		"not pinned":                 {[]Version{frozen("a", attempted, ofFlux)}, "Flux could create"},
		"found for Flux, not pinned": {[]Version{frozen("a", ofFlux)}, ""},
	} {
		var v Findings
		(&History{Imports: imports}).imports(&v, test.versions)
		if got := strings.Join(v.Wrong, "; "); test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: the oracle says %q, want %q", name, got, test.want)
		}
	}
}
