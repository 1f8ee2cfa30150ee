package main

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/documents"
)

var update = flag.Bool("update", false, "write the flags as they are to docs")

func declaration(t *testing.T) *kong.Application {
	t.Helper()
	parser, err := kong.New(&flags{}, kong.Name("ttai-scheduler"), kong.Description(description))
	require.NoError(t, err)
	return parser.Model
}

func TestDocumentsListEveryFlag(t *testing.T) {
	variable := func(flag string) string {
		setting, _ := app.SettingOf(flag)
		return setting.Variable
	}
	documents.Section(t, filepath.Join("..", "..", "docs", "scheduler.md"), "ttai-scheduler", documents.Commands(declaration(t), variable), *update)
}

func TestDocumentsNameOnlyFlagsThatExist(t *testing.T) {
	root := filepath.Join("..", "..")
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	documents.Mentions(t, declaration(t), append(pages, filepath.Join(root, "README.md"))...)
}
