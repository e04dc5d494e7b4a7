// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// likeKubectl makes the help say what that of kubectl's commands does, in their order. What kubectl lists under "kubectl options" comes last.
func likeKubectl(command *cobra.Command) {
	command.DisableFlagsInUseLine = true
	command.SetHelpFunc(func(c *cobra.Command, _ []string) {
		_, _ = fmt.Fprintf(c.OutOrStdout(), "%s\n\nExamples:\n%s\n\nOptions:\n%sUsage:\n  %s\n\nWhich cluster, and as whom:\n%s",
			c.Long, c.Example, optionsOf(c.LocalNonPersistentFlags()), c.UseLine(), optionsOf(c.PersistentFlags()))
	})
}

// optionsOf prints each flag with its default on a line, and what it means on the next.
func optionsOf(flags *pflag.FlagSet) string {
	var output strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		name, value := "--"+f.Name, f.DefValue
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if f.Value.Type() == "string" {
			value = "'" + value + "'"
		}
		_, _ = fmt.Fprintf(&output, "    %s=%s:\n\t%s\n\n", name, value, f.Usage)
	})
	return output.String()
}
