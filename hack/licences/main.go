// SPDX-License-Identifier: Apache-2.0

// licences lists the licences in CycloneDX SBOMs, and fails if a component has none, or one that is not allowed.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// allowed are the licences under which the programs may be given away as they are, by the names that cyclonedx-gomod gives them:
// it takes the BSD-3-Clause of golang.org/x for BSD-Source-Code, and the ISC of go-spew for 0BSD.
var allowed = []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD-Source-Code", "ISC", "MIT"}

type component struct {
	Name, Version string
	Evidence      struct {
		Licenses []struct {
			License struct{ ID, Name string }
		}
	}
}

func main() {
	found := map[string]map[string]bool{}
	for _, path := range os.Args[1:] {
		components, err := read(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, "licences:", err)
			os.Exit(1)
		}
		for _, c := range components {
			licence := c.licence()
			if found[licence] == nil {
				found[licence] = map[string]bool{}
			}
			found[licence][c.Name] = true
		}
	}
	bad := false
	for _, licence := range slices.Sorted(maps.Keys(found)) {
		names := slices.Sorted(maps.Keys(found[licence]))
		fmt.Printf("%-15s %3d  %s\n", licence, len(names), strings.Join(names, " "))
		if !slices.Contains(allowed, licence) {
			bad = true
			fmt.Fprintf(os.Stderr, "licences: %q is not allowed: replace %s\n", licence, strings.Join(names, " "))
		}
	}
	if bad || len(found) == 0 {
		os.Exit(1)
	}
}

func read(path string) ([]component, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var bom struct{ Components []component }
	return bom.Components, json.Unmarshal(text, &bom)
}

// licence of a component: all that were found, joined.
func (c component) licence() string {
	var ids []string
	for _, l := range c.Evidence.Licenses {
		ids = append(ids, l.License.ID+l.License.Name)
	}
	return strings.Join(ids, " and ")
}
