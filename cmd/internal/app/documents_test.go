package app

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/documents"
)

var update = flag.Bool("update", false, "write the settings as they are to docs")

var (
	rootFolder = filepath.Join("..", "..", "..")
	manualPage = filepath.Join(rootFolder, "docs", "configuration.md")
)

func TestDocumentsListEverySettingAndNoOther(t *testing.T) {
	withoutFlag := []string{"http-token", "client-id", "client-secret", "refresh-token", "vault-key", "anchors", "alpaca-key-id", "alpaca-secret"}
	var b strings.Builder
	b.WriteString("| flag | variable | key | meaning |\n|---|---|---|---|\n")
	flags := slices.SortedFunc(maps.Keys(settings), func(x, y string) int {
		return strings.Compare(settings[x].Variable, settings[y].Variable)
	})
	for _, name := range flags {
		setting, shown := settings[name], "`--"+name+"`"
		if slices.Contains(withoutFlag, name) {
			shown = ""
		}
		require.NotEmpty(t, setting.Meaning, name)
		fmt.Fprintf(&b, "| %s | `%s` | `%s` | %s |\n", shown, setting.Variable, setting.Key, setting.Meaning)
	}
	documents.Section(t, manualPage, "settings", b.String(), *update)
}

// Every variable that the programs read by name is in the manual, and every
// TTAI_ variable in the documents is one that they read.
func TestDocumentsKnowEveryVariable(t *testing.T) {
	page, err := os.ReadFile(manualPage)
	require.NoError(t, err)
	for _, name := range variablesRead(t) {
		assert.True(t, strings.Contains(string(page), "`"+name+"`"), "docs/configuration.md does not name %s", name)
	}
	known := map[string]bool{}
	for _, setting := range settings {
		known[setting.Variable] = true
	}
	pages, err := filepath.Glob(filepath.Join(rootFolder, "docs", "*.md"))
	require.NoError(t, err)
	for _, path := range append(pages, filepath.Join(rootFolder, "README.md")) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, name := range regexp.MustCompile(`\bTTAI_[A-Z_]+`).FindAllString(string(text), -1) {
			ofTests := strings.HasPrefix(name, "TTAI_TEST_") || strings.HasPrefix(name, "TTAI_SCALE")
			assert.True(t, known[name] || ofTests, "%s names %s, which nothing reads", path, name)
		}
	}
}

// variablesRead lists the constant arguments of Getenv in the programs.
func variablesRead(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(filepath.Join(rootFolder, "cmd"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			var name string
			switch function := call.Fun.(type) {
			case *ast.SelectorExpr:
				name = function.Sel.Name
			case *ast.Ident:
				name = function.Name
			}
			if text, ok := call.Args[0].(*ast.BasicLit); ok && strings.EqualFold(name, "getenv") {
				value, _ := strconv.Unquote(text.Value)
				names = append(names, value)
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
	require.Contains(t, names, "NO_COLOR")
	return names
}
