package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

const session = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"0"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
`

func environment(values map[string]string) app.Environment {
	return app.Environment{Getenv: func(name string) string { return values[name] }}
}

func TestCallsThatCameBeforeTheInputClosedAreAnswered(t *testing.T) {
	defer goleak.VerifyNone(t)
	var out, problems bytes.Buffer
	code := run(t.Context(), nil, app.IO{
		In:  strings.NewReader(session + `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"quote","arguments":{"symbols":"[\"SPY\",\"QQQ\"]"}}}` + "\n"),
		Out: &out, Err: &problems, Environment: environment(nil),
	})
	require.Equal(t, app.ExitOK, code, problems.String())
	assert.Regexp(t, "^ttai-mcp: nothing is configured, so this is the simulator: .*'ttai init'.*\n$", problems.String(), "one line of orientation")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 2, "one answer a request and nothing else on standard output")
	var answer struct {
		Result struct {
			StructuredContent struct {
				Environment, Notice string
				Quotes              []struct{ Symbol string }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &answer))
	assert.Equal(t, "simulator", answer.Result.StructuredContent.Environment)
	assert.Contains(t, answer.Result.StructuredContent.Notice, "synthetic")
	require.Len(t, answer.Result.StructuredContent.Quotes, 2)
	assert.Equal(t, "QQQ", answer.Result.StructuredContent.Quotes[1].Symbol)
}

func TestWhoHasSettingsIsToldNothingTheyKnow(t *testing.T) {
	var out, problems bytes.Buffer
	code := run(t.Context(), nil, app.IO{In: strings.NewReader(session), Out: &out, Err: &problems, Environment: environment(map[string]string{"TTAI_ENV": "simulator"})})
	assert.Equal(t, app.ExitOK, code)
	assert.Empty(t, problems.String())
}

func TestAnInputThatIsClosedFromTheStartIsExplained(t *testing.T) {
	var out, problems bytes.Buffer
	code := run(t.Context(), nil, app.IO{In: strings.NewReader(""), Out: &out, Err: &problems, Environment: environment(nil)})
	assert.Equal(t, app.ExitOK, code)
	assert.Empty(t, out.String())
	assert.Contains(t, problems.String(), "--http")
}

func TestWrongSettingsAreNamedAndNothingStarts(t *testing.T) {
	for want, args := range map[string][]string{
		"toolsets":            {"--toolsets", "casino"},
		"HOST:PORT":           {"--http", "nowhere"},
		"a host":              {"--http", ":8765"},
		"TTAI_CLIENT_SECRET":  {"--env", "production"},
		"simulator, sandbox":  {"--env", "prod"},
		"no simulator answer": {"--url", "http://127.0.0.1:1"},
	} {
		var out, problems bytes.Buffer
		code := run(t.Context(), args, app.IO{In: strings.NewReader(""), Out: &out, Err: &problems, Environment: environment(nil)})
		assert.NotEqual(t, app.ExitOK, code, "%v", args)
		assert.Contains(t, strings.ToLower(problems.String()), strings.ToLower(want), "%v", args)
		assert.Empty(t, out.String(), "%v", args)
	}
}

func TestHTTPIsServedToThoseWhoHaveTheLinkAndToNobodyElse(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(t.Context())
	problems, written := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"--http", "127.0.0.1:0"}, app.IO{In: strings.NewReader(""), Out: io.Discard, Err: written, Environment: environment(nil)})
		written.Close()
	}()
	link := readLink(t, problems)
	go io.Copy(io.Discard, problems)
	base, token, _ := strings.Cut(link, "?token=")
	client := &http.Client{Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()

	post := func(url string, change func(*http.Request)) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(strings.SplitN(session, "\n", 2)[0]))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		if change != nil {
			change(req)
		}
		resp, err := client.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	status, body := post(link, nil)
	assert.Equal(t, http.StatusOK, status, body)
	assert.Contains(t, body, "serverInfo")
	status, _ = post(base, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
	assert.Equal(t, http.StatusOK, status)
	for name, change := range map[string]func(*http.Request){
		"no token":     nil,
		"wrong token":  func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+strings.Repeat("x", len(token))) },
		"wrong scheme": func(r *http.Request) { r.Header.Set("Authorization", "Basic "+token) },
	} {
		status, body := post(base, change)
		assert.Equal(t, http.StatusUnauthorized, status, name)
		assert.NotContains(t, body, token, name)
	}
	status, _ = post(link, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") })
	assert.Equal(t, http.StatusForbidden, status, "a foreign page")
	status, _ = post(link, func(r *http.Request) { r.Host = "evil.example" })
	assert.Equal(t, http.StatusForbidden, status, "a rebound name")

	cancel()
	assert.Equal(t, app.ExitOK, <-ended)
}

// readLink reads what the program prints until the link has come.
func readLink(t *testing.T, from io.Reader) string {
	t.Helper()
	link := regexp.MustCompile(`http://\S+\?token=\w+\s`)
	var text []byte
	buffer := make([]byte, 1024)
	for {
		n, err := from.Read(buffer)
		text = append(text, buffer[:n]...)
		if found := link.Find(text); found != nil {
			return strings.TrimSpace(string(found))
		}
		require.NoError(t, err, string(text))
	}
}
