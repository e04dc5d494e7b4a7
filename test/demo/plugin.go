// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// plugins stops imports without a manifest: one that is found by its instance and one by its id, and waits until they have ended.
func (d *demo) plugins(ctx context.Context) error {
	if err := d.BuildPlugin(ctx); err != nil {
		return err
	}
	const secret = "--secret=tencentcloud-credentials"
	if err := d.plugin(ctx, "stop-found", "--instance=cdb-p6v2n8kd", "--region="+harness.Region, secret, "--name=stop-found", "--yes", "--until-stopped"); err != nil {
		return err
	}
	if err := d.plugin(ctx, "", "status", "stop-found"); err != nil {
		return err
	}
	return d.plugin(ctx, "stop-an-import-on-the-way", "an-import-on-the-way", "--region="+harness.Region, secret, "--until-stopped")
}

// plugin runs kubectl stop-import, and expects that this object ends.
func (d *demo) plugin(ctx context.Context, name string, args ...string) error {
	args = append([]string{"stop-import"}, args...)
	say("kubectl " + strings.Join(args, " "))
	output, err := d.Kubectl(ctx, nil, args...)
	fmt.Print(indent(output))
	if err != nil {
		return fmt.Errorf("the plugin: %w", err)
	}
	if name != "" {
		d.expected[name] = cdbv1.ReasonImportStopped
		d.seen[name] = cdbv1.ReasonImportStopped // it was just shown
	}
	return nil
}

// situation is what is shown once: a reason, and of a preview also what it has found.
func situation(ready metav1.Condition) string {
	if ready.Reason == cdbv1.ReasonSuspended {
		return ready.Reason + ready.Message
	}
	return ready.Reason
}

// isPreviewed: a suspended object that names an instance has found its import, and has not stopped it.
func isPreviewed(o *cdbv1.ImportJobStop) bool {
	return !o.Spec.Suspend || o.Spec.Import == nil || o.Status.Import != nil
}
