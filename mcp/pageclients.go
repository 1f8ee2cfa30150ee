package mcp

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A snippet is something to paste into a client's configuration.
type snippet struct{ ID, Client, Where, Text string }

// tokenPlace stands for the token, which the page does not contain.
const tokenPlace = "PASTE-THE-TOKEN"

// snippets are the configurations of the usual clients.
func (p *page) snippets(r *http.Request) []snippet {
	command, args := p.opts.Command[0], p.opts.Command[1:]
	type local struct {
		Type    string            `json:"type,omitempty"`
		Command string            `json:"command"`
		Args    []string          `json:"args,omitempty"`
		Env     map[string]string `json:"env,omitempty"`
	}
	type remote struct {
		Type    string            `json:"type"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers,omitempty"`
	}
	name := p.Server.opts.Name
	line := "claude mcp add " + word(name)
	for _, key := range slices.Sorted(maps.Keys(p.opts.Env)) {
		line += " --env " + word(key+"="+p.opts.Env[key])
	}
	line += " --"
	for _, part := range p.opts.Command {
		line += " " + word(part)
	}
	address := scheme(r) + "://" + r.Host + p.opts.Endpoint
	there := remote{Type: "http", URL: address}
	byAddress := "claude mcp add --transport http " + word(name) + " " + word(address)
	if p.authenticates() {
		there.Headers = map[string]string{"Authorization": "Bearer " + tokenPlace}
		byAddress += ` --header "Authorization: Bearer ` + tokenPlace + `"`
	}
	servers := func(key string, server any) string { return pretty(map[string]any{key: map[string]any{name: server}}) }
	return []snippet{
		{"claude-code", "Claude Code", "in a terminal", line},
		{"desktop", "Claude Desktop, Cursor and most others", "in claude_desktop_config.json, .cursor/mcp.json or .mcp.json", servers("mcpServers", local{Command: command, Args: args, Env: p.opts.Env})},
		{"vscode", "Visual Studio Code", "in .vscode/mcp.json", servers("servers", local{Type: "stdio", Command: command, Args: args, Env: p.opts.Env})},
		{"address-line", "Claude Code, to this running server", "in a terminal", byAddress},
		{"address", "Other clients, to this running server", "in the client's configuration", servers("mcpServers", there)},
	}
}

// word quotes what a shell would take apart.
func word(text string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:=,@[]", c)
	}
	if text != "" && strings.IndexFunc(text, func(c rune) bool { return !plain(c) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func pretty(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err.Error() // maps of text do not fail
	}
	return strings.TrimSpace(b.String())
}
