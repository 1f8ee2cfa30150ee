package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// An mcpClient is a program that starts MCP servers, and where it says which.
type mcpClient struct {
	name, title string
	key         string // the object of servers in its JSON file; empty: TOML
	typed       bool   // an entry names its transport
	// base finds the folder below which file is.
	base func(goos string, getenv func(string) string) (string, error)
	file string // with slashes
}

var clients = []mcpClient{
	{name: "claude-code", title: "Claude Code", key: "mcpServers", typed: true, base: here, file: ".mcp.json"},
	{name: "claude-desktop", title: "Claude Desktop", key: "mcpServers", base: appFolder, file: "Claude/claude_desktop_config.json"},
	{name: "codex", title: "Codex", base: codexFolder, file: "config.toml"},
	{name: "cursor", title: "Cursor", key: "mcpServers", base: homeFolder, file: ".cursor/mcp.json"},
	{name: "gemini", title: "Gemini CLI", key: "mcpServers", base: homeFolder, file: ".gemini/settings.json"},
	{name: "vscode", title: "VS Code", key: "servers", typed: true, base: appFolder, file: "Code/User/mcp.json"},
	{name: "windsurf", title: "Windsurf", key: "mcpServers", base: homeFolder, file: ".codeium/windsurf/mcp_config.json"},
}

func findClient(name string) (mcpClient, bool) {
	i := slices.IndexFunc(clients, func(c mcpClient) bool { return c.name == name })
	if i < 0 {
		return mcpClient{}, false
	}
	return clients[i], true
}

// clientNames are the answers to the fourth question.
func clientNames() []string {
	var names []string
	for _, client := range clients {
		names = append(names, client.name)
	}
	return append(names, "none")
}

func (c mcpClient) path(goos string, getenv func(string) string) (string, error) {
	base, err := c.base(goos, getenv)
	if err != nil {
		return "", err
	}
	return filepath.Join(base, filepath.FromSlash(c.file)), nil
}

func here(string, func(string) string) (string, error) { return os.Getwd() }

func homeFolder(goos string, getenv func(string) string) (string, error) {
	variable := "HOME"
	if goos == "windows" {
		variable = "USERPROFILE"
	}
	if home := getenv(variable); home != "" {
		return home, nil
	}
	return "", fmt.Errorf("%s is not set: name the client's file with --client-file", variable)
}

// appFolder is where programs with windows keep a user's settings.
func appFolder(goos string, getenv func(string) string) (string, error) {
	variable, below := "", ""
	switch goos {
	case "windows":
		variable = "APPDATA"
	case "darwin":
		below = "Library/Application Support"
	default:
		variable, below = "XDG_CONFIG_HOME", ".config"
	}
	if variable != "" {
		if folder := getenv(variable); folder != "" {
			return folder, nil
		}
		if below == "" {
			return "", fmt.Errorf("%s is not set: name the client's file with --client-file", variable)
		}
	}
	home, err := homeFolder(goos, getenv)
	return filepath.Join(home, filepath.FromSlash(below)), err
}

func codexFolder(goos string, getenv func(string) string) (string, error) {
	if folder := getenv("CODEX_HOME"); folder != "" {
		return folder, nil
	}
	home, err := homeFolder(goos, getenv)
	return filepath.Join(home, ".codex"), err
}

// A clientEntry is how a client starts the server.
type clientEntry struct {
	Command string
	Env     map[string]string
}

// errHasEntry is the refusal to replace what somebody may have written by hand.
var errHasEntry = errors.New("it has an entry 'ttai' already that says something else")

// plan makes the client's file as it will be: with the entry, and everything
// else as it was.
func (c mcpClient) plan(path string, entry clientEntry, replace bool) (plannedFile, error) {
	plan := plannedFile{path: path, mode: 0o600}
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return plan, err
	default:
		if info, err := os.Stat(path); err == nil {
			plan.mode = info.Mode().Perm()
		}
	}
	if c.key == "" {
		plan.text, plan.shown, err = c.toml(old, entry)
	} else {
		plan.text, plan.shown, err = c.json(old, entry, replace)
	}
	switch {
	case errors.Is(err, errHasEntry) && c.key != "":
		return plan, fmt.Errorf("%s: %w; --force replaces it", path, err)
	case err != nil:
		return plan, fmt.Errorf("%s: %w; nothing was written. Add this by hand:\n\n%s", path, err, plan.shown)
	}
	return plan, nil
}

// json puts the entry into an object of servers. What is shown is the entry
// alone: the rest is the user's, and may hold secrets.
func (c mcpClient) json(old []byte, entry clientEntry, replace bool) (text []byte, shown string, err error) {
	var one members
	if c.typed {
		one.set("type", "stdio")
	}
	one.set("command", entry.Command)
	if len(entry.Env) > 0 {
		one.set("env", entry.Env)
	}
	var servers, whole members
	servers.set("ttai", one.raw())
	whole.set(c.key, servers.raw())
	shown = string(whole.format())

	whole, err = parseMembers(old)
	if err != nil {
		return nil, shown, err
	}
	if servers, err = parseMembers(whole.get(c.key)); err != nil {
		return nil, shown, fmt.Errorf("%s: %w", c.key, err)
	}
	if there := servers.get("ttai"); there != nil {
		if sameJSON(there, one.raw()) {
			return old, shown, nil
		}
		if !replace {
			return nil, shown, errHasEntry
		}
	}
	servers.set("ttai", one.raw())
	whole.set(c.key, servers.raw())
	return whole.format(), shown, nil
}

func sameJSON(a, b json.RawMessage) bool {
	var one, other bytes.Buffer
	return json.Compact(&one, a) == nil && json.Compact(&other, b) == nil && bytes.Equal(one.Bytes(), other.Bytes())
}

// tomlEntry finds a table for ttai in whatever way it may be written.
var tomlEntry = regexp.MustCompile(`(?m)^\s*\[?\s*["']?mcp_servers["']?\s*(=|\.\s*["']?ttai["']?\s*[\].=])`)

// toml adds a table at the end, which is always allowed in TOML unless the
// table is there already.
func (c mcpClient) toml(old []byte, entry clientEntry) (text []byte, shown string, err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "[mcp_servers.ttai]\ncommand = %s\n", encode(entry.Command)) // a JSON string is a TOML string
	for name, value := range entry.Env {
		fmt.Fprintf(&b, "env = { %s = %s }\n", name, encode(value))
	}
	shown = b.String()
	if bytes.Contains(append(old, '\n'), []byte(shown)) {
		return old, shown, nil
	}
	if tomlEntry.Match(old) {
		return nil, shown, errHasEntry
	}
	if len(old) > 0 {
		old = append(bytes.TrimRight(old, "\n"), "\n\n"...)
	}
	return append(old, shown...), shown, nil
}
