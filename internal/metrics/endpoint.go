// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
)

// What the endpoint may ask of the API server: so many TokenReviews a second, and as many SubjectAccessReviews.
// A valid token is remembered for a minute, so scrapes need far less.
const (
	reviewQPS     = 10
	reviewBurst   = 20
	reviewTimeout = 10 * time.Second
)

// limits are what all clients together may take from the endpoint.
type limits struct {
	connections               int
	header, read, write, idle time.Duration
}

var defaultLimits = limits{connections: 50, header: 5 * time.Second, read: 10 * time.Second, write: 30 * time.Second, idle: 30 * time.Second}

const (
	maxHeaderBytes  = 32 << 10
	maxScrapes      = 5 // at a time; the endpoint answers more with 503
	shutdownTimeout = 5 * time.Second
)

// Endpoint serves metrics under /metrics.
//
// controller-runtime has such an endpoint too. It limits neither the connections nor the requests that a client without a valid token
// causes at the API server.
type Endpoint struct {
	// Address to listen on, as in :8443. "0" serves nothing.
	Address string
	// Secure serves HTTPS, and only to clients that the API server authenticates and authorizes.
	Secure bool
	// CertDir has tls.crt and tls.key, which are read again when they change. If empty, a certificate is generated, which clients cannot verify.
	CertDir string
	// Gatherer of the metrics to serve.
	Gatherer prometheus.Gatherer
}

// AddTo lets the manager serve the endpoint, before it leads and before its cache is filled.
// The context ends the watch of the certificate. AddTo fails if the address or the certificate is of no use.
func (e Endpoint) AddTo(ctx context.Context, mgr manager.Manager) error {
	if e.Address == "0" {
		return nil
	}
	server, err := e.server(ctx, mgr.GetConfig(), defaultLimits)
	if err != nil {
		return fmt.Errorf("metrics endpoint: %w", err)
	}
	return mgr.Add(server)
}

func (e Endpoint) server(ctx context.Context, config *rest.Config, l limits) (*manager.Server, error) {
	handler := promhttp.HandlerFor(e.Gatherer, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes,
	})
	var certificates *tls.Config
	if e.Secure {
		var err error
		if handler, err = reviewed(handler, config); err != nil {
			return nil, err
		}
		if certificates, err = e.certificates(ctx); err != nil {
			return nil, err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", e.Address)
	if err != nil {
		return nil, err
	}
	listener = netutil.LimitListener(listener, l.connections)
	if e.Secure {
		listener = tls.NewListener(listener, certificates)
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", handler)
	timeout := shutdownTimeout
	return &manager.Server{Name: "metrics", Listener: listener, ShutdownTimeout: &timeout, Server: &http.Server{
		Handler: mux, MaxHeaderBytes: maxHeaderBytes,
		ReadHeaderTimeout: l.header, ReadTimeout: l.read, WriteTimeout: l.write, IdleTimeout: l.idle,
	}}, nil
}

// reviewed lets the API server authenticate and authorize each client, at a rate of its own:
// strangers neither flood the API server nor slow down the requests of the controller.
func reviewed(handler http.Handler, config *rest.Config) (http.Handler, error) {
	own := rest.CopyConfig(config)
	own.QPS, own.Burst, own.RateLimiter, own.Timeout = reviewQPS, reviewBurst, nil, reviewTimeout
	client, err := rest.HTTPClientFor(own)
	if err != nil {
		return nil, err
	}
	filter, err := filters.WithAuthenticationAndAuthorization(own, client)
	if err != nil {
		return nil, err
	}
	return filter(log.Log.WithName("metrics"), handler)
}

// certificates returns a configuration without HTTP/2, which would allow many requests on one connection.
func (e Endpoint) certificates(ctx context.Context) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if e.CertDir == "" {
		crt, key, err := cert.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(crt, key)
		config.Certificates = []tls.Certificate{pair}
		return config, err
	}
	watcher, err := certwatcher.New(filepath.Join(e.CertDir, "tls.crt"), filepath.Join(e.CertDir, "tls.key"))
	if err != nil {
		return nil, err
	}
	config.GetCertificate = watcher.GetCertificate
	go func() {
		if err := watcher.Start(ctx); err != nil && ctx.Err() == nil {
			log.Log.WithName("metrics").Error(err, "watching the metrics certificate failed, so a renewed one is not used until a restart")
		}
	}()
	return config, nil
}
