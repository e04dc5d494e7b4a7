// SPDX-License-Identifier: Apache-2.0

// floor is what the benchmark compares the operator with: a bare client that takes the operator's place. It makes the same requests for an
// object, to the API server and to the cloud, with the same concurrency, and nothing else. It keeps no cache, decides nothing, retries
// nothing and recovers from nothing, so its latency and its CPU time are what the machine allows.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/tencentcloud"
)

func main() {
	ctrl.SetLogger(logr.Discard())
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

// run takes those flags of the operator that the harness sets.
func run(ctx context.Context) error {
	flags := flag.NewFlagSet("floor", flag.ExitOnError)
	kubeconfig, endpoint := flags.String("kubeconfig", "", ""), flags.String("endpoint", "", "")
	probe, namespaces := flags.String("health-probe-bind-address", "", ""), flags.String("namespaces", "", "")
	_ = flags.Parse(os.Args[1:]) // an error ends the process
	b, err := newBare(*kubeconfig, *endpoint)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for namespace := range strings.SplitSeq(*namespaces, ",") {
		version, err := b.begin(ctx, namespace)
		if err != nil {
			return err
		}
		group.Go(func() error { return b.serveAll(ctx, namespace, version) })
	}
	http.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "ok") })
	group.Go(func() error { return http.ListenAndServe(*probe, nil) })
	return group.Wait()
}

func newBare(kubeconfig, endpoint string) (*bare, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	scheme := runtime.NewScheme()
	_ = clientgoscheme.AddToScheme(scheme)
	_ = cdbv1.AddToScheme(scheme)
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	override, err := tencentcloud.ParseOverride(endpoint)
	if err != nil {
		return nil, err
	}
	return &bare{
		client: c, cloud: tencentcloud.NewClient(tencentcloud.Endpoints{Override: override}), opening: time.Now().Add(time.Second),
		workers: make(chan struct{}, workers), accounts: map[client.ObjectKey]*account{},
	}, nil
}
