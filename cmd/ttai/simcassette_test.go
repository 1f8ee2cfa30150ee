package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/simulator/cassette"
	"github.com/ttai-go/ttai/tastytrade"
)

// simulating runs 'ttai sim --json' until the test ends, and returns what it printed.
func simulating(t *testing.T, args ...string) addresses {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, print := io.Pipe()
	ended := make(chan int, 1)
	var problems strings.Builder
	go func() {
		code := run(ctx, append([]string{"sim", "--addr", "127.0.0.1:0", "--json"}, args...),
			app.IO{Out: print, Err: &problems, Environment: app.Environment{Getenv: func(string) string { return "" }}})
		print.Close()
		ended <- code
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	t.Cleanup(func() {
		cancel()
		assert.Equal(t, app.ExitOK, <-ended)
	})
	require.NoError(t, err, "%s", &problems)
	var at addresses
	require.NoError(t, json.Unmarshal(line, &at))
	return at
}

// changed writes a recording of the simulator in which the customer's first
// position is another one, so that nobody else could have answered it.
func changed(t *testing.T) (path string, tape *cassette.Cassette) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "tape.jsonl")
	_, problems, code := ttai(t, "", nil, "record", path, "--stream", "0s")
	require.Equal(t, app.ExitOK, code, problems)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), `"symbol":"AAPL"`)
	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(text), `"symbol":"AAPL"`, `"symbol":"ZZZZ"`)), 0o600))
	tape, err = cassette.ReadFile(path)
	require.NoError(t, err)
	return path, tape
}

func TestTheSimulatorPlaysARecording(t *testing.T) {
	path, tape := changed(t)
	at := simulating(t, "--cassette", path)
	assert.Equal(t, []string{"5WT00001", "5WT00002"}, at.Accounts, "the credentials reach the recorded accounts")
	assert.Contains(t, at.Note, "recording")
	assert.Equal(t, tape.Header.Recorded.Format("2006-01-02"), at.Now[:10], "the clock begins when it was recorded")

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{BaseURL: at.BaseURL, ClientSecret: at.ClientSecret, RefreshToken: at.RefreshToken})
	require.NoError(t, err)
	token, err := tokens.Token(t.Context())
	require.NoError(t, err)
	get := func(path, query, bearer string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at.BaseURL, nil)
		require.NoError(t, err)
		req.URL.Path, req.URL.RawQuery = path, query
		// Symbols of futures hold a slash, and options a space.
		req.URL.RawPath = strings.NewReplacer("//", "/%2F", "/./", "/.%2F", " ", "%20").Replace(path)
		req.Header.Set("User-Agent", "test/1")
		req.Header.Set("Authorization", "Bearer "+bearer)
		resp, err := client.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	played, asked := 0, map[string]int{}
	for _, e := range tape.Entries {
		if x := e.Exchange; x.Path != quoteTokenPath {
			asked[x.Path+"?"+x.Query]++
		}
	}
	for _, e := range tape.Entries {
		x := e.Exchange
		if asked[x.Path+"?"+x.Query] != 1 || x.Body == nil {
			continue
		}
		status, body := get(x.Path, x.Query, token.AccessToken)
		assert.Equal(t, x.Status, status, x.Path)
		assert.Equal(t, string(x.Body), body, x.Path)
		played++
	}
	assert.Greater(t, played, 30)

	t.Run("the client reads it", func(t *testing.T) {
		c, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: at.BaseURL})
		require.NoError(t, err)
		accounts, err := c.Accounts.List(t.Context())
		require.NoError(t, err)
		require.Len(t, accounts, 2)
		positions, err := c.Positions.List(t.Context(), accounts[0].Account.Number, nil)
		require.NoError(t, err)
		var symbols []string
		for _, p := range positions {
			symbols = append(symbols, p.Symbol)
		}
		assert.Contains(t, symbols, "ZZZZ", "no other than the recording has it")

		own, err := c.Positions.List(t.Context(), accounts[0].Account.Number, &tastytrade.PositionsOptions{IncludeMarks: true})
		require.NoError(t, err, "what was not recorded is the simulator's own")
		assert.Empty(t, own)
	})
	t.Run("what leads to the streams is never the recording's", func(t *testing.T) {
		status, body := get(quoteTokenPath, "", token.AccessToken)
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, body, strings.TrimPrefix(at.BaseURL, "http://")+"/dxlink")
	})
	t.Run("a recording is no reason to do without a token", func(t *testing.T) {
		status, _ := get("/customers/me/accounts", "", "none")
		assert.Equal(t, http.StatusUnauthorized, status)
	})
}

func TestARecordingThatCannotBeReadIsRefused(t *testing.T) {
	_, problems, code := ttai(t, "", nil, "sim", "--addr", "127.0.0.1:0", "--cassette", filepath.Join(t.TempDir(), "none.jsonl"))
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "none.jsonl")
}
