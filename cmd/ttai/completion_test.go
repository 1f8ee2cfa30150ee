package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

func TestCompletionsAndManualPageKnowEveryCommand(t *testing.T) {
	parser, err := kong.New(&commands{}, kong.Name("ttai"))
	require.NoError(t, err)
	pages := map[string]string{}
	for name, args := range map[string][]string{"bash": {"completion", "bash"}, "zsh": {"completion", "zsh"}, "fish": {"completion", "fish"}, "man": {"man"}} {
		out, problems, code := ttai(t, "", nil, args...)
		require.Equal(t, app.ExitOK, code, problems)
		pages[name] = strings.ReplaceAll(out, `\-`, "-")
	}
	require.Greater(t, len(parser.Model.Children), 5)
	for _, command := range parser.Model.Children {
		for name, page := range pages {
			assert.Contains(t, page, command.Name, name)
			for _, flag := range command.Flags {
				assert.Contains(t, page, flag.Name, "%s of %s in %s", flag.Name, command.Name, name)
			}
		}
	}
	_, problems, code := ttai(t, "", nil, "completion", "tcsh")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "fish")
}
