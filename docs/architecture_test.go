package docs_test

import (
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/deptest"
	"github.com/ttai-go/ttai/internal/documents"
)

var update = flag.Bool("update", false, "write the imports as they are into architecture.md")

// house is what the code of every package imports: packages of this module,
// and other modules.
type house struct {
	own, foreign map[string][]string
}

// survey reads the imports of all packages but tests, examples and what is
// internal: those are how the rooms are built, not how they are arranged.
func survey(t *testing.T) house {
	t.Helper()
	modules := requiredModules(t)
	h := house{map[string][]string{}, map[string][]string{}}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != ".." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "bin" || name == "dist") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel("..", filepath.Dir(path))
		if err != nil {
			return err
		}
		from := filepath.ToSlash(rel)
		if !shown(from) {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		h.own[from] = append(h.own[from], []string{}...)
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if own, ok := strings.CutPrefix(imported, deptest.Module+"/"); ok {
				if shown(own) {
					h.own[from] = append(h.own[from], own)
				}
				continue
			}
			for _, module := range modules {
				if imported == module || strings.HasPrefix(imported, module+"/") {
					h.foreign[from] = append(h.foreign[from], module)
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	for _, edges := range []map[string][]string{h.own, h.foreign} {
		for from, to := range edges {
			slices.Sort(to)
			edges[from] = slices.Compact(to)
		}
	}
	return h
}

func shown(name string) bool {
	words := strings.Split(name, "/")
	return words[0] != "examples" && words[0] != "docs" && words[0] != "deploy" && words[0] != "." &&
		(!slices.Contains(words, "internal") || words[0] == "cmd")
}

// requiredModules lists the modules of go.mod.
func requiredModules(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "go.mod"))
	require.NoError(t, err)
	var modules []string
	for line := range strings.SplitSeq(string(text), "\n") {
		words := strings.Fields(line)
		if len(words) >= 2 && strings.HasPrefix(words[1], "v") && strings.Contains(words[0], ".") {
			modules = append(modules, words[0])
		}
	}
	require.NotEmpty(t, modules)
	return modules
}

// reaches lists what from imports by way of others.
func (h house) reaches(from string) map[string]bool {
	seen := map[string]bool{}
	var walk func(string)
	walk = func(name string) {
		for _, to := range h.own[name] {
			if !seen[to] {
				seen[to] = true
				walk(to)
			}
		}
	}
	walk(from)
	return seen
}

// diagram draws an arrow for each import that no longer way implies.
func (h house) diagram() string {
	var b strings.Builder
	b.WriteString("```mermaid\nflowchart TD\n")
	groups := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(h.own)) {
		first, _, _ := strings.Cut(name, "/")
		groups[first] = append(groups[first], name)
	}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		names := groups[group]
		if len(names) > 1 {
			fmt.Fprintf(&b, "  subgraph in_%s[ ]\n", id(group))
		}
		for _, name := range names {
			fmt.Fprintf(&b, "  %s[\"%s\"]\n", id(name), name)
		}
		if len(names) > 1 {
			b.WriteString("  end\n")
		}
	}
	for _, from := range slices.Sorted(maps.Keys(h.own)) {
		for _, to := range h.own[from] {
			implied := false
			for _, other := range h.own[from] {
				implied = implied || other != to && h.reaches(other)[to]
			}
			if !implied {
				fmt.Fprintf(&b, "  %s --> %s\n", id(from), id(to))
			}
		}
	}
	b.WriteString("```\n")
	return b.String()
}

func id(name string) string { return strings.NewReplacer("/", "_", "-", "_").Replace(name) }

// table lists every import.
func (h house) table() string {
	list := func(names []string, prefix string) string {
		var short []string
		for _, name := range names {
			short = append(short, "`"+strings.TrimPrefix(name, prefix)+"`")
		}
		return strings.Join(short, ", ")
	}
	var b strings.Builder
	b.WriteString("| package | imports of ours | other modules |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(h.own)) {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, list(h.own[name], ""), list(h.foreign[name], "github.com/"))
	}
	return b.String()
}

func TestDocumentsDrawTheImportsThereAre(t *testing.T) {
	h := survey(t)
	require.Greater(t, len(h.own), 15)
	documents.Section(t, "architecture.md", "diagram", h.diagram(), *update)
	documents.Section(t, "architecture.md", "imports", h.table(), *update)
}

func TestTheDrawingLeavesOutOnlyWhatItImplies(t *testing.T) {
	h := house{own: map[string][]string{"a": {"b", "c"}, "b": {"c"}, "c": {}}}
	drawn := h.diagram()
	assert.Contains(t, drawn, "a --> b")
	assert.Contains(t, drawn, "b --> c")
	assert.NotContains(t, drawn, "a --> c")
	assert.Contains(t, house{own: h.own, foreign: map[string][]string{"a": {"github.com/x/y"}}}.table(), "| `a` | `b`, `c` | `x/y` |")
}

// What the page says in words about the edges is true of them.
func TestTheRulesOfThePageHold(t *testing.T) {
	h := survey(t)
	for name := range h.own {
		reached := h.reaches(name)
		first, _, _ := strings.Cut(name, "/")
		if first == "mcp" || first == "agents" || first == "workflow" || first == "strategy" {
			assert.False(t, reached["tastytrade"], "%s reaches the broker's client", name)
		}
		if first == "simulator" {
			assert.False(t, reached["tastytrade"], "%s shares code with the client it tests", name)
		}
		if first != "cmd" && first != "mcp" {
			assert.False(t, reached["mcp"], "%s knows MCP", name)
		}
		if slices.Contains([]string{"market", "options", "indicators", "levels"}, name) {
			for _, module := range h.foreign[name] {
				assert.Equal(t, "gonum.org/v1/gonum", module, name)
			}
		}
	}
}
