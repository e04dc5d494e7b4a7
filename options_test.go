// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
		"--total-requests-per-second=20":                    "",
		"--total-requests-per-second=19":                    "at least the 20",
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
	for namespaces, want := range map[string][]string{"": nil, "shop": {"shop"}, "shop, billing": {"shop", "billing"}} {
		o := options{namespaces: namespaces}
		wiring, err := o.operator()
		if diff := cmp.Diff(want, wiring.Namespaces); diff != "" || err != nil {
			t.Errorf("%q: %s %v", namespaces, diff, err)
		}
	}
}

// What a user does not set is safe for the API server and within the vendor's quota.
func TestDefaults(t *testing.T) {
	t.Parallel()
	var o options
	o.bind(flag.NewFlagSet("", flag.ContinueOnError))
	if o.secretPoll != 5*time.Second || o.callsPerSecond != 20 || o.metricsAddress != "0" || !o.metricsSecure || o.watched() != nil {
		t.Errorf("the defaults are %+v", o)
	}
}

// A bad endpoint is named by its flag.
func TestEndpointFlag(t *testing.T) {
	t.Parallel()
	if o, err := (&options{}).operator(); err != nil || o.Endpoints.Override != nil {
		t.Errorf("without a flag: %v %v", o.Endpoints, err)
	}
	if _, err := (&options{endpoint: "gateway"}).operator(); err == nil || !strings.Contains(err.Error(), "--endpoint") {
		t.Errorf("the error is %v", err)
	}
}
