// SPDX-License-Identifier: Apache-2.0

// The ImportJobStop operator stops data imports into TencentDB for MySQL, as ImportJobStop objects ask for it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/operator"
)

// version is set by the linker.
var version = "devel"

func main() {
	var o options
	o.bind(flag.CommandLine)
	flag.Parse()
	if o.version {
		fmt.Println("importjobstop-operator", version, runtime.GOOS+"/"+runtime.GOARCH, runtime.Version())
		return
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.zap)))
	log.SetOutput(io.Discard) // net/http writes bytes there that a server sent without being asked, which can quote a credential
	err := o.check(flag.Args())
	if err == nil {
		err = run(ctrl.SetupSignalHandler(), &o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "importjobstop-operator:", err)
		os.Exit(1)
	}
}

// run returns when ctx is done or something cannot go on.
func run(ctx context.Context, o *options) error {
	wiring, err := o.operator()
	if err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	return operator.Run(ctx, config, metrics.Registry, wiring)
}
