// SPDX-License-Identifier: Apache-2.0

package security

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// The roles for users are part of admin, edit and view, and reach ImportJobStops alone: no Secret, no status.
func TestRolesForUsers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		partOf []string
		verbs  []string
	}{
		"importjobstop-editor-role": {[]string{"admin", "edit"}, []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}},
		"importjobstop-viewer-role": {[]string{"view"}, []string{"get", "list", "watch"}},
	} {
		role := &rbacv1.ClusterRole{}
		harness.Must(t, env.Client.Get(t.Context(), client.ObjectKey{Name: name}, role))
		for _, aggregate := range test.partOf {
			if role.Labels["rbac.authorization.k8s.io/aggregate-to-"+aggregate] != "true" {
				t.Errorf("%s is not part of %s", name, aggregate)
			}
		}
		var verbs []string
		for _, g := range expand("", role.Rules) {
			verbs = append(verbs, g.verb)
			if g.group != cdbv1.GroupVersion.Group || g.resource != "importjobstops" {
				t.Errorf("%s gives %s", name, g)
			}
		}
		if slices.Sort(verbs); !slices.Equal(verbs, test.verbs) {
			t.Errorf("%s gives %q", name, verbs)
		}
	}
}

// Who may edit ImportJobStops in one namespace may not do anything else there, nor anything in another.
func TestAnEditorOfOneNamespace(t *testing.T) {
	t.Parallel()
	mine, other := newFixture(t, "mine"), newFixture(t, "other")
	serviceAccount(mine, "editor")
	mine.Create(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: mine.Namespace, Name: "editor"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "importjobstop-editor-role"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: mine.Namespace, Name: "editor"}},
	})
	may := func(namespace, verb, group, resource, subresource string) bool {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: "system:serviceaccount:" + mine.Namespace + ":editor", Groups: []string{"system:serviceaccounts", "system:authenticated"},
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Group: group, Resource: resource, Subresource: subresource},
		}}
		mine.Create(review)
		return review.Status.Allowed
	}
	const cdb = "cdb.tencentcloud.com"
	for _, verb := range []string{"create", "get", "list", "watch", "update", "patch", "delete"} {
		if !may(mine.Namespace, verb, cdb, "importjobstops", "") {
			t.Errorf("an editor may not %s", verb)
		}
		for _, x := range [][4]string{
			{mine.Namespace, "", "secrets", ""},
			{mine.Namespace, cdb, "importjobstops", "status"},
			{mine.Namespace, "", "pods", "log"},
			{other.Namespace, "", "secrets", ""},
			{other.Namespace, cdb, "importjobstops", ""},
			{"", "", "secrets", ""},
			{"", cdb, "importjobstops", ""},
			{"importjobstop-system", "", "pods", "log"},
		} {
			if may(x[0], verb, x[1], x[2], x[3]) {
				t.Errorf("an editor may %s %s in %q", verb, strings.Join(x[1:], "/"), x[0])
			}
		}
	}
}

// Nothing that a user can write into an object gives the cloud's host another name.
func TestARegionCannotNameAHost(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "region")
	for i, region := range []string{
		"evil.example", "ap-guangzhou.evil.example/", "ap-guangzhou/../x", "evil.example#", "evil.example?", "a@evil.example", "evil:8443", "ap-x\nHost: evil", "ＡＰ", "[::1]", "%2e",
		strings.Repeat("a", 65),
	} {
		o := f.Object(fmt.Sprint("r-", i), func(o *cdbv1.ImportJobStop) { o.Spec.Region = region })
		if err := env.Client.Create(t.Context(), o); err == nil {
			t.Errorf("%q is taken for a region", region)
		}
	}
}

// Who knows another's SecretId, and not the key, does not get into the queue of its owner.
func TestNobodyWaitsBehindAStranger(t *testing.T) {
	t.Parallel()
	owner, stranger := newFixture(t, "owner"), newFixture(t, "stranger")
	owner.Account("creds")
	stranger.Create(stranger.Secret("creds", cdbsim.Account{SecretID: owner.AccountOf("creds").SecretID, SecretKey: "guessed"}))
	for i := range 200 { // ten seconds of the quota
		stranger.Create(stranger.Object(fmt.Sprint("s-", i)))
	}
	owner.StopImport("mine")
	owner.Start("--namespaces=" + owner.Namespace + "," + stranger.Namespace)
	owner.UntilReason("mine", cdbv1.ReasonStopAccepted)
	before := 0
	for _, c := range owner.Cloud.CallLog() {
		if c.AsyncRequestID == owner.Get("mine").Spec.AsyncRequestID {
			break
		}
		before++
	}
	if before >= 40 { // two seconds of the quota
		t.Errorf("%d of the stranger's were before it", before)
	}
}
