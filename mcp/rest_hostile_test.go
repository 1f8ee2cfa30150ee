package mcp_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/mcp"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// tenants are two callers, each with jobs of its own.
func tenants(t *testing.T, opts mcp.Options) string {
	t.Helper()
	opts.Verify = func(_ context.Context, token string) (mcp.Principal, error) {
		if name, ok := strings.CutPrefix(token, "token-of-"); ok {
			return mcp.Principal{Tenant: storage.TenantID(name), Subject: name}, nil
		}
		return mcp.Principal{}, errors.New("no such token: " + token)
	}
	return api(t, &opts)
}

func run(t *testing.T, url, token string) string {
	t.Helper()
	status, _, body := ask(t, "POST", url+"/backtest", `{"strategy":"ma-cross","params":"{\"fast\":3,\"slow\":9}","symbol":"SPY","from":"2024-01-01"}`, token)
	require.Equal(t, 200, status, body)
	var answer struct{ Handle string }
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	return answer.Handle
}

// Another caller's handle is no handle: neither read, nor cancelled, nor told apart
// from one that never was.
func TestAHandleIsGoodForItsOwnerAlone(t *testing.T) {
	url := tenants(t, mcp.Options{})
	handle := run(t, url, "token-of-anna")
	for _, method := range []string{"GET", "DELETE"} {
		status, _, body := ask(t, method, url+"/backtest/"+handle, "", "token-of-ben")
		assert.Equal(t, 404, status, method)
		_, _, other := ask(t, method, url+"/backtest/"+strings.Repeat("X", len(handle)), "", "token-of-ben")
		assert.Equal(t, strings.ReplaceAll(other, strings.Repeat("X", len(handle)), ""), strings.ReplaceAll(body, handle, ""))
		status, _, body = ask(t, "POST", url+"/backtest", `{"handle":"`+handle+`"}`, "token-of-ben")
		assert.Equal(t, 400, status)
		assert.NotContains(t, body, "fingerprint")
		status, _, _ = ask(t, method, url+"/backtest/"+handle, "", "")
		assert.Equal(t, 401, status)
	}
	status, _, _ := ask(t, "GET", url+"/backtest/"+handle, "", "token-of-anna")
	assert.Equal(t, 200, status)
}

// Handles are looked up, and lead nowhere else.
func TestAHandleIsNoPath(t *testing.T) {
	url := api(t, nil)
	for _, path := range []string{
		"/backtest/../quote", "/backtest/..%2f..%2fetc%2fpasswd", "/backtest/%2e%2e/%2e%2e/etc/passwd", "/backtest/a/b/c", "/backtest/%00", "/backtest/" + strings.Repeat("A", 4000),
		"/%2e%2e/%2e%2e/etc/passwd", "/quote%2f..", "/QUOTE", "/" + strings.Repeat("x", 4000),
	} {
		status, _, body := ask(t, "GET", url+path, "", "")
		assert.Contains(t, []int{400, 404, 405}, status, "%.60s: %s", path, body)
		assert.True(t, json.Valid([]byte(body)), "%.60s: %s", path, body)
		assert.NotContains(t, body, "root:")
		assert.Less(t, len(body), 5000)
	}
}

func TestOnlyPlainJSONIsTakenForArguments(t *testing.T) {
	url := api(t, nil)
	post := func(body, kind, encoding string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", url+"/quote", strings.NewReader(body))
		require.NoError(t, err)
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		if encoding != "" {
			r.Header.Set("Content-Encoding", encoding)
		}
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		response, err := transport.RoundTrip(r)
		require.NoError(t, err)
		defer response.Body.Close()
		data, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.True(t, json.Valid(data), "%s", data)
		return response.StatusCode, string(data)
	}
	const good = `{"symbols":["SPY"]}`
	for _, kind := range []string{"", "application/json", "application/json; charset=UTF-8", "application/vnd.api+json", "text/plain", "application/x-www-form-urlencoded"} {
		status, body := post(good, kind, "")
		assert.Equal(t, 200, status, "%s: %s", kind, body)
	}
	for _, kind := range []string{"multipart/form-data; boundary=x", "application/xml", "text/html", "application/octet-stream", "application/json; charset=utf-16", "nonsense;;", "application/jsonp"} {
		status, body := post(good, kind, "")
		assert.Equal(t, 415, status, "%s: %s", kind, body)
	}
	status, _ := post(good, "application/json", "gzip")
	assert.Equal(t, 415, status)
	for _, body := range []string{"[]", "null", "1", `"x"`, good + good, good + "x", `{"symbols":["SPY"]`, `{"symbols":"SPY","symbols":["QQQ"]`, "\xff\xfe", "symbols=SPY", `{"symbol":["SPY"]}`, strings.Repeat("[", 100_000)} {
		status, answer := post(body, "application/json", "")
		assert.Equal(t, 400, status, "%.40s: %s", body, answer)
		assert.Contains(t, answer, `"error"`)
	}
}

func TestMethodsThatAreNotThereAreNamed(t *testing.T) {
	url := api(t, nil)
	handle := run(t, url, "")
	for _, c := range []struct{ method, path, allow string }{
		{"PUT", "/quote", "GET, POST"}, {"DELETE", "/quote", "GET, POST"}, {"PATCH", "/backtest", "POST"}, {"GET", "/analyse", "POST"}, {"HEAD", "/analyse", "POST"},
		{"POST", "/", "GET"}, {"POST", "/backtest/" + handle, "GET, DELETE"}, {"PUT", "/backtest/" + handle, "GET, DELETE"}, {"HEAD", "/backtest/" + handle, "GET, DELETE"},
	} {
		status, header, body := ask(t, c.method, url+c.path, "", "")
		assert.Equal(t, 405, status, "%s %s", c.method, c.path)
		assert.Equal(t, c.allow, header.Get("Allow"), "%s %s", c.method, c.path)
		assert.True(t, c.method == "HEAD" || json.Valid([]byte(body)))
	}
	status, header, body := ask(t, "OPTIONS", url+"/quote", "", "")
	assert.Equal(t, 204, status)
	assert.NotEmpty(t, header.Get("Allow"))
	assert.Empty(t, body)
	assert.Empty(t, header.Get("Access-Control-Allow-Origin"), "no other website may read")
}

// What is wrong with the server's own means is not told to callers.
func TestErrorsDoNotTellSecrets(t *testing.T) {
	const secret = "postgres://ttai:hunter2@db/ttai"
	s, err := mcp.New(func(context.Context, mcp.Principal) (tools.Deps, error) {
		return tools.Deps{}, errors.New("dialing " + secret + ": refused")
	}, &mcp.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer s.Close()
	w := httptest.NewRecorder()
	s.API().ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/quote?symbols=SPY", nil))
	assert.Equal(t, 503, w.Code)
	assert.NotContains(t, w.Body.String(), "hunter2")
	assert.NotEmpty(t, w.Header().Get("Retry-After"))

	url := tenants(t, mcp.Options{})
	status, header, body := ask(t, "GET", url+"/quote?symbols=SPY", "", "wrong-hunter2")
	assert.Equal(t, 401, status)
	assert.NotContains(t, body+header.Get("WWW-Authenticate"), "hunter2")
	for _, authorization := range []string{"Basic dG9rZW4=", "Bearer", "Bearer  ", "bearer a b", "token-of-anna"} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", url+"/quote?symbols=SPY", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", authorization)
		transport := &http.Transport{}
		response, err := transport.RoundTrip(r)
		require.NoError(t, err)
		response.Body.Close()
		transport.CloseIdleConnections()
		assert.Equal(t, 401, response.StatusCode, authorization)
	}
	status, _, body = ask(t, "GET", url+"/quote?symbols=SPY&access_token=token-of-anna", "", "")
	assert.Equal(t, 401, status, "tokens in addresses end in logs: %s", body)
}

// A deadline is set for each line, and none is left for the next request of the
// connection.
func TestASlowReaderIsGivenUp(t *testing.T) {
	jobs := backtest.NewJobs(nil)
	defer jobs.Close()
	s, err := mcp.New(func(ctx context.Context, p mcp.Principal) (tools.Deps, error) {
		d, err := deps(ctx, p)
		d.Backtests, d.History = jobs, history
		return d, err
	}, nil)
	require.NoError(t, err)
	defer s.Close()
	w := httptest.NewRecorder()
	s.API().ServeHTTP(w, httptest.NewRequest("POST", "http://localhost/backtest", strings.NewReader(`{"strategy":"ma-cross","symbol":"SPY","from":"2024-01-01"}`)))
	require.Equal(t, 200, w.Code, w.Body)
	var answer struct{ Handle string }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	stuck := &stuckWriter{ResponseRecorder: httptest.NewRecorder(), takes: 3}
	s.API().ServeHTTP(stuck, httptest.NewRequest("GET", "http://localhost/backtest/"+answer.Handle, nil))
	assert.Equal(t, 4, stuck.writes, "nothing more is written to a reader that is gone")
	require.Len(t, stuck.deadlines, 5)
	for _, d := range stuck.deadlines[:4] {
		assert.WithinDuration(t, time.Now().Add(30*time.Second), d, 10*time.Second)
	}
	assert.True(t, stuck.deadlines[4].IsZero())
}

// A stuckWriter takes some lines and then times out.
type stuckWriter struct {
	*httptest.ResponseRecorder
	mu        sync.Mutex
	takes     int
	writes    int
	deadlines []time.Time
}

func (w *stuckWriter) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadlines = append(w.deadlines, t)
	return nil
}

func (w *stuckWriter) Write(p []byte) (int, error) {
	if w.writes++; w.writes > w.takes {
		return 0, errors.New("i/o timeout")
	}
	return w.ResponseRecorder.Write(p)
}

// A stream that is taken up anywhere has what is left, once and in order, and what is
// beyond its end is nothing.
func TestAStreamIsTakenUpAnywhere(t *testing.T) {
	url := api(t, nil)
	handle := run(t, url, "")
	numbered := func(after string) []string {
		status, _, body := ask(t, "GET", url+"/backtest/"+handle+"?after="+after, "", "")
		require.Equal(t, 200, status, body)
		var out []string
		for line := range strings.Lines(body) {
			if strings.HasPrefix(line, `{"n":`) {
				out = append(out, line)
			}
		}
		return out
	}
	whole := numbered("0")
	for _, c := range []struct {
		after string
		from  int
	}{{"1", 1}, {"100", 100}} {
		assert.Equal(t, whole[c.from:], numbered(c.after))
	}
	assert.Empty(t, numbered("9223372036854775807"))
	for _, after := range []string{"-1", "1.5", "9223372036854775808", "x", "0x10", "1%20"} {
		status, _, body := ask(t, "GET", url+"/backtest/"+handle+"?after="+after, "", "")
		assert.Equal(t, 400, status, after)
		assert.Contains(t, body, `"field":"after"`)
	}
}

// A caller who goes away ends the call and not the job.
func TestACallerWhoGoesAwayLeavesTheBacktest(t *testing.T) {
	url := api(t, nil)
	handle := run(t, url, "")
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", url+"/backtest/"+handle, nil)
	require.NoError(t, err)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	require.NoError(t, err)
	_, err = io.ReadFull(response.Body, make([]byte, 10))
	require.NoError(t, err)
	cancel()
	response.Body.Close()
	status, _, _ := ask(t, "GET", url+"/backtest/"+handle+"?after=3", "", "")
	assert.Equal(t, 200, status)
}

// Calls through this interface and through the protocol count against one limit.
func TestTheLimitIsOneForBothInterfaces(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	s := newServer(t, &mcp.Options{Limits: mcp.Limits{CallsPerMinute: 8}, Now: func() time.Time { return now }})
	get := func() int {
		w := httptest.NewRecorder()
		s.API().ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/quote?symbols=SPY", nil))
		return w.Code
	}
	assert.Equal(t, 200, get())
	session, err := dial(t, serve(t, s), "", newRevision)
	require.NoError(t, err)
	_, err = session.CallTool(t.Context(), &sdk.CallToolParams{Name: "quote", Arguments: map[string]any{"symbols": []string{"SPY"}}})
	require.NoError(t, err)
	assert.Equal(t, 429, get())
}
