// SPDX-License-Identifier: Apache-2.0

// pictures draws what the pages explain: the life of a stop, the states of Ready, and who can read what. TestPicturesAreUpToDate compares the
// files with what this program draws.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// folder has the pictures, from the root of the project.
const folder = "docs/pictures"

// pictures by their file.
var pictures = map[string]func() string{"stop.svg": stop, "states.svg": states, "trust.svg": trust}

func main() {
	for name, draw := range pictures {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(draw()), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
