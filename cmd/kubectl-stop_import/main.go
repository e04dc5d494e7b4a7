// SPDX-License-Identifier: Apache-2.0

// kubectl-stop_import is a kubectl plugin. It creates an ImportJobStop and, if wanted, waits until it succeeds or fails.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// The exit codes besides 0.
const (
	exitFailed   = 1
	exitTimedOut = 124 // as of timeout(1)
)

// errTimedOut: the object was neither done nor failed when the time ran out.
var errTimedOut = errors.New("timed out")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	err := newCommand(streams).ExecuteContext(ctx)
	switch {
	case errors.Is(err, errTimedOut):
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(exitTimedOut)
	case err != nil:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(exitFailed)
	}
}

// options are what the flags say.
type options struct {
	genericiooptions.IOStreams
	config *genericclioptions.ConfigFlags
	arguments
	wait, untilStopped, dryRun bool
	timeout                    time.Duration
	output                     string
}

const example = `  # Stop an import, and go on at once
  kubectl stop-import 434e366f-beaf56d6-508b7f33-2abdb382 --region=ap-guangzhou --secret=tencentcloud-credentials

  # Stop it, and wait until the cloud has accepted the stop
  kubectl stop-import 434e366f-beaf56d6-508b7f33-2abdb382 --region=ap-guangzhou --secret=tencentcloud-credentials --wait

  # Stop it, and wait until the import has really ended
  kubectl stop-import 434e366f-beaf56d6-508b7f33-2abdb382 --region=ap-guangzhou --secret=tencentcloud-credentials --until-stopped

  # Print the manifest, to be committed to Git
  kubectl stop-import 434e366f-beaf56d6-508b7f33-2abdb382 --region=ap-guangzhou --secret=tencentcloud-credentials --dry-run -o yaml`

func newCommand(streams genericiooptions.IOStreams) *cobra.Command {
	o := &options{IOStreams: streams, config: genericclioptions.NewConfigFlags(true)}
	command := &cobra.Command{
		Use:         "stop-import ASYNC_REQUEST_ID --region=REGION --secret=SECRET [--wait | --until-stopped]",
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl stop-import"},
		Short:       "Stop a data import into TencentDB for MySQL",
		Long: `Stop a data import into TencentDB for MySQL.

Creates an ImportJobStop, which the operator turns into one StopDBImportJob call. What was already imported is kept.

Exits with 0 when it is done, with 1 when it failed or needs you, as when the cloud refuses the credentials, and with 124 when the time ran out before either.`,
		Example:       example,
		Args:          oneID,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(command *cobra.Command, args []string) error {
			o.id = args[0]
			return o.run(command.Context())
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.region, "region", "", "Region of the database instance, as in ap-guangzhou. Required.")
	flags.StringVar(&o.secret, "secret", "", "Name of the Secret with the credentials, in the same namespace. Required.")
	flags.StringVar(&o.site, "site", "", "Site of the account: China (also when empty) or International.")
	flags.StringVar(&o.name, "name", "", "Name of the ImportJobStop. If empty, it is made of the id.")
	flags.BoolVar(&o.wait, "wait", false, "If true, wait until the cloud has accepted the stop, or it has failed.")
	flags.BoolVar(&o.untilStopped, "until-stopped", false, "If true, wait until the import has really ended, or it has failed.")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Minute, "The length of time to wait before giving up.")
	flags.BoolVar(&o.dryRun, "dry-run", false, "If true, only print the object that would be created. With --output.")
	flags.StringVarP(&o.output, "output", "o", "", "Output format of --dry-run. One of: (yaml, json).")
	for _, required := range []string{"region", "secret"} {
		_ = command.MarkFlagRequired(required)
	}
	o.config.AddFlags(command.PersistentFlags())
	likeKubectl(command)
	return command
}

func oneID(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give one ASYNC_REQUEST_ID, not %d\nSee 'kubectl stop-import -h' for help and examples", len(args))
	}
	return nil
}

func (o *options) run(ctx context.Context) error {
	namespace, _, err := o.config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return err
	}
	o.arguments.untilStopped = o.untilStopped
	object := o.object(namespace)
	if o.dryRun {
		return printManifest(o.Out, object, o.output)
	}
	if o.output != "" {
		return errors.New("--output goes with --dry-run; see the object with kubectl get importjobstop " + object.Name)
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	if err := create(ctx, c, o.Out, object); err != nil {
		return err
	}
	if !o.wait && !o.untilStopped {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, errTimedOut)
	defer cancel()
	return follow(ctx, c, newProgress(o.Out), object)
}

func (o *options) client() (client.WithWatch, error) {
	config, err := o.config.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := cdbv1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return client.NewWithWatch(config, client.Options{Scheme: scheme})
}

// arguments are what the command line asks for.
type arguments struct {
	id, region, secret, site, name string
	untilStopped                   bool
}

// object that is to be created.
func (w arguments) object(namespace string) *cdbv1.ImportJobStop {
	o := &cdbv1.ImportJobStop{Spec: cdbv1.ImportJobStopSpec{
		Region: w.region, AsyncRequestID: w.id, CredentialsSecretRef: cdbv1.SecretReference{Name: w.secret}, Site: cdbv1.Site(w.site),
	}}
	o.SetGroupVersionKind(cdbv1.GroupVersion.WithKind("ImportJobStop"))
	o.Name, o.Namespace = w.name, namespace
	if o.Name == "" {
		o.Name = "stop-" + strings.ToLower(w.id)
	}
	if w.untilStopped {
		o.Spec.WaitFor = cdbv1.WaitForStopped
	}
	return o
}
