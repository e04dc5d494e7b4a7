// SPDX-License-Identifier: Apache-2.0

package security

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	rbacv1 "k8s.io/api/rbac/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// grant is the smallest thing that a rule gives: one verb on one resource, in a namespace or (when empty) everywhere.
type grant struct{ group, resource, verb, name, namespace string }

func (g grant) String() string {
	where, what := "everywhere", strings.Trim(g.group+"/"+g.resource+" "+g.name, "/ ")
	if g.namespace != "" {
		where = g.namespace
	}
	return fmt.Sprintf("%s: %s %s", where, g.verb, what)
}

func (g grant) covers(e auditv1.Event) bool {
	resource := e.ObjectRef.Resource
	if e.ObjectRef.Subresource != "" {
		resource += "/" + e.ObjectRef.Subresource
	}
	return g.group == e.ObjectRef.APIGroup && g.resource == resource && g.verb == e.Verb &&
		(g.name == "" || g.name == e.ObjectRef.Name) && (g.namespace == "" || g.namespace == e.ObjectRef.Namespace)
}

// check finds what is wrong with the grants in the light of what was done with them, and by what each was used.
func check(grants []grant, requests []auditv1.Event) (usedBy map[grant][]string, wrong []string) {
	usedBy = map[grant][]string{}
	for _, e := range requests {
		if e.ObjectRef == nil || e.ObjectRef.Resource == "" {
			continue // discovery, which everybody may
		}
		i := slices.IndexFunc(grants, func(g grant) bool { return g.covers(e) })
		request := e.Verb + " " + e.RequestURI
		switch {
		case e.Annotations["authorization.k8s.io/decision"] != "allow":
			wrong = append(wrong, "refused, a rule is missing: "+request)
		case i < 0:
			wrong = append(wrong, "no rule gives this: "+request)
		default:
			usedBy[grants[i]] = append(usedBy[grants[i]], request)
		}
	}
	for _, g := range grants {
		if len(usedBy[g]) == 0 {
			wrong = append(wrong, "a rule is never used: "+g.String())
		}
	}
	return usedBy, wrong
}

// expand makes grants of rules.
func expand(namespace string, rules []rbacv1.PolicyRule) (grants []grant) {
	for _, r := range rules {
		names := r.ResourceNames
		if len(names) == 0 {
			names = []string{""}
		}
		for _, group := range r.APIGroups {
			for _, resource := range r.Resources {
				for _, verb := range r.Verbs {
					for _, name := range names {
						grants = append(grants, grant{group, resource, verb, name, namespace})
					}
				}
			}
		}
	}
	return grants
}

// grantsOf are all that the cluster's bindings give to the operator that is installed in a namespace.
func grantsOf(t *testing.T, namespace string) (grants []grant) {
	t.Helper()
	is := func(subjects []rbacv1.Subject) bool {
		return slices.ContainsFunc(subjects, func(s rbacv1.Subject) bool {
			return s.Kind == rbacv1.ServiceAccountKind && s.Namespace == namespace && s.Name == "importjobstop-controller-manager"
		})
	}
	rulesOf := func(ref rbacv1.RoleRef, namespace string) []rbacv1.PolicyRule {
		if ref.Kind == "Role" {
			role := &rbacv1.Role{}
			harness.Must(t, env.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: ref.Name}, role))
			return role.Rules
		}
		role := &rbacv1.ClusterRole{}
		harness.Must(t, env.Client.Get(t.Context(), client.ObjectKey{Name: ref.Name}, role))
		return role.Rules
	}
	var everywhere rbacv1.ClusterRoleBindingList
	harness.Must(t, env.Client.List(t.Context(), &everywhere))
	for _, b := range everywhere.Items {
		if is(b.Subjects) {
			grants = append(grants, expand("", rulesOf(b.RoleRef, ""))...)
		}
	}
	var somewhere rbacv1.RoleBindingList
	harness.Must(t, env.Client.List(t.Context(), &somewhere))
	for _, b := range somewhere.Items {
		if is(b.Subjects) {
			grants = append(grants, expand(b.Namespace, rulesOf(b.RoleRef, b.Namespace))...)
		}
	}
	slices.SortFunc(grants, func(a, b grant) int { return cmp.Compare(a.String(), b.String()) })
	return grants
}

func printRules(install string, grants []grant, usedBy map[grant][]string) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "rule of %s\ttimes\tused by, as in\n", install)
	for _, g := range grants {
		example := ""
		if len(usedBy[g]) > 0 {
			example = usedBy[g][0]
		}
		_, _ = fmt.Fprintf(w, "%s\t%d\t%.120s\n", g, len(usedBy[g]), example)
	}
	_ = w.Flush()
}
