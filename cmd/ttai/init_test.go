package main

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

const (
	clientSecret = "s3cret-of-the-client"
	refreshToken = "t0ken-of-the-grant"
)

// machine is a computer to set up: a home, variables, and nothing else.
type machine struct {
	t         *testing.T
	home      string
	variables map[string]string
}

func newMachine(t *testing.T) machine {
	t.Helper()
	t.Chdir(t.TempDir())
	home := t.TempDir()
	return machine{t: t, home: home, variables: map[string]string{
		"HOME": home, "USERPROFILE": home, "APPDATA": filepath.Join(home, "AppData"),
	}}
}

func (m machine) environment() app.Environment {
	return app.Environment{Getenv: func(name string) string { return m.variables[name] }, ConfigDir: filepath.Join(m.home, "settings", "ttai")}
}

func (m machine) configPath() string { return filepath.Join(m.environment().ConfigDir, "config.json") }

// init runs 'ttai init' without a terminal.
func (m machine) init(args ...string) (out, problems string, code int) {
	m.t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(m.t.Context(), append([]string{"init"}, args...), app.IO{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Environment: m.environment()})
	assert.NotContains(m.t, stdout.String()+stderr.String(), clientSecret)
	assert.NotContains(m.t, stdout.String()+stderr.String(), refreshToken)
	return stdout.String(), stderr.String(), code
}

// answer runs it with somebody who gives these answers.
func (m machine) answer(c initCommand, lines ...string) (out string, told []string, err error) {
	m.t.Helper()
	sources, err := m.environment().Sources()
	require.NoError(m.t, err)
	if c.Env == "" {
		c.Env = sources.Lookup("env") // as the command line's resolver does
	}
	if accounts := sources.Lookup("accounts"); accounts != "" {
		c.Accounts = strings.Split(accounts, ",")
	}
	var stdout, stderr bytes.Buffer
	person := &person{lines: lines}
	s := &session{ctx: m.t.Context(), sources: sources, std: app.IO{Out: &stdout, Err: &stderr, Environment: m.environment()}}
	err = c.run(map[string]bool{}, s, person, true)
	said := stdout.String() + stderr.String() + strings.Join(person.told, "\n")
	assert.NotContains(m.t, said, clientSecret)
	assert.NotContains(m.t, said, refreshToken)
	return stdout.String(), person.told, err
}

func (m machine) config() map[string]any {
	m.t.Helper()
	var values map[string]any
	text, err := os.ReadFile(m.configPath())
	require.NoError(m.t, err)
	require.NoError(m.t, json.Unmarshal(text, &values))
	return values
}

// person answers line by line; an empty line takes what is offered.
type person struct {
	lines, told []string
}

func (p *person) next() (string, error) {
	if len(p.lines) == 0 {
		return "", errUnanswered
	}
	text := p.lines[0]
	p.lines = p.lines[1:]
	return text, nil
}

func (p *person) line(question, usual string) (string, error) {
	p.told = append(p.told, question+" ["+usual+"]")
	text, err := p.next()
	if text == "" {
		text = usual
	}
	return text, err
}

func (p *person) secret(question, offer string) (string, error) {
	p.told = append(p.told, question+" ["+offer+"]")
	return p.next()
}

func (p *person) say(text string) { p.told = append(p.told, text) }

func TestFourAnswersSetUpAnAccountAndAClient(t *testing.T) {
	m := newMachine(t)
	out, _, err := m.answer(initCommand{}, "production", clientSecret, refreshToken, "5wt00001, 5WT00002", "cursor")
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"env": "production", "client_secret": clientSecret, "refresh_token": refreshToken, "accounts": []any{"5WT00001", "5WT00002"},
	}, m.config())
	if runtime.GOOS != "windows" {
		info, err := os.Stat(m.configPath())
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	}
	text, err := os.ReadFile(filepath.Join(m.home, ".cursor", "mcp.json"))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"ttai": {`)
	assert.NotContains(t, string(text), clientSecret)
	assert.NotContains(t, string(text), refreshToken)
	assert.Contains(t, out, "never traded")
	assert.Contains(t, out, "ttai doctor")

	// The other commands understand what was written.
	sources, err := m.environment().Sources()
	require.NoError(t, err)
	config, err := app.Config{Env: sources.Lookup("env")}.Complete(sources)
	require.NoError(t, err)
	assert.Equal(t, refreshToken, config.RefreshToken)
}

func TestEnterTakesWhatIsOfferedAndASecondRunChangesNothing(t *testing.T) {
	m := newMachine(t)
	out, told, err := m.answer(initCommand{}, "", "")
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"env": "simulator"}, m.config())
	assert.Contains(t, told[0], "[simulator]")
	assert.Contains(t, told[len(told)-1], "[none]")
	assert.Contains(t, out, "ttai-mcp")

	_, _, err = m.answer(initCommand{}, "sandbox", clientSecret, refreshToken, "5WT00001", "codex")
	require.NoError(t, err)
	before := m.config()
	out, told, err = m.answer(initCommand{}, "", "", "", "", "")
	require.NoError(t, err)
	assert.Equal(t, before, m.config())
	assert.Equal(t, 2, strings.Count(out, "needs no change"), out)
	assert.Contains(t, strings.Join(told, "\n"), "the one of config.json")
}

func TestAWrongAnswerIsExplainedAndAskedAgain(t *testing.T) {
	m := newMachine(t)
	_, told, err := m.answer(initCommand{}, "live", "sandbox", "", clientSecret, refreshToken, "5WT 00001!", "all", "emacs", "none")
	require.NoError(t, err)
	all := strings.Join(told, "\n")
	assert.Contains(t, all, "simulator, sandbox or production")
	assert.Contains(t, all, "docs/getting-started.md", "a secret that was not given")
	assert.Contains(t, all, "5WT00001, separated")
	assert.Contains(t, all, "windsurf, none")
	assert.NotContains(t, m.config(), "accounts")
}

func TestAGrantOfAnotherEnvironmentIsNotOffered(t *testing.T) {
	m := newMachine(t)
	_, _, err := m.answer(initCommand{}, "sandbox", clientSecret, refreshToken, "5WT00001", "none")
	require.NoError(t, err)
	_, told, err := m.answer(initCommand{}, "production", "other-secret", "other-token", "", "none")
	require.NoError(t, err)
	assert.NotContains(t, strings.Join(told, "\n"), "the one of")
	assert.NotContains(t, m.config(), "accounts", "nor are the accounts")

	_, problems, code := m.init("--env", "sandbox")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "not interchangeable")
	assert.Equal(t, "production", m.config()["env"], "nothing was written")
}

func TestWhatInitDoesNotKnowAboutStays(t *testing.T) {
	m := newMachine(t)
	require.NoError(t, os.MkdirAll(filepath.Dir(m.configPath()), 0o700))
	require.NoError(t, os.WriteFile(m.configPath(), []byte(`{"seed":18446744073709551615,"url":"http://127.0.0.1:8766","toolsets":["market"]}`), 0o644))
	settings := filepath.Join(m.home, "editor.json")
	require.NoError(t, os.WriteFile(settings, []byte(`{"theme":"<dark> & quiet","mcpServers":{"other":{"command":"x","env":{"KEY":"1e400"}}},"last":1.10}`), 0o640))
	m.variables["TTAI_CLIENT_SECRET"], m.variables["TTAI_REFRESH_TOKEN"] = clientSecret, refreshToken

	out, problems, code := m.init("--env", "sandbox", "--client", "gemini", "--client-file", settings)
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "removed url")
	text, err := os.ReadFile(m.configPath())
	require.NoError(t, err)
	assert.Contains(t, string(text), `"seed": 18446744073709551615`)
	assert.Contains(t, string(text), `"market"`)
	assert.NotContains(t, string(text), "8766")
	text, err = os.ReadFile(settings)
	require.NoError(t, err)
	for _, kept := range []string{`"theme": "<dark> & quiet"`, `"KEY": "1e400"`, `"last": 1.10`, `"other": {`} {
		assert.Contains(t, string(text), kept)
	}
	assert.Less(t, strings.Index(string(text), "theme"), strings.Index(string(text), "mcpServers"), "the order is the user's")
	if runtime.GOOS != "windows" {
		info, err := os.Stat(settings)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o640), info.Mode().Perm())
		info, err = os.Stat(m.configPath())
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), "secrets came in")
	}
}

func TestADryRunShowsBothFilesWithoutSecretsAndWritesNothing(t *testing.T) {
	m := newMachine(t)
	m.variables["TTAI_CLIENT_SECRET"], m.variables["TTAI_REFRESH_TOKEN"] = clientSecret, refreshToken
	out, problems, code := m.init("--env", "production", "--accounts", "5WT00001", "--client", "vscode", "--print")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, `"client_secret": "…"`)
	assert.Contains(t, out, `"5WT00001"`)
	assert.Contains(t, out, `"servers": {`)
	assert.Contains(t, out, "Nothing was written")
	left, err := filepath.Glob(filepath.Join(m.home, "*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestWithoutATerminalWhatIsMissingIsNamed(t *testing.T) {
	for want, args := range map[string][]string{
		"--env with":        nil,
		"env: \"moon\"":     {"--env", "moon"},
		"TTAI_CLIENT_SECRE": {"--env", "sandbox"},
		"client: \"emacs\"": {"--env", "simulator", "--client", "emacs"},
		"accounts":          {"--env", "simulator", "--accounts", "no;pe"},
		"--client-file":     {"--env", "simulator", "--client-file", "x.json"},
		"command":           {"--env", "simulator", "--client", "cursor", "--command", "not-there"},
	} {
		m := newMachine(t)
		_, problems, code := m.init(args...)
		assert.Equal(t, app.ExitUsage, code, "%v: %s", args, problems)
		assert.Contains(t, problems, want)
		_, err := os.Stat(m.configPath())
		assert.ErrorIs(t, err, fs.ErrNotExist, "%v", args)
	}
}

func TestACopiedSecretWithALineBreakIsRefusedWithoutShowingIt(t *testing.T) {
	m := newMachine(t)
	m.variables["TTAI_CLIENT_SECRET"], m.variables["TTAI_REFRESH_TOKEN"] = clientSecret, refreshToken+"\nBearer"
	_, problems, code := m.init("--env", "sandbox")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "one word")
}

func TestAnInputThatEndsWritesNothing(t *testing.T) {
	m := newMachine(t)
	_, _, err := m.answer(initCommand{}, "production", clientSecret)
	require.ErrorIs(t, err, errUnanswered)
	_, err = os.Stat(m.configPath())
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestAClientFileThatCannotBeEditedSafelyIsLeftAlone(t *testing.T) {
	for name, row := range map[string]struct{ client, text, want string }{
		"comments":       {"cursor", "{\n  // mine\n  \"mcpServers\": {}\n}\n", "by hand"},
		"a list":         {"cursor", "[]", "not a JSON object"},
		"another entry":  {"cursor", `{"mcpServers":{"ttai":{"command":"/old/ttai-mcp","args":["--read-only"]}}}`, "--force"},
		"a TOML table":   {"codex", "[mcp_servers.ttai]\ncommand = \"/old\"\n", "by hand"},
		"an inline TOML": {"codex", "mcp_servers = { other = { command = \"x\" } }\n", "by hand"},
		"a quoted table": {"codex", "[mcp_servers.\"ttai\".env]\nA = \"b\"\n", "by hand"},
	} {
		m := newMachine(t)
		path := filepath.Join(m.home, "client")
		require.NoError(t, os.WriteFile(path, []byte(row.text), 0o600))
		_, problems, code := m.init("--env", "simulator", "--client", row.client, "--client-file", path)
		assert.Equal(t, app.ExitError, code, "%s: %s", name, problems)
		assert.Contains(t, problems, row.want, name)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, row.text, string(text), name)
		_, err = os.Stat(m.configPath())
		assert.ErrorIs(t, err, fs.ErrNotExist, "%s: config.json came without the client", name)
	}
}

func TestAnEntryIsReplacedWhenAsked(t *testing.T) {
	m := newMachine(t)
	path := filepath.Join(m.home, "client")
	old := []byte(`{"mcpServers":{"ttai":{"command":"/old/ttai-mcp"}}}`)
	require.NoError(t, os.WriteFile(path, old, 0o600))
	_, problems, code := m.init("--env", "simulator", "--client", "cursor", "--client-file", path, "--force")
	require.Equal(t, app.ExitOK, code, problems)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "/old")

	require.NoError(t, os.WriteFile(path, old, 0o600))
	_, _, err = m.answer(initCommand{ClientFile: path}, "", "cursor", "no")
	require.ErrorIs(t, err, errHasEntry)
	_, told, err := m.answer(initCommand{ClientFile: path}, "", "cursor", "yes")
	require.NoError(t, err)
	assert.Contains(t, told[len(told)-1], "Replace it")
}

func TestATOMLFileKeepsWhatItHasAndGetsATable(t *testing.T) {
	m := newMachine(t)
	path := filepath.Join(m.home, "config.toml")
	require.NoError(t, os.WriteFile(path, []byte("# mine\nmodel = \"x\"\n\n[mcp_servers.other]\ncommand = \"y\""), 0o600))
	_, problems, code := m.init("--env", "simulator", "--client", "codex", "--client-file", path)
	require.Equal(t, app.ExitOK, code, problems)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Regexp(t, `(?s)^# mine\nmodel = "x"\n\n\[mcp_servers.other\]\ncommand = "y"\n\n\[mcp_servers.ttai\]\ncommand = "[^"]*ttai-mcp[^"]*"\n$`, string(text))
	out, _, code := m.init("--env", "simulator", "--client", "codex", "--client-file", path)
	assert.Equal(t, app.ExitOK, code)
	assert.Equal(t, 2, strings.Count(out, "needs no change"))
}

func TestALinkToASettingsFileStaysALink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need rights on Windows")
	}
	m := newMachine(t)
	target := filepath.Join(m.home, "dotfiles.json")
	require.NoError(t, os.WriteFile(target, nil, 0o600))
	path := filepath.Join(m.home, "mcp.json")
	require.NoError(t, os.Symlink(target, path))
	_, problems, code := m.init("--env", "simulator", "--client", "cursor", "--client-file", path)
	require.Equal(t, app.ExitOK, code, problems)
	info, err := os.Lstat(path)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&fs.ModeSymlink)
	text, err := os.ReadFile(target)
	require.NoError(t, err)
	assert.Contains(t, string(text), "ttai")
}

func TestEveryClientsFileIsWhereItsDocumentationSays(t *testing.T) {
	folder, err := os.Getwd()
	require.NoError(t, err)
	windows := map[string]string{"USERPROFILE": `C:\Users\u`, "APPDATA": `C:\Users\u\AppData\Roaming`}
	unix := map[string]string{"HOME": "/u"}
	for _, row := range []struct {
		client, goos string
		env          map[string]string
		want         string
	}{
		{"claude-desktop", "darwin", unix, "/u/Library/Application Support/Claude/claude_desktop_config.json"},
		{"claude-desktop", "linux", unix, "/u/.config/Claude/claude_desktop_config.json"},
		{"claude-desktop", "linux", map[string]string{"HOME": "/u", "XDG_CONFIG_HOME": "/x"}, "/x/Claude/claude_desktop_config.json"},
		{"claude-desktop", "windows", windows, filepath.Join(windows["APPDATA"], "Claude", "claude_desktop_config.json")},
		{"claude-code", "linux", unix, filepath.Join(folder, ".mcp.json")},
		{"cursor", "windows", windows, filepath.Join(windows["USERPROFILE"], ".cursor", "mcp.json")},
		{"vscode", "darwin", unix, "/u/Library/Application Support/Code/User/mcp.json"},
		{"vscode", "linux", unix, "/u/.config/Code/User/mcp.json"},
		{"windsurf", "linux", unix, "/u/.codeium/windsurf/mcp_config.json"},
		{"gemini", "linux", unix, "/u/.gemini/settings.json"},
		{"codex", "linux", unix, "/u/.codex/config.toml"},
		{"codex", "linux", map[string]string{"CODEX_HOME": "/c"}, "/c/config.toml"},
	} {
		client, ok := findClient(row.client)
		require.True(t, ok, row.client)
		got, err := client.path(row.goos, func(name string) string { return row.env[name] })
		require.NoError(t, err)
		assert.Equal(t, filepath.FromSlash(row.want), got, "%s on %s", row.client, row.goos)
	}
	for _, client := range clients {
		if client.name == "claude-code" {
			continue
		}
		_, err := client.path("windows", func(string) string { return "" })
		assert.ErrorContains(t, err, "--client-file", client.name)
	}
}

// The client library of the protocol starts servers with a few variables only.
func TestAConfigurationFolderElsewhereIsPassedOn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("XDG_CONFIG_HOME is Linux's")
	}
	m := newMachine(t)
	m.variables["XDG_CONFIG_HOME"] = "/somewhere/else"
	path := filepath.Join(m.home, "mcp.json")
	for _, client := range []string{"cursor", "codex"} {
		os.Remove(path)
		_, problems, code := m.init("--env", "simulator", "--client", client, "--client-file", path)
		require.Equal(t, app.ExitOK, code, problems)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Regexp(t, `"?XDG_CONFIG_HOME"?( =|:) "/somewhere/else"`, string(text))
	}
}

// The next question may hide its answer, so no byte of it may be taken early.
func TestALineIsReadToItsEndAndNoFurther(t *testing.T) {
	in := strings.NewReader("first\r\nsecond\nrest")
	for _, want := range []string{"first", "second"} {
		got, err := readLine(in)
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
	}
	_, err := readLine(in)
	require.ErrorIs(t, err, io.EOF, "a line without its end is no answer")
}
