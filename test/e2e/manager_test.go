// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

func scrape(t *testing.T, address, token string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // the certificate is made at start
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// token is one of a new ServiceAccount.
func (n *tenant) token(name string) string {
	n.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: name}}
	n.create(account)
	token := &authenticationv1.TokenRequest{}
	if err := env.Client.SubResource("token").Create(n.Context(), account, token); err != nil {
		n.Fatal(err)
	}
	return token.Status.Token
}

// Metrics are for those who may read them, and tell nothing of a Secret.
func TestMetrics(t *testing.T) {
	n := newTenant(t)
	account := n.account()
	n.running("a")
	address, err := harness.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	n.start("--metrics-bind-address=" + address)
	n.stop("a")
	n.untilReason("a", cdbv1.ReasonStopAccepted)

	stranger, reader := n.token("stranger"), n.token("reader")
	if code, _ := scrape(t, address, ""); code != http.StatusUnauthorized {
		t.Errorf("HTTP %d without a token", code)
	}
	if code, _ := scrape(t, address, stranger); code != http.StatusForbidden {
		t.Errorf("HTTP %d without permission", code)
	}
	n.create(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: n.namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "importjobstop-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: n.namespace, Name: "reader"}},
	})
	var body string
	n.until("a", "measured", func(*cdbv1.ImportJobStop) bool {
		var code int
		code, body = scrape(t, address, reader)
		return code == http.StatusOK
	})
	for _, want := range []string{
		`importjobstop_cloud_calls_total{action="StopDBImportJob",code="OK",region="ap-guangzhou"} 1`,
		`importjobstop_cloud_calls_in_flight{action="StopDBImportJob"} 0`,
		`importjobstop_acceptance_duration_seconds_count 1`,
		`importjobstop_budget_wait_seconds_count{action="StopDBImportJob"} 1`,
		`importjobstop_objects{reason="StopAccepted"} 1`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	for _, canary := range []string{account.SecretID, account.SecretKey, account.Token} {
		if strings.Contains(body, canary) {
			t.Errorf("%q is in the metrics", canary)
		}
	}
}

// A second replica takes over as soon as the first, told to stop, has recorded the answer of the call that was out.
func TestShutdownFinishesTheCallAndHandsOver(t *testing.T) {
	n := newTenant(t)
	n.account()
	n.running("slow")
	n.running("next")
	env.Cloud.Play(cdbsim.Fault{AsyncRequestID: n.id("slow"), Kind: cdbsim.Slow, Times: 1})
	lease := []string{"--leader-elect", "--leader-election-namespace=importjobstop-system"}
	n.start(lease...)
	first := n.operator
	n.stop("next", func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = true })
	next := n.untilReason("next", cdbv1.ReasonSuspended) // the first leads
	n.start(lease...)
	second := n.operator
	t.Cleanup(second.Kill)
	n.stop("slow")
	n.until("slow", "in the cloud's hands", func(*cdbv1.ImportJobStop) bool { return len(n.stops("slow")) == 1 })
	if err := first.Terminate(); err != nil {
		t.Errorf("it did not stop well: %v\n%s", err, first.Log())
	}
	if o := n.get("slow"); ready(o).Reason != cdbv1.ReasonStopAccepted || o.Status.Attempts != 1 {
		t.Errorf("the call in flight was not recorded: %+v", o.Status)
	}
	next.Spec.Suspend = false
	if err := env.Client.Update(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	n.untilReason("next", cdbv1.ReasonStopAccepted)
	for _, log := range []string{first.Log(), second.Log()} {
		if strings.Contains(log, "forbidden") {
			t.Errorf("a permission is missing:\n%s", log)
		}
	}
}
