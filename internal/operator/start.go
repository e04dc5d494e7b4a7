// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"context"
	"errors"
	"net/http"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

const (
	// unsyncedGrace is how long a manager that has not started its controllers gets to end by itself.
	unsyncedGrace = time.Second
	// listTimeout is how long the API server gets to list ImportJobStops before the log says that it does not answer.
	listTimeout = 5 * time.Second
	// syncCheck is how long a probe or a scrape waits to find out whether the cache has synced.
	syncCheck = 500 * time.Millisecond
)

// start runs the manager until ctx is done, and waits for an API server that is away. While it waits, it logs why.
//
// controller-runtime does not return before the cache has synced, even when ctx is done. Until then there are no controllers and
// nothing is in flight, so start does not wait for controller-runtime. Afterwards it waits for the graceful shutdown.
func (o Options) start(ctx context.Context, mgr ctrl.Manager) error {
	// Without an informer the cache counts as synced.
	if _, err := mgr.GetCache().GetInformer(ctx, &cdbv1.ImportJobStop{}, cache.BlockUntilSynced(false)); err != nil {
		return err
	}
	synced := make(chan struct{})
	if err := mgr.Add(afterSync(func() {
		close(synced)
		o.Synced()
	})); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	tick := time.NewTicker(o.WaitLogInterval)
	defer tick.Stop()
	stop, giveUp := ctx.Done(), (<-chan time.Time)(nil)
	for {
		select {
		case err := <-ended:
			return err
		case <-synced:
			return <-ended
		case <-tick.C:
			if err := list(ctx, mgr.GetAPIReader(), o.Namespaces); err != nil && ctx.Err() == nil {
				o.Logger.Info("waiting until the API server lists ImportJobStops", "server", mgr.GetConfig().Host, "error", err.Error())
			}
		case <-stop:
			stop, giveUp = nil, time.After(unsyncedGrace)
		case <-giveUp:
			return nil
		}
	}
}

// list asks the API server for ImportJobStops, to find out why the cache does not sync. client-go does not log a refused connection.
func list(ctx context.Context, reader client.Reader, namespaces []string) error {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	if len(namespaces) == 0 {
		namespaces = []string{""}
	}
	for _, namespace := range namespaces {
		if err := reader.List(ctx, &cdbv1.ImportJobStopList{}, client.InNamespace(namespace), client.Limit(1)); err != nil {
			return err
		}
	}
	return nil
}

// afterSync is called when the cache has synced, before the operator leads and before its controllers start.
type afterSync func()

// Start implements manager.Runnable.
func (f afterSync) Start(context.Context) error {
	f()
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (afterSync) NeedLeaderElection() bool { return false }

// addProbes serves /healthz, which is OK while the process runs, and /readyz.
func addProbes(mgr ctrl.Manager) error {
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	return mgr.AddReadyzCheck("cache", func(r *http.Request) error { return cacheSynced(r.Context(), mgr.GetCache()) })
}

// cacheSynced returns an error until the cache has all objects. Then the replica can start work as soon as it leads.
func cacheSynced(ctx context.Context, c cache.Cache) error {
	ctx, cancel := context.WithTimeout(ctx, syncCheck)
	defer cancel()
	if !c.WaitForCacheSync(ctx) {
		return errors.New("the cache has not synced yet")
	}
	return nil
}

// whenSynced keeps a scrape from waiting for the cache, which may take for ever.
func whenSynced[T any](c cache.Cache, read func() (T, error)) func() (T, error) {
	return func() (T, error) {
		if err := cacheSynced(context.Background(), c); err != nil {
			var none T
			return none, err
		}
		return read()
	}
}
