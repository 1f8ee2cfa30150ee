// Package consumer checks what someone gets who adds the library to a bot of
// their own: a module outside the tree fetches it from a file-based proxy made
// of the tree, and builds.
package consumer

import (
	"archive/zip"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/deptest"
)

const version = "v0.0.1"

// bot is the twenty lines that a reader of the README would write.
const bot = `package main

import (
	"context"
	"fmt"
	"log"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/tastytrade"
)

func main() {
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{BaseURL: tastytrade.Sandbox, ClientSecret: "secret", RefreshToken: "token"})
	if err != nil {
		log.Fatal(err)
	}
	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: tastytrade.Sandbox})
	if err != nil {
		log.Fatal(err)
	}
	accounts, err := client.Accounts.List(context.Background())
	fmt.Println(accounts, err, indicators.RSI(nil, []float64{1, 2, 3}, 2))
}
`

// linked are the modules that the bot may link besides the standard library.
var linked = []string{
	deptest.Module,
	"github.com/coder/websocket",
	"github.com/hashicorp/go-cleanhttp",
	"github.com/hashicorp/go-retryablehttp",
	"github.com/shopspring/decimal",
	"golang.org/x/oauth2",
	"golang.org/x/sync",
	"golang.org/x/time",
	"gonum.org/v1/gonum",
}

// mostPackages bounds what the bot links, the standard library included.
const mostPackages = 260

// longest bounds fetching and building; a build takes seconds, and a hang is
// what this is for.
const longest = 4 * time.Minute

func TestABotOutsideTheTreeGetsTheLibraryAndBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module; left out in -short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	proxy := filepath.ToSlash(makeProxy(t))
	cache := strings.TrimSpace(goTool(ctx, t, ".", nil, "env", "GOMODCACHE"))
	if !strings.HasPrefix(proxy, "/") {
		proxy, cache = "/"+proxy, "/"+filepath.ToSlash(cache) // a drive letter
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(bot), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/bot\n\ngo 1.26.0\n"), 0o600))
	env := []string{
		// Other modules come from the cache of this module's own build.
		"GOPROXY=file://" + proxy + ",file://" + cache + "/cache/download",
		"GONOSUMDB=*", "GONOSUMCHECK=1", "GOFLAGS=-mod=mod -modcacherw", "GOWORK=off", "GOMODCACHE=" + t.TempDir(),
	}

	start := time.Now()
	goTool(ctx, t, dir, env, "get", deptest.Module+"@"+version)
	goTool(ctx, t, dir, env, "build", "-o", filepath.Join(dir, "bot"), ".")
	took := time.Since(start)

	packages := strings.Fields(goTool(ctx, t, dir, env, "list", "-deps", "."))
	modules := strings.Fields(goTool(ctx, t, dir, env, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "."))
	slices.Sort(modules)
	modules = slices.DeleteFunc(slices.Compact(modules), func(m string) bool { return m == "example.com/bot" })
	t.Logf("fetched and built in %.1f s; links %d packages of the modules %s", took.Seconds(), len(packages), strings.Join(modules, ", "))
	assert.Subset(t, linked, modules, "a program that imports the client links more modules than it should")
	assert.LessOrEqual(t, len(packages), mostPackages)
}

// makeProxy writes the tree into a folder in the layout of the module proxy protocol.
func makeProxy(t *testing.T) string {
	t.Helper()
	root := filepath.Join("..", "..")
	proxy := t.TempDir()
	dir := filepath.Join(proxy, filepath.FromSlash(deptest.Module), "@v")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, version+".mod"), mod, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, version+".info"), []byte(`{"Version":"`+version+`","Time":"2026-01-02T00:00:00Z"}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "list"), []byte(version+"\n"), 0o600))

	file, err := os.Create(filepath.Join(dir, version+".zip"))
	require.NoError(t, err)
	archive := zip.NewWriter(file)
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		w, err := archive.Create(deptest.Module + "@" + version + "/" + filepath.ToSlash(rel))
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	}))
	require.NoError(t, archive.Close())
	require.NoError(t, file.Close())
	return proxy
}

func goTool(ctx context.Context, t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	require.NoError(t, err, "go %s: %s", strings.Join(args, " "), problems.String())
	return string(out)
}
