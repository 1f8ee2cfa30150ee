package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

// ask runs one command line that answers by itself.
func ask(t *testing.T, args ...string) (out, problems string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, app.IO{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Environment: environment(nil)})
	return stdout.String(), stderr.String(), code
}

func TestAServerThatIsWellIsToldFromOneThatIsNot(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/healthz", r.URL.Path)
		w.WriteHeader(status)
	}))
	addr := server.Listener.Addr().String()
	_, problems, code := ask(t, "--check", addr)
	assert.Equal(t, app.ExitOK, code, problems)
	status = http.StatusInternalServerError
	_, problems, code = ask(t, "--check", addr)
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, problems, "500")
	server.Close()
	_, problems, code = ask(t, "--check", addr)
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, problems, "no server answers")
	_, problems, code = ask(t, "--check", "8765")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "HOST:PORT")
}

func TestCompletionsAndManualPageAreOfThisProgram(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		out, problems, code := ask(t, "--completion", shell)
		require.Equal(t, app.ExitOK, code, problems)
		assert.Contains(t, out, "toolsets", shell)
		assert.Contains(t, out, "analytics", shell)
	}
	_, problems, code := ask(t, "--completion", "tcsh")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "fish")
	out, _, code := ask(t, "--man")
	assert.Equal(t, app.ExitOK, code)
	assert.Contains(t, out, `.TH "TTAI\-MCP" 1`)
	assert.Contains(t, out, `\fB\-\-read\-only\fR`)
}

// manifest is what the tests read of the bundle's description.
type manifest struct {
	Description string
	Tools       []struct{ Name, Description string }
	Server      struct {
		MCPConfig struct {
			Env map[string]string
		} `json:"mcp_config"`
	}
	UserConfig map[string]struct {
		Default   *string
		Sensitive bool
	} `json:"user_config"`
}

func readJSON(t *testing.T, into any, path ...string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, into), path)
}

func TestTheBundleDescribesTheToolsThatTheServerHas(t *testing.T) {
	var described manifest
	readJSON(t, &described, "deploy", "manifest.json")
	var out bytes.Buffer
	code := run(t.Context(), nil, app.IO{In: strings.NewReader(session + `{"jsonrpc":"2.0","id":2,"method":"tools/list"}` + "\n"), Out: &out, Err: io.Discard, Environment: environment(nil)})
	require.Equal(t, app.ExitOK, code)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var answer struct {
		Result struct {
			Tools []struct{ Name, Description string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &answer))
	require.NotEmpty(t, answer.Result.Tools)
	assert.Equal(t, answer.Result.Tools, described.Tools)
}

// A client puts what the user typed into the variables, and leaves the
// placeholder itself where a setting has no default: that would be a credential
// named "${user_config.client_secret}".
func TestWhatAnInstallerAsksForIsASettingAndEmptyUnlessTyped(t *testing.T) {
	var described manifest
	readJSON(t, &described, "deploy", "manifest.json")
	var published struct {
		Packages []struct {
			EnvironmentVariables []struct {
				Name     string
				IsSecret bool
			}
		}
	}
	readJSON(t, &published, "server.json")
	secrets := []string{"TTAI_CLIENT_SECRET", "TTAI_REFRESH_TOKEN"}
	known := map[string]bool{}
	for _, flag := range []string{"env", "accounts", "client-secret", "refresh-token"} {
		setting, ok := app.SettingOf(flag)
		require.True(t, ok, flag)
		known[setting.Variable] = true
	}

	typed := map[string]string{}
	for variable, value := range described.Server.MCPConfig.Env {
		assert.True(t, known[variable], variable)
		key, found := strings.CutPrefix(value, "${user_config.")
		require.True(t, found, value)
		question, asked := described.UserConfig[strings.TrimSuffix(key, "}")]
		require.True(t, asked, value)
		require.NotNil(t, question.Default, "%s needs a default", key)
		typed[variable] = *question.Default
		assert.Equal(t, slices.Contains(secrets, variable), question.Sensitive, variable)
	}
	assert.Len(t, typed, len(known))
	var problems bytes.Buffer
	code := run(context.WithoutCancel(t.Context()), nil, app.IO{In: strings.NewReader(session), Out: io.Discard, Err: &problems, Environment: environment(typed)})
	assert.Equal(t, app.ExitOK, code, "an installation in which nothing was typed runs: %s", problems.String())

	require.Len(t, published.Packages, 2)
	for _, p := range published.Packages {
		require.Len(t, p.EnvironmentVariables, len(known))
		for _, variable := range p.EnvironmentVariables {
			assert.True(t, known[variable.Name], variable.Name)
			assert.Equal(t, slices.Contains(secrets, variable.Name), variable.IsSecret, variable.Name)
		}
	}
}
