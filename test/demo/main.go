// SPDX-License-Identifier: Apache-2.0

// demo shows the main job, end to end: real API server, real operator with its shipped permissions, simulated cloud.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

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
		say("still up; to play with it, in another terminal:")
		fmt.Printf("\n  export KUBECONFIG=%s PATH=%s:$PATH\n\nThe cloud's log of calls: curl %s\nEnd it with Ctrl-C.\n",
			e.Kubeconfig, e.Assets(), e.CloudURL)
		<-ctx.Done()
		return nil
	}
	return operator.Terminate()
}

func prepareCloud(cloud *cdbsim.Server) {
	cloud.SetLatency(func() time.Duration { return 20 * time.Millisecond })
	cloud.SetImport(cdbsim.Import{Region: "ap-guangzhou", ID: "434e366f-beaf56d6-508b7f33-2abdb382", Status: "RUNNING"})
	cloud.SetImport(cdbsim.Import{Region: "ap-shanghai-fsi", ID: "5b3c1d2e-00ff41aa-91c6e0b7-7d20c9f4", Status: "RUNNING", EndsAfter: 3 * time.Second})
	cloud.SetImport(cdbsim.Import{Region: "ap-singapore", ID: "0c7a55d1-6b1e9f02-4f3d8a77-e19b2c40", Status: "RUNNING"})
	cloud.SetImport(cdbsim.Import{Region: "ap-guangzhou", ID: "a-late-secret", Status: "RUNNING"})
	cloud.SetImport(cdbsim.Import{Region: "ap-guangzhou", ID: "an-import-to-play-with", Status: "RUNNING"})
	cloud.SetImport(cdbsim.Import{Region: "ap-guangzhou", ID: "an-import-on-the-way", Status: "RUNNING", EndsAfter: 2 * time.Second})
	for i := range burst {
		cloud.SetImport(cdbsim.Import{Region: "ap-guangzhou", ID: fmt.Sprintf("burst-%d", i), Status: "RUNNING"})
	}
}

type demo struct {
	*harness.Tenant
	seen, expected map[string]string // reason by name
	gone           int               // of the burst
}

func (d *demo) play(ctx context.Context) error {
	say("kubectl apply -f config/samples/: the vendor's example, one in a Finance region that waits until the import has ended,\n  one of the international site, and one that is held back")
	if _, err := d.Kubectl(ctx, nil, "apply", "-f", harness.Path("config/samples")); err != nil {
		return err
	}
	say("kubectl apply: an id that the cloud does not know, and one whose Secret comes later")
	if err := d.apply(ctx, manifest("stop-unknown", "no-such-import", "tencentcloud-credentials")+manifest("stop-late-secret", "a-late-secret", "late-credentials")); err != nil {
		return err
	}
	d.expected = map[string]string{
		"stop-nightly-import": cdbv1.ReasonStopAccepted, "stop-finance-import": cdbv1.ReasonImportStopped,
		"stop-singapore-import": cdbv1.ReasonStopAccepted, "stop-when-told": cdbv1.ReasonSuspended,
		"stop-unknown": cdbv1.ReasonImportNotFound, "stop-late-secret": cdbv1.ReasonCredentialsNotFound,
	}
	if err := d.watch(ctx); err != nil {
		return err
	}
	say("kubectl apply: the Secret that was missing")
	d.expected["stop-late-secret"] = cdbv1.ReasonStopAccepted
	if err := d.apply(ctx, secret("late-credentials")); err != nil {
		return err
	}
	if err := d.watch(ctx); err != nil {
		return err
	}
	if err := d.plugin(ctx); err != nil {
		return err
	}
	say(fmt.Sprintf("kubectl apply: a burst of %d, of which the cloud takes 20 a second", burst))
	var manifests strings.Builder
	for i := range burst {
		name := fmt.Sprintf("burst-%d", i)
		manifests.WriteString(manifest(name, name, "tencentcloud-credentials"))
		d.expected[name] = cdbv1.ReasonStopAccepted
	}
	if err := d.apply(ctx, manifests.String()); err != nil {
		return err
	}
	if err := d.watch(ctx); err != nil {
		return err
	}
	return d.summary(ctx)
}

// plugin stops an import without a manifest, and waits until it has ended.
func (d *demo) plugin(ctx context.Context) error {
	args := []string{"stop-import", "an-import-on-the-way", "--region=ap-guangzhou", "--secret=tencentcloud-credentials", "--until-stopped"}
	say("kubectl " + strings.Join(args, " "))
	if err := d.BuildPlugin(ctx); err != nil {
		return err
	}
	output, err := d.Kubectl(ctx, nil, args...)
	fmt.Print(indent(output))
	if err != nil {
		return fmt.Errorf("the plugin: %w", err)
	}
	d.expected["stop-an-import-on-the-way"] = cdbv1.ReasonImportStopped
	d.seen["stop-an-import-on-the-way"] = cdbv1.ReasonImportStopped // it was just shown
	return nil
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ") + "\n"
}

func (d *demo) apply(ctx context.Context, manifests string) error {
	_, err := d.Kubectl(ctx, strings.NewReader(manifests), "apply", "-f", "-")
	return err
}

// watch prints each change of Ready until every object is as expected.
func (d *demo) watch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, bounds)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		objects := &cdbv1.ImportJobStopList{}
		if err := d.Client.List(ctx, objects, client.InNamespace(d.Namespace)); err != nil {
			return err
		}
		if d.print(objects) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not every object became what it should: want %v, have %v", d.expected, d.seen)
		case <-tick.C:
		}
	}
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
		if d.seen[o.Name] != ready.Reason {
			d.seen[o.Name] = ready.Reason
			if !strings.HasPrefix(o.Name, "burst-") {
				fmt.Printf("  %-20s %-7s  %s %s\n", o.Name, ready.Status, paint(string(ready.Status), ready.Reason), ready.Message)
			}
		}
		if strings.HasPrefix(o.Name, "burst-") && ready.Reason == cdbv1.ReasonStopAccepted {
			gone++
		}
		done = done && ready.Reason == d.expected[o.Name]
	}
	if gone != d.gone {
		d.gone = gone
		fmt.Printf("  the burst: %2d of %d accepted %s\n", gone, burst, strings.Repeat("▪", gone))
	}
	return done && len(objects.Items) == len(d.expected)
}

func (d *demo) summary(ctx context.Context) error {
	output, err := d.Kubectl(ctx, nil, "get", "ijs", "stop-nightly-import", "stop-finance-import", "stop-singapore-import", "stop-when-told", "stop-unknown", "stop-late-secret")
	if err != nil {
		return err
	}
	say("kubectl get ijs")
	fmt.Print(output)
	var accepted, refused, other int
	stops := map[string]int{}
	for _, call := range d.Cloud.CallLog() {
		switch {
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
	requested := len(d.expected) - 2 // one is not known to the cloud, and one is held back
	fmt.Printf("  stops accepted: %d of %d requested   most for one import: %d   refused by the quota: %d   questions about an import: %d\n",
		accepted, requested, most(stops), refused, other)
	if accepted != requested || most(stops) != 1 || refused != 0 {
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

func say(s string) { fmt.Printf("\n» %s\n", s) }

// paint colours a reason, on a terminal only.
func paint(status, reason string) string {
	info, err := os.Stdout.Stat()
	padded := fmt.Sprintf("%-20s", reason)
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("NO_COLOR") != "" {
		return padded
	}
	colour := map[string]string{"True": "32", "False": "31"}[status]
	if colour == "" {
		colour = "33"
	}
	return "\x1b[" + colour + "m" + padded + "\x1b[0m"
}
