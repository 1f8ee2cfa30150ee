package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/mcp"
)

func TestThePrintedPageOpensAndTheTokenLeavesItsAddress(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(t.Context())
	problems, written := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"--http", "127.0.0.1:0"}, app.IO{In: strings.NewReader(""), Out: io.Discard, Err: written, Environment: environment(nil)})
		written.Close()
	}()
	var text bytes.Buffer
	link := ""
	for buffer := make([]byte, 1024); link == ""; {
		n, err := problems.Read(buffer)
		text.Write(buffer[:n])
		link = strings.TrimSpace(string(regexp.MustCompile(`http://[^/\s]+/\?token=\w+\s`).Find(text.Bytes())))
		if link == "" {
			require.NoError(t, err, text.String())
		}
	}
	go io.Copy(io.Discard, problems)

	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Timeout: 20 * time.Second, Jar: jar}
	defer client.CloseIdleConnections()
	get := func(address string) (*http.Response, string) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		require.NoError(t, err)
		answer, err := client.Do(request)
		require.NoError(t, err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer, string(body)
	}
	base, token, _ := strings.Cut(link, "?token=")
	answer, body := get(link)
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Equal(t, base, answer.Request.URL.String(), "the browser ends at an address without the token")
	assert.Contains(t, body, "simulator: no real money")
	assert.Contains(t, body, "5WS00001", "the simulated account")
	assert.Contains(t, body, "--transport http ttai "+base+"mcp")
	assert.NotContains(t, body, token)
	answer, body = get(base + "chart.svg?symbol=SPY")
	assert.Equal(t, "image/svg+xml", answer.Header.Get("Content-Type"))
	assert.Contains(t, body, "</svg>")
	client.Jar = nil
	answer, body = get(base)
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	assert.NotContains(t, body, "5WS00001")

	cancel()
	assert.Equal(t, app.ExitOK, <-ended)
}

func TestTheConfigurationToPasteKeepsWhatNarrowsTheServer(t *testing.T) {
	assert.Equal(t, &mcp.PageOptions{Endpoint: "/mcp", Command: []string{"ttai-mcp"}}, pageOptions(flags{}, broker.Simulator))
	cli := flags{Toolsets: []string{"market", "analytics"}, ReadOnly: true}
	cli.Accounts = []string{"5WT00001"}
	assert.Equal(t, &mcp.PageOptions{
		Endpoint: "/mcp", Command: []string{"ttai-mcp", "--accounts", "5WT00001", "--toolsets", "market,analytics", "--read-only"},
		Env: map[string]string{"TTAI_ENV": "production"},
	}, pageOptions(cli, broker.Production))
}

func TestThePrintedAddressCanBeOpened(t *testing.T) {
	for host, want := range map[string]string{"0.0.0.0": "127.0.0.1:8765", "::": "127.0.0.1:8765", "127.0.0.1": "127.0.0.1:8765", "::1": "[::1]:8765"} {
		assert.Equal(t, want, reachable(&net.TCPAddr{IP: net.ParseIP(host), Port: 8765}))
	}
}
