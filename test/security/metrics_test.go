// SPDX-License-Identifier: Apache-2.0

package security

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/cert"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// serviceAccount creates one and returns a token of it.
func serviceAccount(f *harness.Fixture, name string) string {
	f.Helper()
	f.Create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: f.Namespace, Name: name}})
	token, err := env.Token(f.Context(), f.Namespace, name)
	f.Must(err)
	return token
}

// metricsReader is a token that may read metrics.
func metricsReader(t *testing.T) string {
	t.Helper()
	f := newFixture(t, "monitoring")
	f.Create(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: f.Namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "importjobstop-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: f.Namespace, Name: "reader"}},
	})
	return serviceAccount(f, "reader")
}

// scrape reads the metrics of whoever serves them, with a certificate that was made at its start.
func scrape(t *testing.T, address, token string) (int, string) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/metrics", nil)
	harness.Must(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	harness.Must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	harness.Must(t, err)
	return response.StatusCode, string(body)
}

// Metrics are for those who may read them. That they tell nothing of a Secret is for TestNothingOfASecretLeaks to say.
func TestMetrics(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "metrics")
	stranger, reader := serviceAccount(f, "stranger"), metricsReader(t)
	f.Account("creds")
	address, err := harness.FreeAddress()
	harness.Must(t, err)
	f.Start("--metrics-bind-address=" + address)
	f.StopImport("a")
	f.UntilReason("a", cdbv1.ReasonStopAccepted)
	if code, _ := scrape(t, address, ""); code != http.StatusUnauthorized {
		t.Errorf("HTTP %d without a token", code)
	}
	if code, _ := scrape(t, address, stranger); code != http.StatusForbidden {
		t.Errorf("HTTP %d without permission", code)
	}
	var body string
	f.Eventually("metrics", func() (bool, error) {
		var code int
		code, body = scrape(t, address, reader)
		return code == http.StatusOK, nil
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
}

// The metrics are served with the certificate from the files, and with the new one when they are renewed; without HTTP/2.
func TestMetricsCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	f, folder := newFixture(t, "certs"), t.TempDir()
	renew := func() *x509.CertPool {
		certificate, key, err := cert.GenerateSelfSignedCertKey("importjobstop", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
		harness.Must(t, err)
		for name, content := range map[string][]byte{"tls.key": key, "tls.crt": certificate} {
			harness.Must(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(certificate)
		return pool
	}
	first := renew()
	address, err := harness.FreeAddress()
	harness.Must(t, err)
	f.Start("--metrics-bind-address="+address, "--metrics-cert-path="+folder)
	trusts := func(pool *x509.CertPool) bool {
		connection, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool, NextProtos: []string{"h2", "http/1.1"}})
		if err != nil {
			return false
		}
		defer func() { _ = connection.Close() }()
		if p := connection.ConnectionState().NegotiatedProtocol; p != "http/1.1" {
			t.Errorf("it speaks %q", p)
		}
		return true
	}
	f.Eventually("the first certificate", func() (bool, error) { return trusts(first), nil })
	second := renew()
	f.Eventually("the second certificate", func() (bool, error) { return trusts(second), nil })
	if trusts(first) {
		t.Error("the first certificate is still served")
	}
}
