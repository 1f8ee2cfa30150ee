package main

import (
	"github.com/alecthomas/kong"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is shown below the flags.
func (completionCommand) Help() string {
	return `Examples:
  bash:  ttai completion bash > ~/.local/share/bash-completion/completions/ttai
  zsh:   ttai completion zsh > "${fpath[1]}/_ttai"
  fish:  ttai completion fish > ~/.config/fish/completions/ttai.fish

A new shell knows them. 'ttai-mcp --completion SHELL' prints those of ttai-mcp.`
}

// Run prints the completions that kong's model of the command line gives.
func (c completionCommand) Run(s *session, parsed *kong.Context) error {
	return app.WriteCompletion(s.std.Out, c.Shell, parsed.Model)
}
