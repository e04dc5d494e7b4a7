// SPDX-License-Identifier: Apache-2.0

// demo shows the main job, end to end: real API server, real operator with its shipped permissions, simulated cloud.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const (
	burst  = 60
	bounds = 90 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo failed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	say("starting etcd and kube-apiserver, and applying config/default with kubectl")
	e, err := harness.Start(ctx)
	if err != nil {
		return err
	}
	defer e.Stop()
	prepareCloud(e.Cloud)
	say("building the operator and starting it with the permissions of its ServiceAccount only")
	if err := e.Build(ctx); err != nil {
		return err
	}
	operator, err := e.Run(ctx, "--leader-elect", "--leader-election-namespace="+harness.Namespace)
	if err != nil {
		return err
	}
	defer operator.Kill()
	d := &demo{Tenant: e.Tenant("default"), seen: map[string]string{}, expected: map[string]string{}}
	if err := d.play(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, operator.Log())
	}
	if os.Getenv("KEEP") != "" {
		e.Cloud.SetImport(ofTheReadme)
		say("still up, with the import that README.md stops; to follow it, in another terminal:")
		fmt.Printf("\n  export KUBECONFIG=%s PATH=%s:%s:$PATH\n\nThe cloud's log of calls: curl %s\nEnd it with Ctrl-C.\n",
			e.Kubeconfig, filepath.Dir(e.Kubeconfig), e.Assets(), e.CloudURL)
		<-ctx.Done()
		return nil
	}
	return operator.Terminate()
}

// ofTheReadme begins when the demo has ended: the demo stops what runs on this instance.
var ofTheReadme = cdbsim.Import{
	Region: harness.Region, ID: "434e366f-beaf56d6-508b7f33-2abdb382", Status: "RUNNING",
	InstanceID: "cdb-c1nl9rpv", DatabaseName: "shop", FileName: "shop.sql.gz", Percent: 37,
}

func prepareCloud(cloud *cdbsim.Server) {
	cloud.SetLatency(func() time.Duration { return 20 * time.Millisecond })
	imports := []cdbsim.Import{
		{Region: harness.Region, ID: "434e366f-beaf56d6-508b7f33-2abdb382"},
		{Region: "ap-shanghai-fsi", ID: "5b3c1d2e-00ff41aa-91c6e0b7-7d20c9f4", EndsAfter: 3 * time.Second},
		{Region: "ap-singapore", ID: "0c7a55d1-6b1e9f02-4f3d8a77-e19b2c40"},
		{Region: harness.Region, ID: "9b1d6c42-70ae4f35-8c2e5d17-f04a63b8", InstanceID: "cdb-c1nl9rpv", DatabaseName: "shop", FileName: "shop.sql.gz", Percent: 64},
		{Region: harness.Region, ID: "2c8f1e57-9d3b4a60-b7e50f14-6a91d8c3", InstanceID: "cdb-f7k2m4qx", DatabaseName: "orders", FileName: "orders.sql.gz", Percent: 12},
		{Region: harness.Region, ID: "64e0a9f3-1b7c4d28-95d3c6e8-0f2a7b51", InstanceID: "cdb-h3w8z5tb", DatabaseName: "stock", FileName: "stock.sql.gz", Percent: 88},
		{Region: harness.Region, ID: "d5a73f18-e24c4b96-8f60a1c9-3b7e52d0", InstanceID: "cdb-p6v2n8kd", DatabaseName: "shop", FileName: "shop-full.sql.gz", Percent: 37, EndsAfter: 2 * time.Second},
		{Region: harness.Region, ID: "7d0e6a13-52b94c8f-0a8e21d6-c3f47b95"},
		{Region: harness.Region, ID: "a-late-secret"},
		{Region: harness.Region, ID: "an-import-to-play-with"},
		{Region: harness.Region, ID: "an-import-on-the-way", EndsAfter: 2 * time.Second},
	}
	for i := range burst {
		imports = append(imports, cdbsim.Import{Region: harness.Region, ID: fmt.Sprintf("burst-%d", i)})
	}
	for _, i := range imports {
		i.Status = "RUNNING"
		cloud.SetImport(i)
	}
}

type demo struct {
	*harness.Tenant
	seen, expected map[string]string // reason by name
	gone           int               // of the burst
}

func (d *demo) play(ctx context.Context) error {
	if err := d.samples(ctx); err != nil {
		return err
	}
	objects := manifest("stop-unknown", "no-such-import", "tencentcloud-credentials") + manifest("stop-late-secret", "a-late-secret", "late-credentials")
	if err := d.apply(ctx, "an id that the cloud does not know, and one whose Secret comes later", objects, map[string]string{
		"stop-nightly-import": cdbv1.ReasonStopAccepted, "stop-finance-import": cdbv1.ReasonImportStopped,
		"stop-singapore-import": cdbv1.ReasonStopAccepted, "stop-when-told": cdbv1.ReasonSuspended,
		"stop-what-is-running": cdbv1.ReasonStopAccepted, "stop-if-it-matches": cdbv1.ReasonStopAccepted, "stop-once-seen": cdbv1.ReasonSuspended,
		"stop-unknown": cdbv1.ReasonImportNotFound, "stop-late-secret": cdbv1.ReasonCredentialsNotFound,
	}); err != nil {
		return err
	}
	expected := map[string]string{"stop-late-secret": cdbv1.ReasonStopAccepted}
	if err := d.apply(ctx, "the Secret that was missing", secret("late-credentials"), expected); err != nil {
		return err
	}
	if err := d.plugins(ctx); err != nil {
		return err
	}
	objects = ""
	for i := range burst {
		name := fmt.Sprintf("burst-%d", i)
		objects += manifest(name, name, "tencentcloud-credentials")
		expected[name] = cdbv1.ReasonStopAccepted
	}
	if err := d.apply(ctx, fmt.Sprintf("a burst of %d, of which the cloud takes 20 a second", burst), objects, expected); err != nil {
		return err
	}
	return d.summary(ctx)
}

// samples are applied, which stops nothing, and all but one of them are resumed.
func (d *demo) samples(ctx context.Context) error {
	say("kubectl apply -k config/samples: all are suspended, so nothing is stopped. There is the vendor's example, one in a Finance region that\n  waits until the import has ended, and one of the international site. One finds its import by its instance, one checks it first, and two\n  are previews. Then kubectl patch resumes the first five")
	if _, err := d.Kubectl(ctx, strings.NewReader(secret("tencentcloud-credentials")), "apply", "-f", "-"); err != nil {
		return err
	}
	if _, err := d.Kubectl(ctx, nil, "apply", "-k", harness.Path("config/samples")); err != nil {
		return err
	}
	_, err := d.Kubectl(ctx, nil, "patch", "ijs", "stop-nightly-import", "stop-finance-import", "stop-singapore-import",
		"stop-what-is-running", "stop-if-it-matches", "--type=merge", `-p={"spec":{"suspend":false}}`)
	return err
}

// apply manifests, and wait until each object has the reason that is expected.
func (d *demo) apply(ctx context.Context, what, manifests string, expected map[string]string) error {
	say("kubectl apply: " + what)
	if _, err := d.Kubectl(ctx, strings.NewReader(manifests), "apply", "-f", "-"); err != nil {
		return err
	}
	maps.Copy(d.expected, expected)
	return d.watch(ctx)
}

// watch prints each change of Ready until every object is as expected.
func (d *demo) watch(ctx context.Context) error {
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, bounds, true, func(ctx context.Context) (bool, error) {
		objects := &cdbv1.ImportJobStopList{}
		err := d.Client.List(ctx, objects, client.InNamespace(d.Namespace))
		return err == nil && d.print(objects), err
	})
	if err != nil {
		return fmt.Errorf("not every object became what it should: %w: want %v, have %v", err, d.expected, d.seen)
	}
	return nil
}

func (d *demo) print(objects *cdbv1.ImportJobStopList) (done bool) {
	done = true
	gone := 0
	for i := range objects.Items {
		o := &objects.Items[i]
		ready := harness.Ready(o)
		if ready.Reason == "" {
			done = false
			continue
		}
		if now := situation(ready); d.seen[o.Name] != now {
			d.seen[o.Name] = now
			if !strings.HasPrefix(o.Name, "burst-") {
				fmt.Printf("  %-20s %-7s  %s %s\n", o.Name, ready.Status, paint(string(ready.Status), ready.Reason), ready.Message)
			}
		}
		if strings.HasPrefix(o.Name, "burst-") && ready.Reason == cdbv1.ReasonStopAccepted {
			gone++
		}
		done = done && ready.Reason == d.expected[o.Name] && isPreviewed(o)
	}
	if gone != d.gone {
		d.gone = gone
		fmt.Printf("  the burst: %2d of %d accepted %s\n", gone, burst, strings.Repeat("▪", gone))
	}
	return done && len(objects.Items) == len(d.expected)
}

func (d *demo) summary(ctx context.Context) error {
	output, err := d.Kubectl(ctx, nil, "get", "ijs", "stop-nightly-import", "stop-finance-import", "stop-singapore-import", "stop-what-is-running", "stop-if-it-matches", "stop-once-seen", "stop-found", "stop-unknown", "stop-late-secret")
	if err != nil {
		return err
	}
	say("kubectl get ijs")
	fmt.Print(output)
	var accepted, refused, lists, other int
	stops := map[string]int{}
	for _, call := range d.Cloud.CallLog() {
		switch {
		case call.Action == "DescribeDBImportRecords":
			lists++
		case call.Action != "StopDBImportJob":
			other++
		case call.Code == "":
			accepted++
			stops[call.AsyncRequestID]++
		case strings.HasPrefix(call.Code, "RequestLimitExceeded"):
			refused++
		}
	}
	say("what the cloud saw")
	requested := len(d.expected) - 3 // one is not known to the cloud, and two are held back
	fmt.Printf("  stops accepted: %d of %d requested   most for one import: %d   refused by the quota: %d   questions about an import: %d   lists of an instance: %d\n",
		accepted, requested, most(stops), refused, other, lists)
	if accepted != requested || most(stops) != 1 || stops["64e0a9f3-1b7c4d28-95d3c6e8-0f2a7b51"] != 0 || refused != 0 {
		return fmt.Errorf("the cloud saw other calls than the objects asked for")
	}
	return nil
}

func most(counts map[string]int) (n int) {
	for _, count := range counts {
		n = max(n, count)
	}
	return n
}

func manifest(name, id, secretName string) string {
	return fmt.Sprintf("---\napiVersion: cdb.tencentcloud.com/v1alpha1\nkind: ImportJobStop\nmetadata: {name: %s}\n"+
		"spec: {region: ap-guangzhou, asyncRequestId: %s, credentialsSecretRef: {name: %s}}\n", name, id, secretName)
}

func secret(name string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: %s}\nstringData: {secretId: %s, secretKey: %s}\n",
		name, harness.Account.SecretID, harness.Account.SecretKey)
}
