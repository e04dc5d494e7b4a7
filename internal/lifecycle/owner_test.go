// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// What a tool or an owner would create again is not deleted after its TTL: it would act again.
func TestWhatWouldBeCreatedAgainIsNotDeleted(t *testing.T) {
	t.Parallel()
	label := func(name string) Change {
		return func(o *cdbv1.ImportJobStop) { o.Labels = map[string]string{name: "shop"} }
	}
	annotation := func(name string) Change {
		return func(o *cdbv1.ImportJobStop) { o.Annotations = map[string]string{name: "shop"} }
	}
	manager := func(name string) Change {
		return func(o *cdbv1.ImportJobStop) { o.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: name}} }
	}
	for name, test := range map[string]struct {
		mark Change
		want bool // it is deleted
	}{
		"nothing":                 {func(*cdbv1.ImportJobStop) {}, true},
		"a label of the user":     {label("app.kubernetes.io/name"), true},
		"kubectl":                 {manager("kubectl-client-side-apply"), true},
		"Argo CD's default label": {label("app.kubernetes.io/instance"), false},
		"Argo CD's annotation":    {annotation("argocd.argoproj.io/tracking-id"), false},
		"Argo CD's manager":       {manager("argocd-controller"), false},
		"Flux":                    {label("kustomize.toolkit.fluxcd.io/name"), false},
		"Flux's manager":          {manager("kustomize-controller"), false},
		"Flux's Helm":             {label("helm.toolkit.fluxcd.io/name"), false},
		"Helm":                    {annotation("meta.helm.sh/release-name"), false},
		"Helm's manager":          {manager("helm"), false},
		"a hook of Flux's Helm":   {manager("helm-controller"), false},
		"kapp":                    {label("kapp.k14s.io/app"), false},
		"ApplySet":                {label("applyset.kubernetes.io/part-of"), false},
		"an owner": {func(o *cdbv1.ImportJobStop) {
			o.OwnerReferences = []metav1.OwnerReference{{Kind: "Shop", Name: "shop"}}
		}, false},
	} {
		if got := Next(after(shortLived, attempt, accept, test.mark), noon, false).Remove; got != test.want {
			t.Errorf("%s: deleted %t, want %t", name, got, test.want)
		}
	}
}

// What a tool may create again must name its import: another one may run by then.
func TestWhatMustBePinned(t *testing.T) {
	t.Parallel()
	restored := map[string]string{restoreMark: "nightly"}
	for name, test := range map[string]struct {
		object *cdbv1.ImportJobStop
		want   string
	}{
		"nothing":                   {after(byInstance), ""},
		"Velero's label":            {after(byInstance, func(o *cdbv1.ImportJobStop) { o.Labels = restored }), "Velero"},
		"Velero's annotation":       {after(byInstance, func(o *cdbv1.ImportJobStop) { o.Annotations = restored }), "Velero"},
		"Flux":                      {after(byInstance, byFlux), "Flux"},
		"pinned, by Flux":           {after(pinned, byFlux), ""},
		"Velero's label, by the id": {after(func(o *cdbv1.ImportJobStop) { o.Labels = restored }), ""},
	} {
		if got := MustBePinned(test.object); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// The cache keeps what the operator reads, and nothing else.
func TestWhatTheOperatorReads(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"kustomize.toolkit.fluxcd.io/name": true, cdbv1.RetryRequestedAtAnnotation: true, "app.kubernetes.io/name": false, "": false,
	} {
		if got := IsRead(name); got != want {
			t.Errorf("%q: %t, want %t", name, got, want)
		}
	}
}
