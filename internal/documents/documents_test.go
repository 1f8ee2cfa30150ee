package documents

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{Modules: []string{"github.com/alecthomas/kong"}})
}

type declared struct {
	Look struct {
		Name string `arg:"" help:"What to look at."`
		Env  string `help:"One, or a|b." enum:"one,two" default:"one"`
		Deep bool   `help:"Look\n closely."`
		Odd  string `hidden:"" help:"Not for people."`
	} `cmd:"" help:"Looks."`
	Quiet struct{} `cmd:"" hidden:"" help:"Hidden."`
}

func model(t *testing.T) *kong.Application {
	t.Helper()
	parser, err := kong.New(&declared{}, kong.Name("eye"))
	require.NoError(t, err)
	return parser.Model
}

func TestEveryVisibleFlagIsDescribed(t *testing.T) {
	variable := func(flag string) string {
		if flag == "env" {
			return "EYE_ENV"
		}
		return ""
	}
	assert.Equal(t, "### `eye look <name>`\n\nLooks.\n\n| flag | default | variable | meaning |\n|---|---|---|---|\n"+
		"| `<name>` | | | What to look at. |\n| `--env one\\|two` | `one` | `EYE_ENV` | One, or a\\|b. |\n| `--deep` |  |  | Look closely. |\n\n",
		Commands(model(t), variable))
}

func TestAnOldPartOfADocumentIsWrittenAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.md")
	require.NoError(t, os.WriteFile(path, []byte("a\n<!-- generated: x -->\nold\n<!-- end: x -->\nb\n"), 0o600))
	Section(t, path, "x", "new\n", true)
	Section(t, path, "x", "new", false) // as it is now
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "a\n<!-- generated: x -->\n\nnew\n\n<!-- end: x -->\nb\n", string(text))
	assert.Contains(t, difference("\nold\n", "\nnew\n"), "code:     new")
}

func TestCommandsThatDoNotExistAreFoundInCodeOnly(t *testing.T) {
	document := "Use `eye look x --env two` or `eye blink`; eye roll is prose, `it is an eye socket` too.\n\n```sh\nA=b eye look --wide x | grep --color y\n./cmd/eye look --deep # --not-a-flag\n```\n\n    go run ./cmd/eye stare\n"
	var problems []string
	for _, code := range codeOf(document) {
		problems = append(problems, wrong(model(t), code)...)
	}
	assert.ElementsMatch(t, []string{"there is no command blink", "there is no flag --wide", "there is no command stare"}, problems)
}
