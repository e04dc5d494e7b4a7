// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilrand "k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// options are what the flags say.
type options struct {
	genericiooptions.IOStreams
	config *genericclioptions.ConfigFlags
	arguments
	printing
	wait, yes  bool
	breakGlass bool
	timeout    time.Duration
	isTerminal func(stream any) bool
}

const example = `  # Find the import that is running on an instance, look at it, and stop it
  kubectl stop-import --instance=cdb-c1nl9rpv --region=ap-guangzhou --secret=tencentcloud-credentials

  # The same where several are running; stop it without a question, and wait until it has really ended
  kubectl stop-import --instance=cdb-c1nl9rpv --database=shop --region=ap-guangzhou --secret=tencentcloud-credentials --yes --until-stopped

  # Stop an import by its id, and go on at once
  kubectl stop-import 434e366f-beaf56d6-508b7f33-2abdb382 --region=ap-guangzhou --secret=tencentcloud-credentials

  # Stop it, and wait until the cloud has accepted the stop
  kubectl stop-import 434e366f-beaf56d6-508b7f33-2abdb382 --region=ap-guangzhou --secret=tencentcloud-credentials --wait

  # Print the manifest, to be committed to Git
  kubectl stop-import 434e366f-beaf56d6-508b7f33-2abdb382 --region=ap-guangzhou --secret=tencentcloud-credentials --dry-run=client -o yaml

  # What happened to it, and what to do
  kubectl stop-import status stop-434e366f-beaf56d6-508b7f33-2abdb382`

const explanation = `Stop a data import into TencentDB for MySQL.

With an id, it creates an ImportJobStop, which the operator turns into one StopDBImportJob call. With --instance, it creates one that is suspended: the operator looks for the import and stops nothing. You see what was found and how far it is, and are asked. On yes, the id that was found is written into the object as it is resumed, so that this import is stopped and no other. On no, and on Ctrl-C, the object is deleted. What was already imported is kept.

Where the administrator asks for a second person for each stop, the object is created suspended and in your name, and stays so until somebody else resumes it. Then --instance is needed with an id, too.

Exit codes: 0 when the stop was accepted, or when the import has ended with --until-stopped. With an id and without --wait, 0 when the stop was asked for and has not failed so far. 1 when it failed or needs you, when no import or several match, and when you said no. 3 when somebody else must approve the stop; the error says who, and with which command. 124 when the time ran out before either. 130 after Ctrl-C.`

func newCommand(streams genericiooptions.IOStreams) *cobra.Command {
	o := &options{IOStreams: streams, config: genericclioptions.NewConfigFlags(true), printing: newPrinting(), isTerminal: isTerminal}
	command := &cobra.Command{
		Use:               "stop-import (ASYNC_REQUEST_ID | --instance=INSTANCE) --region=REGION --secret=SECRET",
		Annotations:       map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl stop-import"},
		Short:             "Stop a data import into TencentDB for MySQL",
		Version:           version,
		Long:              explanation,
		Example:           example,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true}, // kubectl asks __complete
		RunE: func(command *cobra.Command, args []string) error {
			if err := o.check(command.Flags(), args); err != nil {
				return fmt.Errorf("%w\nSee 'kubectl stop-import -h' for help and examples", err)
			}
			return o.run(command.Context())
		},
	}
	o.addFlags(command)
	o.addWaitFlags(command.Flags())
	o.config.AddFlags(command.PersistentFlags())
	command.AddCommand(o.statusCommand(), o.retryCommand(), o.suspendCommand(), o.resumeCommand())
	likeKubectl(command)
	return command
}

func (o *options) addFlags(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&o.instance, "instance", "", "Stop the import that is running on this database instance, as in cdb-c1nl9rpv. With an id, stop it only if it is on this instance.")
	flags.StringVar(&o.database, "database", "", "Only an import into this database. With --instance.")
	flags.StringVar(&o.file, "file", "", "Only an import of this file, as in shop.sql.gz. With --instance.")
	flags.StringVar(&o.region, "region", "", "Region of the database instance, as in ap-guangzhou. Required.")
	flags.StringVar(&o.secret, "secret", "", "Name of the Secret with the credentials, in the same namespace. Required.")
	flags.StringVar(&o.site, "site", "", "Site of the account: China (when omitted) or International.")
	flags.StringVar(&o.name, "name", "", "Name of the ImportJobStop. If empty, it is made of the id or the instance.")
	flags.BoolVarP(&o.yes, "yes", "y", false, "If true, stop what --instance finds without a question. Several are never stopped.")
	o.addBreakGlassFlag(flags)
	flags.Bool("version", false, "If true, print the version of the plugin and exit.") // cobra does it
	flags.BoolVar(&o.untilStopped, "until-stopped", false, "If true, wait until the import has really ended, or it has failed.")
	for _, required := range []string{"region", "secret"} {
		_ = command.MarkFlagRequired(required)
	}
	_ = command.RegisterFlagCompletionFunc("site", cobra.FixedCompletions([]string{string(cdbv1.SiteChina), string(cdbv1.SiteInternational)}, cobra.ShellCompDirectiveNoFileComp))
	o.printing.addFlags(command)
}

func (o *options) addWaitFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.wait, "wait", false, "If true, wait until the cloud has accepted the stop, or it has failed.")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Minute, "The length of time to wait before giving up.")
}

func (o *options) addBreakGlassFlag(flags *pflag.FlagSet) {
	flags.BoolVar(&o.breakGlass, "break-glass", false, "If true, and a second person is needed, go on without one. You need the verb break-glass, and your name stays on record.")
}

// narrowing are the flags that say which import is meant. A script passes an empty one when its variable is not set. It must not stop another import then.
var narrowing = []string{"instance", "database", "file", "region", "secret", "site", "name"}

// check says what is wrong with the command line.
func (o *options) check(flags *pflag.FlagSet, args []string) error {
	for _, name := range narrowing {
		if flag := flags.Lookup(name); flag.Changed && flag.Value.String() == "" {
			return fmt.Errorf("--%s is empty: give a value, or leave it out", name)
		}
	}
	switch {
	case slices.Contains(args, ""):
		return errors.New("ASYNC_REQUEST_ID is empty: give an id, or leave it out")
	case len(args) > 1:
		return fmt.Errorf("give one ASYNC_REQUEST_ID, not %d", len(args))
	case len(args) == 0 && o.instance == "":
		return errors.New("give an ASYNC_REQUEST_ID, or the instance that the import runs on with --instance")
	case o.instance == "" && (o.database != "" || o.file != ""):
		return errors.New("--database and --file go with --instance")
	}
	o.id = strings.Join(args, "")
	return nil
}

func (o *options) run(ctx context.Context) error {
	namespace, err := o.namespace()
	if err != nil {
		return err
	}
	object := o.object(namespace)
	strategy, err := o.strategy()
	if err != nil {
		return err
	}
	if strategy == dryRunClient {
		return o.print(o.Out, object)
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	switch {
	case strategy == dryRunServer:
		if err := o.request(ctx, c, object, client.DryRunAll); err != nil {
			return err
		}
		return o.print(o.Out, object)
	case o.id == "":
		return o.stopFound(ctx, c, object)
	}
	return o.stopByID(ctx, c, object)
}

func (o *options) namespace() (string, error) {
	namespace, _, err := o.config.ToRawKubeConfigLoader().Namespace()
	return namespace, err
}

func (o *options) client() (client.WithWatch, error) {
	config, err := o.config.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(cdbv1.AddToScheme(scheme), authenticationv1.AddToScheme(scheme), authorizationv1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	return client.NewWithWatch(config, client.Options{Scheme: scheme})
}

// arguments are what the command line asks for.
type arguments struct {
	id, instance, database, file, region, secret, site, name string
	untilStopped                                             bool
}

// object that is to be created. Without an id it is a preview: suspended, until somebody has seen what was found.
func (w arguments) object(namespace string) *cdbv1.ImportJobStop {
	o := &cdbv1.ImportJobStop{Spec: cdbv1.ImportJobStopSpec{
		Region: w.region, AsyncRequestID: w.id, CredentialsSecretRef: cdbv1.SecretReference{Name: w.secret}, Site: cdbv1.Site(w.site), Suspend: w.id == "",
	}}
	o.SetGroupVersionKind(cdbv1.GroupVersion.WithKind("ImportJobStop"))
	o.Name, o.Namespace = w.name, namespace
	switch {
	case o.Name != "":
	case w.id != "":
		o.Name = "stop-" + strings.ToLower(w.id)
	default: // an instance has one import after the other
		o.Name = "stop-" + strings.ToLower(w.instance) + "-" + utilrand.String(5)
	}
	if w.instance != "" {
		o.Spec.Import = &cdbv1.ImportFilter{InstanceID: w.instance, DatabaseName: w.database, FileName: w.file}
	}
	if w.untilStopped {
		o.Spec.WaitFor = cdbv1.WaitForStopped
	}
	return o
}
