// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// prose is what a file says to people: a text for each comment, and for each message.
type prose struct{ comments, messages []string }

var directive = regexp.MustCompile(`(?m)^ ?(\+|go:|nolint|SPDX).*$`)

// proseOfGo are the comments of a Go file, and its literals with several words. Lines that follow each other are one comment.
func proseOfGo(source []byte) (p prose) {
	files := token.NewFileSet()
	file := files.AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, scanner.ScanComments)
	last := -1
	for {
		at, kind, text := s.Scan()
		switch {
		case kind == token.EOF:
			return p
		case kind == token.COMMENT:
			row := files.Position(at).Line
			text = directive.ReplaceAllString(strings.TrimPrefix(text, "//"), "")
			if row == last+1 {
				p.comments[len(p.comments)-1] += "\n" + text
			} else {
				p.comments = append(p.comments, text)
			}
			last = row
			continue
		case kind == token.STRING && strings.Contains(text, " "):
			if said, err := strconv.Unquote(text); err == nil {
				p.messages = append(p.messages, said)
			}
		}
		if text != "\n" {
			last = -1 // a comment behind code is one of its own
		}
	}
}

var (
	hashed = regexp.MustCompile(`(?m)(?:^[ \t]*#(?: .*)?\n)+`)
	hash   = regexp.MustCompile(`(?m)^[ \t]*# ?`)
)

// proseOfRows are the comments of YAML, of a script or of a Makefile, and the whole file as what it says: descriptions and messages are in it.
func proseOfRows(source []byte) (p prose) {
	for _, block := range hashed.FindAllString(string(source), -1) {
		p.comments = append(p.comments, hash.ReplaceAllString(block, ""))
	}
	p.messages = []string{string(source)}
	return p
}

// complaintsOfCode are what is wrong with what a file says.
func complaintsOfCode(name string, source []byte) (all []string) {
	read := proseOfRows
	if filepath.Ext(name) == ".go" {
		read = proseOfGo
	}
	p := read(source)
	for _, text := range slices.Concat(p.comments, p.messages) {
		all = append(all, bannedIn(inline.ReplaceAllString(text, "CODE"))...)
	}
	long := p.comments
	if filepath.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") {
		long = slices.Concat(p.comments, p.messages) // of a flag, of a metric, of the plugin
	}
	for _, text := range long {
		all = append(all, tooLongIn(text)...)
	}
	return all
}

// notRead are the folders that have no prose of ours.
var notRead = []string{".git", "bin", "dist", "testdata", "patches"}

// The code speaks as plainly as the pages: its comments, messages, logs and flags, and what is said of fields, alerts and samples.
func TestProseInCode(t *testing.T) {
	t.Parallel()
	read := 0
	harness.Must(t, filepath.WalkDir(harness.Root(), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(notRead, entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || !isCode(path):
			return nil
		}
		text, err := os.ReadFile(path)
		read++
		for _, complaint := range complaintsOfCode(path, text) {
			t.Errorf("%s: %s", path, complaint)
		}
		return err
	}))
	if read < 300 {
		t.Errorf("only %d files were read", read)
	}
}

// isCode: a file that people write, but for the one that has the list of banned words, and the names of the names that are banned.
func isCode(path string) bool {
	name := filepath.Base(path)
	if strings.HasPrefix(name, "zz_generated") || name == "prose_test.go" || name == "prose_code_test.go" || name == "names_test.go" {
		return false
	}
	return slices.Contains([]string{".go", ".yaml", ".yml", ".sh"}, filepath.Ext(name)) || name == "Makefile" || name == "Dockerfile"
}

func TestComplaintsOfCode(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", longest+1)
	for _, test := range []struct {
		name, source string
		want         int
	}{
		{"a.go", "// What became\n// of it.\npackage a\n", 1},
		{"a.go", "package a\nconst wish = 1\n", 0}, // names have a test of their own
		{"a.go", "package a\nvar a = \"the cloud did not do it\"\n", 1},
		{"a.go", "// +kubebuilder:validation:wish\npackage a\n", 0},
		{"a.go", "// " + long + "\npackage a\nvar a = \"" + long + "\"\n", 2},
		{"a_test.go", "package a\nvar a = \"" + long + "\"\n", 0},
		{"a.yaml", "# " + long + "\n# and more\nb: 1\n", 1},
		{"a.yaml", "a:\n  description: the target that it\n    speaks of\n", 1},
		{"Makefile", "## leave it, of course\n", 1},
		{"a.sh", "# Nothing is wrong here.\n", 0},
	} {
		if got := complaintsOfCode(test.name, []byte(test.source)); len(got) != test.want {
			t.Errorf("%q: %q, want %d", test.source, got, test.want)
		}
	}
}
