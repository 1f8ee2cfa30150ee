package main

import (
	"github.com/alecthomas/kong"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

type manCommand struct{}

// Help is shown below the flags.
func (manCommand) Help() string {
	return `Examples:
  ttai man > ttai.1 && man ./ttai.1
  ttai man > ~/.local/share/man/man1/ttai.1

'ttai-mcp --man' prints that of ttai-mcp.`
}

// Run prints the manual page that kong's model of the command line gives.
func (manCommand) Run(s *session, parsed *kong.Context) error {
	return app.WriteManual(s.std.Out, parsed.Model)
}
