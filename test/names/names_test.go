// SPDX-License-Identifier: Apache-2.0

// Package names holds every identifier of the project to one word for one thing.
package names

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// better maps a word that was once used for a thing to the word that is used now. A key with a small first letter stands for the exported name too.
var better = map[string]string{
	"claim": "attempt", "claimed": "attempt", "intent": "attempt",
	"answer": "result", "outcome": "result", "verdict": "result", "judge": "ApplyResult, or check in an oracle",
	"wish": "target", "isNewWish": "targetChanged",
	"memory": "expectations", "wrote": "expectations", "isEcho": "observeOwnWrite", "isOld": "isStale",
	"calls": "inFlight, or log for what a server saw", "out": "inFlight, or output", "isOut": "skipIfInFlight", "isNews": "ignoreOwnWrites",
	"alarm": "requeueAfter", "rest": "wait", "ask": "callDescribe, or what is asked for",
	"usersOf": "requestsForSecret", "Live": "APIReader",
	"note": "event", "told": "importStatus", "came": "progress",
	"head": "truncate", "cut": "truncate", "lean": "stripUnusedFields", "cacheIsFull": "cacheSynced",
	"Fault": "Error", "Budgets": "Limiter", "line": "queue, or row of a text", "place": "waiter",
	"rouse": "scheduleDispatch", "ripe": "usableAt", "Await": "Wait", "giveBack": "release", "handBack": "returnToOwner",
	"good": "successes", "strikes": "refusals",
	"rig": "fixture", "world": "fixture", "tenant": "harness.Tenant",
}

// anywhere has the words that a longer name must not contain either.
var anywhere = []string{"claim", "claimed", "intent", "verdict", "wish", "echo", "alarm", "rouse", "ripe", "strikes", "rig", "world"}

// kept are names that mean something else where they are: the simulator injects faults, and the tests share one tenant.
var kept = map[string]bool{"internal/cdbsim Fault": true, "test/harness Tenant": true}

func TestOneWordForOneThing(t *testing.T) {
	t.Parallel()
	root, files, found := filepath.Join("..", ".."), token.NewFileSet(), 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "bin" || entry.Name() == "tools" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil || ast.IsGenerated(file) {
			return err
		}
		folder, _ := filepath.Rel(root, filepath.Dir(path))
		for _, name := range declared(file) {
			found++
			if instead := wrong(name.Name); instead != "" && !kept[filepath.ToSlash(folder)+" "+name.Name] {
				t.Errorf("%s: %s: better %s", files.Position(name.Pos()), name.Name, instead)
			}
		}
		return nil
	})
	if err != nil || found < 1000 {
		t.Errorf("%d names: %v", found, err)
	}
}

func TestWrongNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"out": true, "Out": true, "Live": true, "live": false, "Rouse": true, "isWishNew": true, "targetChanged": false, "outcomeUnknown": false, "result": false,
	} {
		if got := wrong(name) != ""; got != want {
			t.Errorf("%s: wrong is %t", name, got)
		}
	}
}

// wrong returns what would be better than a name, or nothing.
func wrong(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	for _, n := range []string{name, string(unicode.ToLower(first)) + name[size:]} {
		if instead := better[n]; instead != "" {
			return instead
		}
	}
	for _, word := range words(name) {
		for _, bad := range anywhere {
			if word == bad {
				return better[bad]
			}
		}
	}
	return ""
}

// words of a name in camel case, in small letters.
func words(name string) []string {
	var spaced strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			spaced.WriteByte(' ')
		}
		spaced.WriteRune(unicode.ToLower(r))
	}
	return strings.FieldsFunc(spaced.String(), func(r rune) bool { return r == ' ' || r == '_' })
}

// declared are the names that a file declares: of functions, types, values, fields, parameters and results.
func declared(file *ast.File) (names []*ast.Ident) {
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.FuncDecl:
			names = append(names, n.Name)
		case *ast.TypeSpec:
			names = append(names, n.Name)
		case *ast.ValueSpec:
			names = append(names, n.Names...)
		case *ast.Field:
			names = append(names, n.Names...)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				names = append(names, identifiers(n.Lhs...)...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				names = append(names, identifiers(n.Key, n.Value)...)
			}
		}
		return true
	})
	return names
}

func identifiers(expressions ...ast.Expr) (names []*ast.Ident) {
	for _, e := range expressions {
		if name, ok := e.(*ast.Ident); ok {
			names = append(names, name)
		}
	}
	return names
}
