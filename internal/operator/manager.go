// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"net/http"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/controllers"
)

// newManager makes the manager, and a function that says whether this process leads.
func (o Options) newManager(config *rest.Config) (mgr ctrl.Manager, leads func() bool, err error) {
	options := o.manager()
	if !o.LeaderElection {
		mgr, err = ctrl.NewManager(config, options)
		return mgr, func() bool { return true }, err
	}
	lock, err := o.newLease(config)
	if err != nil {
		return nil, nil, err
	}
	options.LeaderElectionResourceLockInterface = lock
	if mgr, err = ctrl.NewManager(config, options); err == nil {
		lock.tell(mgr)
	}
	return mgr, lock.holds, err
}

func (o Options) manager() ctrl.Options {
	scheme := runtime.NewScheme()
	_ = clientgoscheme.AddToScheme(scheme)
	_ = cdbv1.AddToScheme(scheme)
	m := ctrl.Options{
		Scheme:                        scheme,
		Logger:                        o.Logger,
		MapperProvider:                staticMapper,
		Metrics:                       metricsserver.Options{BindAddress: "0"}, // see Options.Metrics
		HealthProbeBindAddress:        o.ProbeAddress,
		PprofBindAddress:              o.PprofAddress,
		LeaderElection:                o.LeaderElection,
		LeaderElectionID:              leaseName,
		LeaderElectionReleaseOnCancel: true,
		Cache:                         cache.Options{DefaultTransform: controllers.StripUnusedFields, DefaultNamespaces: map[string]cache.Config{}},
	}
	for _, namespace := range o.Namespaces {
		m.Cache.DefaultNamespaces[namespace] = cache.Config{}
	}
	return m
}

// staticMapper maps the kinds that the operator reads. controller-runtime's own mapper asks the API server,
// and ends the process when the API server is away or the CRD is not installed yet.
func staticMapper(*rest.Config, *http.Client) (meta.RESTMapper, error) { return Mapper(), nil }

// Mapper maps the kinds that the operator reads and writes to their resources, without asking the API server.
func Mapper() meta.RESTMapper {
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{cdbv1.GroupVersion, corev1.SchemeGroupVersion, eventsv1.SchemeGroupVersion})
	for _, kind := range []schema.GroupVersionKind{cdbv1.GroupVersion.WithKind("ImportJobStop"), corev1.SchemeGroupVersion.WithKind("Secret")} {
		mapper.Add(kind, meta.RESTScopeNamespace)
		mapper.Add(kind.GroupVersion().WithKind(kind.Kind+"List"), meta.RESTScopeNamespace) // the cache of chosen namespaces asks for it
	}
	mapper.Add(eventsv1.SchemeGroupVersion.WithKind("Event"), meta.RESTScopeNamespace)
	return mapper
}
