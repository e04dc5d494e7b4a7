// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// A wrong flag is refused with the right value. Accepted, it could do harm: an empty name in --namespaces means all namespaces.
func TestFlags(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                                                  "",
		"--namespaces=shop,billing":                         "",
		"--requests-per-second=1":                           "",
		"--secret-poll-interval=1s":                         "",
		"--namespaces=shop,":                                "--namespaces",
		"--namespaces=*":                                    "--namespaces",
		"--requests-per-second=0":                           "1 to 1000",
		"--requests-per-second=1001":                        "1 to 1000",
		"--max-concurrent-reconciles=0":                     "at least 1",
		"--secret-poll-interval=0":                          "at least 1s",
		"--secret-poll-interval=999ms":                      "at least 1s",
		"--secret-poll-interval=-1s":                        "at least 1s",
		"--metrics-cert-path=/certs":                        "",
		"--metrics-cert-path=/certs --metrics-secure=false": "--metrics-secure",
		"--leader-elect true":                               `"true"`,
	} {
		var o options
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		o.bind(flags)
		if err := flags.Parse(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		err := o.check(flags.Args())
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: the error is %v, want %q", args, err, want)
		}
	}
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	for namespaces, want := range map[string][]string{"": nil, "shop": {"shop"}, "shop, billing": {"billing", "shop"}} {
		o := options{namespaces: namespaces}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(o.manager().Cache.DefaultNamespaces))); diff != "" {
			t.Errorf("%q: %s", namespaces, diff)
		}
	}
}

// What a user does not set is safe for the API server and within the vendor's quota.
func TestDefaults(t *testing.T) {
	t.Parallel()
	var o options
	o.bind(flag.NewFlagSet("", flag.ContinueOnError))
	if o.secretPoll != 5*time.Second || o.limit("StopDBImportJob") != 20 || o.metricsAddress != "0" || !o.metricsSecure || o.watched() != nil {
		t.Errorf("the defaults are %+v", o)
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	if e, err := (&options{}).endpoints(); err != nil || e.Override != nil {
		t.Errorf("without a flag: %v %v", e, err)
	}
	if _, err := (&options{endpoint: "gateway"}).endpoints(); err == nil || !strings.Contains(err.Error(), "--endpoint") {
		t.Errorf("the error is %v", err)
	}
}

// The operator's kinds are mapped without asking the API server, as objects and as lists.
func TestStaticMapper(t *testing.T) {
	t.Parallel()
	m := (&options{}).manager()
	mapper, err := m.MapperProvider(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []runtime.Object{&cdbv1.ImportJobStop{}, &cdbv1.ImportJobStopList{}, &corev1.Secret{}, &corev1.SecretList{}} {
		if namespaced, err := apiutil.IsObjectNamespaced(o, m.Scheme, mapper); err != nil || !namespaced {
			t.Errorf("%T: %t %v", o, namespaced, err)
		}
	}
	mapping, err := mapper.RESTMapping(cdbv1.GroupVersion.WithKind("ImportJobStop").GroupKind())
	if err != nil || mapping.Resource != cdbv1.GroupVersion.WithResource("importjobstops") {
		t.Errorf("%+v %v", mapping, err)
	}
}
