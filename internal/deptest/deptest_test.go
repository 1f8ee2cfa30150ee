package deptest_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/deptest"
)

const root = "../.."

func TestImports(t *testing.T) { deptest.Check(t, deptest.Allow{}) }

func TestImportsOutsideTheListAreNamed(t *testing.T) {
	dir := t.TempDir()
	code := `package p
import (
	_ "fmt"
	_ "gonum.org/v1/gonum/mat"
	_ "github.com/ttai-go/ttai/market"
	_ "github.com/ttai-go/ttai/internal/occ"
)`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "p.go"), []byte(code), 0o600))
	all := deptest.Allow{Own: []string{"market", "internal/..."}, Modules: []string{"gonum.org/v1/gonum"}}
	assert.Empty(t, deptest.Problems(t, dir, all))
	assert.Len(t, deptest.Problems(t, dir, deptest.Allow{}), 3)
	stale := deptest.Allow{Own: []string{"market", "broker", "internal/..."}, Modules: []string{"gonum.org/v1/gonum"}}
	assert.Equal(t, []string{"nothing imports broker any more: take it off the list"}, deptest.Problems(t, dir, stale))
}

// Every package states its imports; commands and examples may import anything.
func TestEveryPackageStatesItsImports(t *testing.T) {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		first := strings.Split(filepath.ToSlash(rel), "/")[0]
		if name := entry.Name(); path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") || first == "cmd" || first == "examples" {
			return fs.SkipDir
		}
		files, err := filepath.Glob(filepath.Join(path, "*.go"))
		if err != nil {
			return err
		}
		code, stated := 0, false
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				code++
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			stated = stated || bytes.Contains(text, []byte("deptest.Check(t, "))
		}
		if code > 0 && !stated {
			t.Errorf("%s has no test that states its imports with deptest.Check", rel)
		}
		return nil
	})
	require.NoError(t, err)
}

// Nothing below cmd and examples is imported by anything else, and no binary
// links test code.
func TestNothingImportsCommandsAndNoBinaryLinksTests(t *testing.T) {
	deps := func(pattern string) string {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", pattern)
		cmd.Dir = root
		out, err := cmd.Output()
		require.NoError(t, err)
		return string(out)
	}
	binaries := deps("./cmd/...")
	for _, banned := range []string{"\ntesting\n", "github.com/stretchr/testify", "go.uber.org/goleak", "pgregory.net/rapid"} {
		assert.NotContains(t, binaries, banned, "a binary links it")
	}
	client := deps("./tastytrade")
	for _, heavy := range []string{"modelcontextprotocol", "jsonschema-go", "gonum.org", "alecthomas/kong", deptest.Module + "/market"} {
		assert.NotContains(t, client, heavy, "the client package links it")
	}
}
