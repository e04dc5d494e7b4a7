// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

// property of a schema, with the properties below it in the order of the file.
type property struct {
	Description string          `json:"description"`
	Default     json.RawMessage `json:"default"`
	Properties  properties      `json:"properties"`
}

type properties []namedProperty

type namedProperty struct {
	name string
	property
}

// UnmarshalJSON keeps the order, which a map would lose.
func (p *properties) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		child := namedProperty{name: fmt.Sprint(name)}
		if err := decoder.Decode(&child.property); err != nil {
			return err
		}
		*p = append(*p, child)
	}
	return nil
}

// describe makes values.yaml and a Markdown table of a schema.
func describe(schema []byte) (values, table string, err error) {
	var root property
	if err := json.Unmarshal(schema, &root); err != nil {
		return "", "", fmt.Errorf("values.schema.json: %w", err)
	}
	var d description
	d.values.WriteString("# Made from values.schema.json by make chart.\n")
	d.table.WriteString("| value | default | meaning |\n| --- | --- | --- |\n")
	err = d.add(root.Properties, "", "")
	if err == nil {
		var check map[string]any
		err = yaml.UnmarshalStrict([]byte(d.values.String()), &check)
	}
	return d.values.String(), d.table.String(), err
}

type description struct{ values, table strings.Builder }

func (d *description) add(children properties, indent, path string) error {
	for _, child := range children {
		if len(child.Properties) > 0 {
			_, _ = fmt.Fprintf(&d.values, "%s%s:\n", indent, child.name)
			if err := d.add(child.Properties, indent+"  ", path+child.name+"."); err != nil {
				return err
			}
			continue
		}
		if child.Default == nil || !strings.HasSuffix(child.Description, ".") {
			return fmt.Errorf("%s%s needs a default, and a description that is a sentence", path, child.name)
		}
		var value bytes.Buffer
		if err := json.Compact(&value, child.Default); err != nil {
			return err
		}
		text := strings.NewReplacer(`":`, `": `, `,"`, `, "`).Replace(value.String())
		_, _ = fmt.Fprintf(&d.values, "%[1]s# %[2]s\n%[1]s%[3]s: %[4]s\n", indent, child.Description, child.name, text)
		_, _ = fmt.Fprintf(&d.table, "| `%s%s` | `%s` | %s |\n", path, child.name, text, child.Description)
	}
	return nil
}

const begin, end = "<!-- made from values.schema.json: begin -->\n", "<!-- end -->\n"

// withTable returns the text of a page with the table where its marks are.
func withTable(path, table string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	before, page, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(page, end)
	if !found || !closed || strings.Contains(after, end) {
		return "", errors.New(path + " has not one pair of the marks between which the table stands")
	}
	return before + begin + table + end + after, nil
}
