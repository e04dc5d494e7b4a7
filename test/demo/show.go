// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
)

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ") + "\n"
}

func say(s string) { fmt.Printf("\n» %s\n", s) }

// paint colours a reason, on a terminal only.
func paint(status, reason string) string {
	info, err := os.Stdout.Stat()
	padded := fmt.Sprintf("%-20s", reason)
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("NO_COLOR") != "" {
		return padded
	}
	colour := map[string]string{"True": "32", "False": "31"}[status]
	if colour == "" {
		colour = "33"
	}
	return "\x1b[" + colour + "m" + padded + "\x1b[0m"
}
