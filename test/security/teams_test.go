// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const (
	requestedBy    = cdbv1.RequestedByAnnotation
	approvedBy     = cdbv1.ApprovedByAnnotation
	approvedImport = cdbv1.ApprovedImportAnnotation
	breakGlassBy   = cdbv1.BreakGlassByAnnotation
)

// teams is a cluster of its own with config/teams, which is for all namespaces.
var teams = sync.OnceValues(func() (*harness.Environment, error) {
	ctx := context.Background()
	cluster, err := harness.Start(ctx)
	if err != nil {
		return cluster, err
	}
	cleanups = append(cleanups, cluster.Stop)
	if _, err = cluster.Kubectl(ctx, nil, "apply", "-k", harness.Path("config/teams")); err != nil {
		return cluster, err
	}
	return cluster, untilInForce(ctx, cluster)
})

// untilInForce waits until each policy refuses what only it refuses: the API server takes a moment to know them.
func untilInForce(ctx context.Context, cluster *harness.Environment) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, refused := range []*unstructured.Unstructured{
		request(func(s, a fields) { s["region"] = "ap-singapore"; a[requestedBy] = "kubernetes-admin" }),
		request(func(_, a fields) { a[requestedBy] = "nobody" }),
	} {
		refused.SetName("in-force")
		for err := error(nil); !apierrors.IsForbidden(err); {
			err = cluster.Client.Create(ctx, refused.DeepCopy(), client.DryRunAll)
			if err := harness.Pause(ctx, 50*time.Millisecond); err != nil {
				return fmt.Errorf("the policies of config/teams are not in force: %w", err)
			}
		}
	}
	return nil
}

// person acts with the permissions of groups.
type person struct {
	name   string
	groups []string
}

func (p person) client(t *testing.T, cluster *harness.Environment) client.Client {
	t.Helper()
	config := rest.CopyConfig(cluster.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: p.name, Groups: append(p.groups, "system:authenticated")}
	c, err := client.New(config, client.Options{Scheme: cluster.Client.Scheme()})
	harness.Must(t, err)
	return c
}

var (
	ann      = person{"ann", []string{"shop-editors"}}
	bob      = person{"bob", []string{"shop-approvers"}}
	both     = person{"ann", []string{"shop-editors", "shop-approvers"}}
	shouting = person{"ANN", []string{"shop-approvers"}} // the same, by an identity provider that ignores case
	oncall   = person{"ann", []string{"shop-oncall"}}
	admin    = person{"root", []string{"system:masters"}}
)

// patch is what somebody tries with an object, and what the API server says. Without an answer it is taken.
type patch struct {
	who         person
	spec        map[string]any
	annotations map[string]any
	want        string
}

type fields = map[string]any

var (
	resume  = fields{"suspend": false}
	approve = fields{approvedBy: "bob", approvedImport: "import-1"}
)

// request is a manifest as ann writes it, after edit.
func request(edit func(spec, annotations fields)) *unstructured.Unstructured {
	spec := fields{
		"region": "ap-guangzhou", "asyncRequestId": "import-1", "credentialsSecretRef": fields{"name": "creds"}, "suspend": true,
		"import": fields{"instanceId": "cdb-c1nl9rpv"},
	}
	annotations := fields{requestedBy: "ann"}
	edit(spec, annotations)
	o := &unstructured.Unstructured{Object: fields{"spec": spec, "metadata": fields{"annotations": annotations}}}
	o.SetGroupVersionKind(cdbv1.GroupVersion.WithKind("ImportJobStop"))
	o.SetNamespace("shop")
	return o
}

// preview writes what the operator writes of a suspended object that it has looked at.
func preview(t *testing.T, cluster *harness.Environment, o *unstructured.Unstructured, id string) {
	t.Helper()
	status := fields{"observedGeneration": o.GetGeneration(), "target": fields{"region": "ap-guangzhou", "asyncRequestId": "import-1", "site": "China"}}
	if id != "" {
		status["import"] = fields{"asyncRequestId": id}
	}
	body, err := json.Marshal(fields{"status": status})
	harness.Must(t, err)
	harness.Must(t, cluster.Client.Status().Patch(t.Context(), o, client.RawPatch(types.MergePatchType, body)))
}

func (p patch) try(t *testing.T, cluster *harness.Environment, o *unstructured.Unstructured) error {
	t.Helper()
	change := fields{} // a part that is nil would be removed
	if p.spec != nil {
		change["spec"] = p.spec
	}
	if p.annotations != nil {
		change["metadata"] = fields{"annotations": p.annotations}
	}
	body, err := json.Marshal(change)
	harness.Must(t, err)
	return p.who.client(t, cluster).Patch(t.Context(), o, client.RawPatch(types.MergePatchType, body))
}

// wantAnswer checks that the policies refuse with this answer, or take it if that is empty.
func wantAnswer(t *testing.T, what, want string, err error) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: refused: %v", what, err)
	case want != "" && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: the API server says %v, want %q", what, err, want)
	}
}
