// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A mistake in a flag ends the start with what would be right. One that passed could do harm: an empty name in --namespaces is all of them.
func TestFlags(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                              "",
		"--namespaces=shop,billing":     "",
		"--requests-per-second=1":       "",
		"--namespaces=shop,":            "--namespaces",
		"--namespaces=*":                "--namespaces",
		"--requests-per-second=0":       "1 to 1000",
		"--requests-per-second=1001":    "1 to 1000",
		"--max-concurrent-reconciles=0": "at least 1",
		"--secret-poll-interval=1ms":    "at least 1s",
		"--secret-poll-interval=-1s":    "at least 1s",
		"--metrics-cert-path=/certs":    "",
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
