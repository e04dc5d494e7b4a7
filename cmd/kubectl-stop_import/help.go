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
		which := c.PersistentFlags()
		if c.HasParent() {
			which = c.InheritedFlags()
		}
		_, _ = fmt.Fprintf(c.OutOrStdout(), "%s\n\nExamples:\n%s\n\n%s%sUsage:\n  %s\n\nWhich cluster, and as whom:\n%s",
			c.Long, c.Example, verbsOf(c), section("Options:\n", optionsOf(c.LocalNonPersistentFlags())), c.UseLine(), optionsOf(which))
	})
}

// verbsOf lists the commands below.
func verbsOf(command *cobra.Command) string {
	text := ""
	for _, c := range command.Commands() {
		if c.IsAvailableCommand() {
			text += fmt.Sprintf("  %-10s %s\n", c.Name(), c.Short)
		}
	}
	return section("Available Commands:\n", section(text, "\n"))
}

// section is text under a title; nothing without either.
func section(title, text string) string {
	if title == "" || text == "" {
		return ""
	}
	return title + text
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
