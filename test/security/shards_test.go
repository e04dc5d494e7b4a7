// SPDX-License-Identifier: Apache-2.0

package security

import (
	"fmt"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// Two operators by namespaces, as config/shards installs them, hold a Lease each. They stop what is in their own namespaces, each import
// once, also where they share an account. None looks at a namespace of nobody.
func TestShards(t *testing.T) {
	t.Parallel()
	const objects = 30
	account := cdbsim.Account{SecretID: "AKIDofBothShards", SecretKey: "key-of-both-shards"}
	nobodys := newFixture(t, "nobodys")
	nobodys.Account("creds")
	nobodys.StopImport("a")
	var tenants []*harness.Fixture
	holders := map[string]bool{}
	for _, shard := range []string{"a", "b"} {
		f := newFixture(t, "shard-"+shard)
		f.Cloud.SetAccount(account)
		f.Create(f.Secret("creds", account))
		system := "importjobstop-" + shard
		manifest := kustomize(t, "config/shards/"+shard)
		apply(t, manifest)
		apply(t, kustomize(t, "config/shards/"+shard+"/tenant"), "-n", f.Namespace)
		token, err := env.Token(t.Context(), system, "importjobstop-controller-manager")
		harness.Must(t, err)
		kubeconfig, err := env.KubeconfigOf(system, token)
		harness.Must(t, err)
		f.Start(append(flagsOf(t, manifest), "--kubeconfig="+kubeconfig, "--leader-election-namespace="+system, "--namespaces="+f.Namespace)...)
		lease := &coordinationv1.Lease{}
		f.Eventually("a Lease of its own", func() (bool, error) {
			err := env.Client.Get(t.Context(), client.ObjectKey{Namespace: system, Name: "importjobstop.cdb.tencentcloud.com"}, lease)
			return err == nil && lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "", err
		})
		holders[*lease.Spec.HolderIdentity] = true
		tenants = append(tenants, f)
	}
	if len(holders) != 2 {
		t.Errorf("the Leases are held by %v", holders)
	}
	for i := range objects {
		for _, f := range tenants {
			f.StopImport(fmt.Sprint("stop-", i))
		}
	}
	for _, f := range tenants {
		for i := range objects {
			f.UntilReason(fmt.Sprint("stop-", i), cdbv1.ReasonStopAccepted)
			accepted := 0
			for _, c := range f.Stops(fmt.Sprint("stop-", i)) {
				if c.Code == "" {
					accepted++
				}
			}
			if accepted != 1 {
				t.Errorf("%s: the cloud accepted %d stops of stop-%d", f.Namespace, accepted, i)
			}
		}
	}
	if n := len(nobodys.Stops()); n != 0 || nobodys.Get("a").Status.ObservedGeneration != -1 {
		t.Errorf("somebody looked at the namespace of nobody, with %d stops", n)
	}
}
