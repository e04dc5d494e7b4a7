// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/flags.md instead of comparing it")

// flagsPage is the page that lists every flag, made from the flags themselves.
func flagsPage() string {
	var o options
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	o.bind(flags)
	var page strings.Builder
	page.WriteString(`<!-- Made from options.go by: go test . -run TestFlagsPage -update -->
# Flags of the operator

This page is for whoever sets a flag of the operator. Afterwards you know what it does, and where to set it.

` + "`--help`" + ` prints this list, and ` + "`--version`" + ` the version that runs. Set flags in ` + "`args`" + ` of the Deployment, or with the chart in ` + "`extraArgs`" + `.
The operator refuses a wrong value at the start, and its log says which one is right.
So check after a change that the new pods are ready: ` + "`kubectl get pods --namespace importjobstop-system`" + `.

| flag | default | meaning |
| --- | --- | --- |
`)
	flags.VisitAll(func(f *flag.Flag) {
		value := f.DefValue
		if value != "" {
			value = "`" + value + "`"
		}
		_, usage := flag.UnquoteUsage(f)
		usage = strings.TrimSpace(strings.NewReplacer("|", "\\|", "\n", " ").Replace(usage))
		_, _ = fmt.Fprintf(&page, "| `--%s` | %s | %s |\n", f.Name, value, usage)
	})
	page.WriteString(`
## Environment variables

| variable | meaning |
| --- | --- |
| ` + "`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`" + ` | the proxy for calls to the cloud; add the API server's address to ` + "`NO_PROXY`" + ` |
| ` + "`GOMEMLIMIT`" + ` | the memory at which Go collects more often: about 85 % of the memory limit |
`)
	return page.String()
}

func TestFlagsPage(t *testing.T) {
	t.Parallel()
	const path = "docs/flags.md"
	if *update {
		if err := os.WriteFile(path, []byte(flagsPage()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shown, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(shown) != flagsPage() {
		t.Errorf("%s does not list the flags as they are; run: go test . -run TestFlagsPage -update", path)
	}
}
