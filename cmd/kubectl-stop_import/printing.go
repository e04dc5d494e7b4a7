// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// The values of --dry-run, as kubectl has them.
const (
	dryRunNone   = "none"
	dryRunClient = "client"
	dryRunServer = "server"
)

// printing is how the object is printed, by the flags that kubectl create has.
type printing struct {
	flags  *genericclioptions.PrintFlags
	dryRun string
}

func newPrinting() printing { return printing{flags: genericclioptions.NewPrintFlags("created")} }

func (p *printing) addFlags(command *cobra.Command) {
	p.flags.AddFlags(command)
	flags := command.Flags()
	flags.StringVar(&p.dryRun, "dry-run", dryRunNone, `Must be "none", "server", or "client". If client, only print the object that would be created. If server, the API server checks it and keeps nothing. Without a value it is client.`)
	flags.Lookup("dry-run").NoOptDefVal = dryRunClient
	_ = command.RegisterFlagCompletionFunc("dry-run", cobra.FixedCompletions([]string{dryRunNone, dryRunServer, dryRunClient}, cobra.ShellCompDirectiveNoFileComp))
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(p.flags.AllowedFormats(), cobra.ShellCompDirectiveNoFileComp))
}

// strategy is the value of --dry-run, and makes what is printed say so. An output that cannot be printed is told before anything is created.
func (p *printing) strategy() (string, error) {
	var err error
	switch p.dryRun {
	case dryRunNone:
	case dryRunClient:
		err = p.flags.Complete("%s (dry run)")
	case dryRunServer:
		err = p.flags.Complete("%s (server dry run)")
	default:
		err = fmt.Errorf(`--dry-run is %q: give "none", "server" or "client"`, p.dryRun)
	}
	if err != nil {
		return "", err
	}
	_, err = p.flags.ToPrinter()
	return p.dryRun, err
}

// isWanted: the object is to be printed for a program, and what a person reads goes to the error output.
func (p *printing) isWanted() bool {
	return *p.flags.OutputFormat != "" || *p.flags.TemplatePrinterFlags.TemplateArgument != ""
}

// print the object; without --output, what was done with it.
func (p *printing) print(output io.Writer, object *cdbv1.ImportJobStop) error {
	printer, err := p.flags.ToPrinter()
	if err != nil {
		return err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	if object.Status.ObservedGeneration == 0 {
		delete(content, "status") // no server has it: what is printed can be committed
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(cdbv1.GroupVersion.WithKind("ImportJobStop"))
	return printer.PrintObj(u, output)
}

// printable is text from the cloud or the cluster without what could steer a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
