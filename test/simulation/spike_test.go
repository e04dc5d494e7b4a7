package simulation

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/transport"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/metrics"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/operator"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/tencentcloud"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/fakeapi"
)
var _ = transport.Config{}
var _ = apiutil.IsObjectNamespaced
type direct struct{ h http.Handler }
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestSpike(t *testing.T) {
	start := time.Now()
	for i := range 20 {
	synctest.Test(t, func(t *testing.T) {
		api := fakeapi.New()
		cloud := cdbsim.New()
		cloud.SetAccount(cdbsim.Account{SecretID: "AKIDEXAMPLE", SecretKey: "example-secret-key"})
		cloud.SetLatency(func() time.Duration { return 5 * time.Millisecond })
		config := &rest.Config{Host: "http://api.invalid", Transport: api, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- operator.Run(ctx, config, prometheus.NewRegistry(), operator.Options{
				Endpoints: tencentcloud.Endpoints{}, CallsPerSecond: 20, Workers: 10, SecretPoll: 5 * time.Second, WaitLogInterval: time.Minute,
				Metrics: metrics.Endpoint{Address: "0"}, ProbeAddress: "0", PprofAddress: "0", Transport: direct{cloud},
			})
		}()
		scheme := runtime.NewScheme()
		_ = clientgoscheme.AddToScheme(scheme)
		_ = cdbv1.AddToScheme(scheme)
		c, err := client.New(config, client.Options{Scheme: scheme, Mapper: operator.Mapper()})
		if err != nil { t.Fatal(err) }
		if err := c.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "creds"}, Data: map[string][]byte{"secretId": []byte("AKIDEXAMPLE"), "secretKey": []byte("example-secret-key")}}); err != nil { t.Fatal(err) }
		for i := range 5 {
			o := &cdbv1.ImportJobStop{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("stop-%d", i)}, Spec: cdbv1.ImportJobStopSpec{Region: "ap-guangzhou", AsyncRequestID: fmt.Sprintf("a-%d", i), CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"}}}
			cloud.SetImport(cdbsim.Import{Region: "ap-guangzhou", ID: o.Spec.AsyncRequestID, Status: "RUNNING"})
			if err := c.Create(ctx, o); err != nil { t.Fatal(err) }
		}
		time.Sleep(30*time.Second)
		var list cdbv1.ImportJobStopList
		if err := c.List(ctx, &list); err != nil { t.Fatal(err) }
		for _, o := range list.Items {
			if o.Status.RequestID == "" { t.Errorf("%s: %+v", o.Name, o.Status) }
		}
		if i == 0 { t.Log(len(list.Items), len(cloud.CallLog())) }
		cancel()
		if err := <-done; err != nil { t.Error(err) }
		time.Sleep(time.Minute)
	})
	}
	t.Log(time.Since(start)/20)
}
