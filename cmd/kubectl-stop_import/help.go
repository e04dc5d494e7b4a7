// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpTemplate has what kubectl's commands say, in their order. What kubectl lists under "kubectl options" comes last.
const helpTemplate = `{{trimTrailingWhitespaces .Long}}

Examples:
{{.Example}}

Options:
{{options .LocalNonPersistentFlags}}Usage:
  {{.UseLine}}

Which cluster, and as whom:
{{options .PersistentFlags}}`

func likeKubectl(command *cobra.Command) {
	cobra.AddTemplateFunc("options", optionsOf)
	command.DisableFlagsInUseLine = true
	command.SetHelpTemplate(helpTemplate)
}

// optionsOf prints each flag with its default on a line, and what it means on the next.
func optionsOf(flags *pflag.FlagSet) string {
	var out strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		name, value := "--"+f.Name, f.DefValue
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if f.Value.Type() == "string" {
			value = "'" + value + "'"
		}
		_, _ = fmt.Fprintf(&out, "    %s=%s:\n\t%s\n\n", name, value, f.Usage)
	})
	return out.String()
}
