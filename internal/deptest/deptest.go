// Package deptest keeps the house in order: each package states in a test which
// packages of this module, and which other modules, its code may import.
//
//	func TestImports(t *testing.T) {
//		deptest.Check(t, deptest.Allow{Own: []string{"market", "internal/..."}, Modules: []string{"gonum.org/v1/gonum"}})
//	}
package deptest

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Module is the path of this module.
const Module = "github.com/ttai-go/ttai"

// Allow lists what the package under test may import besides the standard
// library. Nothing is allowed that is not listed.
type Allow struct {
	// Own are packages of this module, relative to its root; "internal/..."
	// stands for everything below internal.
	Own []string
	// Modules are other modules' paths.
	Modules []string
}

// Check fails the test for each import of the package in the current folder
// that allow does not list, and for each listed one that nothing imports any
// more. Test files are exempt.
func Check(t *testing.T, allow Allow) {
	t.Helper()
	for _, problem := range Problems(t, ".", allow) {
		t.Error(problem)
	}
}

// Problems returns what [Check] would report for the package in dir.
func Problems(t *testing.T, dir string, allow Allow) []string {
	t.Helper()
	var problems []string
	used := map[string]bool{}
	for path, file := range imports(t, dir) {
		if !strings.Contains(strings.SplitN(path, "/", 2)[0], ".") {
			continue // standard library
		}
		rule, ok := match(path, allow)
		used[rule] = true
		if !ok {
			problems = append(problems, file+" imports "+path+", which is not among the package's allowed imports")
		}
	}
	for _, rule := range append(append([]string{}, allow.Own...), allow.Modules...) {
		if !used[rule] && !strings.HasSuffix(rule, "/...") {
			problems = append(problems, "nothing imports "+rule+" any more: take it off the list")
		}
	}
	return problems
}

// match returns the rule that covers path.
func match(path string, allow Allow) (rule string, ok bool) {
	if own, found := strings.CutPrefix(path, Module+"/"); found {
		for _, rule := range allow.Own {
			prefix, tree := strings.CutSuffix(rule, "...")
			if own == rule || tree && strings.HasPrefix(own, prefix) {
				return rule, true
			}
		}
		return "", false
	}
	for _, rule := range allow.Modules {
		if path == rule || strings.HasPrefix(path, rule+"/") {
			return rule, true
		}
	}
	return "", false
}

// imports maps each import path of the package in dir to a file that has it.
func imports(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			found[path] = name
		}
	}
	return found
}
