// SPDX-License-Identifier: Apache-2.0

// kubectl-stop_import is a kubectl plugin. It stops an import by its id or by the instance that it runs on, and tells how it went.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// The exit codes besides 0.
const (
	exitFailed      = 1
	exitUnapproved  = 3
	exitTimedOut    = 124 // as of timeout(1)
	exitInterrupted = 130 // as of a shell, after Ctrl-C
)

var (
	// errTimedOut: the object was neither done nor failed when the time ran out.
	errTimedOut = errors.New("timed out")
	// errInterrupted: somebody pressed Ctrl-C, or ended the process.
	errInterrupted = errors.New("interrupted")
)

// version is set by the linker.
var version = "devel"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	err := newCommand(genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}).ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", printable(err.Error()))
	}
	os.Exit(exitCode(err))
}

func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUnapproved):
		return exitUnapproved
	case errors.Is(err, errTimedOut):
		return exitTimedOut
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}
