package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/sharedtest"
)

// Real bars read from a file, and the same file served by the simulator to the
// MCP server, give equal evidence on price at the same instant.
func TestRealBarsGiveEqualEvidenceDirectlyAndThroughTheSimulator(t *testing.T) {
	bars := sharedtest.Path(t, "data", "daily", "yahoo_spy_2005_2021.csv.gz")
	url := startSimulator(t, "--bars", bars)
	server := filepath.Join(t.TempDir(), "ttai-mcp")
	if runtime.GOOS == "windows" {
		server += ".exe"
	}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", server, "../ttai-mcp").CombinedOutput()
	require.NoError(t, err, string(out))

	for _, at := range []string{"2008-10-10", "2018-02-05", "2021-12-30"} {
		text, problems, code := ttai(t, "", nil, "analyze", "SPY", "--bars", bars, "--at", at, "--json")
		require.Equal(t, app.ExitOK, code, problems)
		var direct, served analysts.Analysis
		require.NoError(t, json.Unmarshal([]byte(text), &direct))
		require.NoError(t, json.Unmarshal(callAnalyst(t, server, url, at), &served))

		assert.True(t, direct.At.Equal(served.At), "%s: %s and %s", at, direct.At, served.At)
		compared := 0
		for _, e := range direct.Evidence {
			switch e.Group() {
			case analysts.GroupTrend, analysts.GroupMomentum, analysts.GroupVolatility, analysts.GroupLevels:
				other, ok := served.Find(e.ID)
				require.True(t, ok, "%s: the served analysis lacks %s", at, e.ID)
				assert.Equal(t, jsonOf(t, e), jsonOf(t, other), at)
				if e.Known() {
					compared++
				}
			}
		}
		assert.Greater(t, compared, 15, "too little evidence to compare")
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// startSimulator runs 'ttai sim' until the test ends and returns its base URL.
func startSimulator(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var problems bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, append([]string{"sim", "--addr", "127.0.0.1:0", "--json"}, args...), app.IO{
			Out: in, Err: &problems, Environment: app.Environment{Getenv: func(string) string { return "" }},
		})
		in.CloseWithError(io.EOF)
		ended <- code
	}()
	t.Cleanup(func() {
		cancel()
		assert.Equal(t, app.ExitOK, <-ended, problems.String())
	})
	var at addresses
	require.NoError(t, json.NewDecoder(out).Decode(&at))
	return at.BaseURL
}

// callAnalyst runs the server over stdio, as an MCP client does, and returns
// the analyst's structured answer.
func callAnalyst(t *testing.T, server, url, at string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, server, "--url", url)
	cmd.Env = append(cmd.Environ(), "TTAI_ENV=simulator")
	arguments := jsonOf(t, map[string]string{"symbol": "SPY", "at": at})
	cmd.Stdin = bytes.NewBufferString(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"0"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"analyst","arguments":` + arguments + `}}
`)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	require.NoError(t, err, problems.String())
	for _, line := range bytes.Split(out, []byte("\n")) {
		var message struct {
			ID     int
			Result struct {
				IsError           bool
				StructuredContent struct{ Analysis json.RawMessage }
			}
		}
		if json.Unmarshal(line, &message) == nil && message.ID == 2 {
			require.False(t, message.Result.IsError, string(line))
			return message.Result.StructuredContent.Analysis
		}
	}
	t.Fatalf("no answer: %s %s", out, problems.String())
	return nil
}
