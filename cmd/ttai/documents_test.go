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

var update = flag.Bool("update", false, "write the commands as they are to docs")

// declaration is the model of the command line that people type.
func declaration(t *testing.T) *kong.Application {
	t.Helper()
	parser, err := kong.New(&commands{}, kong.Name("ttai"), kong.Description(description))
	require.NoError(t, err)
	return parser.Model
}

func variable(flag string) string {
	setting, _ := app.SettingOf(flag)
	return setting.Variable
}

func TestDocumentsListEveryCommandAndFlag(t *testing.T) {
	documents.Section(t, filepath.Join("..", "..", "docs", "configuration.md"), "ttai", documents.Commands(declaration(t), variable), *update)
}

func TestDocumentsNameOnlyCommandsAndFlagsThatExist(t *testing.T) {
	root := filepath.Join("..", "..")
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	documents.Mentions(t, declaration(t), append(pages, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md"))...)
}
