// SPDX-License-Identifier: Apache-2.0

package security

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// An import that was found by what is known of it is as final as one that was named by its id. Its id can be written into spec at any time.
func TestAFoundImportCannotBecomeAnother(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "found")
	now := metav1.NowMicro()
	const right = "region, asyncRequestId, import and site cannot change"
	for name, status := range map[string]cdbv1.ImportJobStopStatus{
		"accepted": {RequestID: "r-1"},
		"calling":  {LastAttempt: &cdbv1.Attempt{StartTime: now}},
		"found":    {},
	} {
		o := f.Object(name)
		o.Spec.AsyncRequestID, o.Spec.Import = "", &cdbv1.ImportFilter{InstanceID: "cdb-one", DatabaseName: "shop"}
		f.Create(o)
		o.Status, o.Status.Target = status, &cdbv1.Target{Region: o.Spec.Region, AsyncRequestID: "a-1", Site: cdbv1.SiteChina, Import: *o.Spec.Import}
		o.Status.Import = &cdbv1.ImportRecord{AsyncRequestID: "a-1", State: cdbv1.ImportRunning}
		f.Must(env.Client.Status().Update(t.Context(), o))
		for _, e := range []edit{
			{"its id, pinned", `{"spec":{"asyncRequestId":"a-1"}}`},
			{"suspend", `{"spec":{"suspend":true}}`},
			{"the same filter", `{"spec":{"import":{"instanceId":"cdb-one"}}}`},
		} {
			if err := try(f, o, e); err != nil {
				t.Errorf("%s, %s: refused: %v", name, e.name, err)
			}
		}
		for _, e := range []edit{
			{"another id", `{"spec":{"asyncRequestId":"a-2"}}`},
			{"another instance", `{"spec":{"import":{"instanceId":"cdb-two"}}}`},
			{"another database", `{"spec":{"import":{"databaseName":"other"}}}`},
			{"any database", `{"spec":{"import":{"databaseName":null}}}`},
			{"a file", `{"spec":{"import":{"fileName":"shop.sql"}}}`},
			{"an id instead", `{"spec":{"asyncRequestId":"a-1","import":null}}`},
			{"its status as well", `{"spec":{"asyncRequestId":"a-2"},"status":null}`},
		} {
			err := try(f, o, e)
			switch final := name != "found"; {
			case final && (err == nil || !strings.Contains(err.Error(), right)):
				t.Errorf("%s, %s: %v", name, e.name, err)
			case !final && err != nil:
				t.Errorf("%s, %s: refused: %v", name, e.name, err)
			}
		}
	}
}

// Bad input is refused with a message that says what is right.
func TestWhichImportIsSaidWell(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "said")
	for spec, want := range map[string]string{
		``:                                      "set asyncRequestId (the id of the import), or import.instanceId",
		`asyncRequestId: ""`:                    "asyncRequestId",
		`import: {}`:                            "instanceId",
		`import: {instanceId: ""}`:              "instanceId",
		`import: {instanceId: "e318ecb8-863f"}`: "as in cdb-c1nl9rpv",
		`import: {instanceId: "cdb-one "}`:      "as in cdb-c1nl9rpv",
		`import: {instanceId: cdb-one, databaseName: ""}`:                 "databaseName",
		`import: {instanceId: cdb-one, databaseName: " shop"}`:            "without blanks around it",
		`import: {instanceId: cdb-one, fileName: "shop.sql\nother.sql"}`:  "in one line",
		`import: {instanceId: cdb-one, database: shop}`:                   `unknown field "spec.import.database"`,
		`import: {instanceId: cdb-one, databaseName: shop}`:               "",
		`import: {instanceId: cdb-one, databaseName: "多 字", fileName: x}`: "",
		`import: {instanceId: cdbro-1a2b3c}`:                              "",
	} {
		manifest := "apiVersion: cdb.tencentcloud.com/v1alpha1\nkind: ImportJobStop\nmetadata: {name: said, namespace: " + f.Namespace +
			"}\nspec:\n  region: ap-guangzhou\n  credentialsSecretRef: {name: creds}\n  " + spec + "\n"
		output, err := env.Kubectl(t.Context(), strings.NewReader(manifest), "create", "--dry-run=server", "--validate=strict", "-f", "-")
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: refused: %s", spec, output)
		case want != "" && (err == nil || !strings.Contains(output, want)):
			t.Errorf("%s: %v %s, want %s", spec, err, output, want)
		}
	}
}
