package mcp_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/mcp"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// history is a year of bars that turn now and then.
func history(_ context.Context, needs strategy.Needs, _, _ time.Time) (*backtest.Market, error) {
	calendar := market.NYSE()
	var bars []market.Bar
	for i, s := range calendar.Sessions(market.Date{Year: 2024, Month: 1, Day: 1}, market.Date{Year: 2024, Month: 12, Day: 31}) {
		p := 100 + 10*math.Sin(float64(i)/9)
		bars = append(bars, market.Bar{Time: s.Date.In(calendar.Location()), Open: p, High: p + 1, Low: p - 1, Close: p, Volume: 1e6})
	}
	return &backtest.Market{Bars: []backtest.BarFeed{{Symbol: needs.Symbols[0], Bars: bars}}}, nil
}

// api serves the HTTP interface and returns its URL.
func api(t *testing.T, opts *mcp.Options) string {
	t.Helper()
	jobs := map[string]*backtest.Jobs{}
	s, err := mcp.New(func(ctx context.Context, p mcp.Principal) (tools.Deps, error) {
		d, err := deps(ctx, p)
		if jobs[p.Subject] == nil {
			jobs[p.Subject] = backtest.NewJobs(nil)
		}
		d.Backtests, d.History = jobs[p.Subject], history
		return d, err
	}, opts)
	require.NoError(t, err)
	ts := httptest.NewServer(http.StripPrefix("/api", s.API()))
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		ts.Close()
		for _, j := range jobs {
			require.NoError(t, j.Close())
		}
	})
	return ts.URL + "/api"
}

// ask sends a request and returns status, header and body.
func ask(t *testing.T, method, url, body, token string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header, string(data)
}

func TestTheHTTPInterfaceAnswersWithTheSameTools(t *testing.T) {
	url := api(t, nil)
	status, header, body := ask(t, "GET", url+"/quote?symbols=SPY", "", "")
	assert.Equal(t, 200, status, body)
	assert.Equal(t, "application/json", header.Get("Content-Type"))
	assert.Contains(t, body, `"mid":100`)
	assert.Contains(t, body, `"environment":"simulator"`)
	_, _, posted := ask(t, "POST", url+"/quote", `{"symbols":["SPY"]}`, "")
	assert.Equal(t, body, posted)
	status, _, body = ask(t, "GET", url+"/", "", "")
	assert.Equal(t, 200, status)
	for _, name := range []string{"quote", "analyse", "backtest", "find_trades"} {
		assert.Contains(t, body, `"name":"`+name+`"`)
	}
	status, _, body = ask(t, "POST", url+"/price_option", `{"kind":"call","spot":100,"strike":100,"days":365,"vol":0.2}`, "")
	assert.Equal(t, 200, status, body)
}

func TestABacktestIsStreamedAndTakenUpAgain(t *testing.T) {
	url := api(t, nil)
	status, _, body := ask(t, "POST", url+"/backtest", `{"strategy":"ma-cross","params":"{\"fast\":3,\"slow\":9}","symbol":"SPY","from":"2024-01-01"}`, "")
	require.Equal(t, 200, status, body)
	var answer struct {
		Handle, Status string
		Result         struct {
			Metrics     map[string]float64
			Fingerprint string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	require.Equal(t, "done", answer.Status)
	assert.Greater(t, answer.Result.Metrics["trades"], 3.0)
	status, header, whole := ask(t, "GET", url+"/backtest/"+answer.Handle, "", "")
	require.Equal(t, 200, status)
	assert.Equal(t, "application/x-ndjson", header.Get("Content-Type"))
	var numbered []string
	for scanner := bufio.NewScanner(strings.NewReader(whole)); scanner.Scan(); {
		var line backtest.Line
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &line))
		if line.N > 0 {
			numbered = append(numbered, scanner.Text())
		}
	}
	require.Greater(t, len(numbered), 252)
	assert.Contains(t, numbered[len(numbered)-1], answer.Result.Fingerprint)
	_, _, rest := ask(t, "GET", url+"/backtest/"+answer.Handle+"?after="+strconv.Itoa(len(numbered)-3), "", "")
	assert.Equal(t, strings.Join(numbered[len(numbered)-3:], "\n"), strings.TrimSuffix(rest, "\n"))
	status, _, _ = ask(t, "GET", url+"/backtest/"+answer.Handle+"?after=x", "", "")
	assert.Equal(t, 400, status)
	status, _, _ = ask(t, "DELETE", url+"/backtest/"+answer.Handle, "", "")
	assert.Equal(t, 204, status)
	status, _, body = ask(t, "GET", url+"/backtest/UNKNOWN", "", "")
	assert.Equal(t, 404, status)
	assert.Contains(t, body, `"field":"handle"`)
}

func TestTheHTTPInterfaceRefusesAsTheServerDoes(t *testing.T) {
	url := api(t, &mcp.Options{Bearer: bearer})
	status, header, body := ask(t, "GET", url+"/quote?symbols=SPY", "", "")
	assert.Equal(t, 401, status)
	assert.Contains(t, header.Get("WWW-Authenticate"), "Bearer")
	assert.Contains(t, body, `"error"`)
	status, _, _ = ask(t, "GET", url+"/quote?symbols=SPY", "", "another-bearer-of-many")
	assert.Equal(t, 401, status)
	status, _, _ = ask(t, "GET", url+"/quote?symbols=SPY", "", bearer)
	assert.Equal(t, 200, status)

	r := httptest.NewRequest("GET", "http://evil.example/quote?symbols=SPY", nil)
	w := httptest.NewRecorder()
	s := newServer(t, nil)
	s.API().ServeHTTP(w, r)
	assert.Equal(t, 403, w.Code, "a name that is not this server's")
	r = httptest.NewRequest("POST", "http://localhost/quote", strings.NewReader(`{}`))
	r.Header.Set("Origin", "https://evil.example")
	w = httptest.NewRecorder()
	s.API().ServeHTTP(w, r)
	assert.Equal(t, 403, w.Code, "another website")
}

func TestTheHTTPInterfaceSharesTheLimits(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	url := api(t, &mcp.Options{Limits: mcp.Limits{CallsPerMinute: 8, MaxBody: 100}, Now: func() time.Time { return now }})
	for range 2 { // a quarter of eight at once
		status, _, body := ask(t, "GET", url+"/quote?symbols=SPY", "", "")
		require.Equal(t, 200, status, body)
	}
	status, header, _ := ask(t, "GET", url+"/quote?symbols=SPY", "", "")
	assert.Equal(t, 429, status)
	assert.NotEmpty(t, header.Get("Retry-After"))
	now = now.Add(time.Minute)
	status, _, _ = ask(t, "POST", url+"/quote", `{"symbols":["`+strings.Repeat("A", 200)+`"]}`, "")
	assert.Equal(t, 413, status)
}

func TestTheHTTPInterfacePlacesNoOrders(t *testing.T) {
	floor := newFloor(t, nil, nil)
	ts := httptest.NewServer(floor.server.API())
	defer ts.Close()
	for _, name := range []string{"place_order", "kill_switch", "approve", "orders"} {
		status, _, _ := ask(t, "POST", ts.URL+"/"+name, `{}`, "")
		assert.Equal(t, 404, status, name)
	}
	status, _, body := ask(t, "POST", ts.URL+"/preview", string(buyOne), "")
	require.Equal(t, 200, status, body)
	assert.Contains(t, body, "preview_id")
	assert.Zero(t, floor.placed(), "a preview sends nothing")
	readOnly := newFloor(t, &mcp.Options{ReadOnly: true}, nil)
	w := httptest.NewRecorder()
	readOnly.server.API().ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/", nil))
	assert.Equal(t, 200, w.Code)
}

func TestBadArgumentsAreNamed(t *testing.T) {
	url := api(t, nil)
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/quote", `{"symbols":[]}`, 400, `"field":"symbols"`},
		{"POST", "/quote", `nonsense`, 400, `"error"`},
		{"POST", "/backtest", `{"strategy":"ma-cros"}`, 400, "did you mean ma-cross"},
		{"POST", "/backtest", `{"strategy":"ma-cross","params":"{\"fast\":0}"}`, 400, `"field":"fast"`},
		{"POST", "/find_trades", `{"symbol":"SPY","min_days":50,"max_days":20}`, 400, "max_days"},
		{"GET", "/analyse", ``, 405, "POST"},
		{"POST", "/nothing", `{}`, 404, "GET / lists"},
		{"POST", "/quote/more", `{}`, 404, "no such path"},
	} {
		status, _, body := ask(t, test.method, url+test.path, test.body, "")
		assert.Equal(t, test.status, status, "%s %s: %s", test.method, test.path, body)
		assert.Contains(t, body, test.says)
		assert.True(t, json.Valid([]byte(body)), body)
	}
}

func TestTheUsualToolsLeaveOutThoseOnRequest(t *testing.T) {
	for _, test := range []struct {
		opts *mcp.Options
		has  bool
	}{{nil, false}, {&mcp.Options{Toolsets: []string{"research", "market"}}, true}, {&mcp.Options{Tools: []string{"find_trades"}}, true}} {
		session, err := dial(t, serve(t, newServer(t, test.opts)), "", newRevision)
		require.NoError(t, err)
		list, err := session.ListTools(t.Context(), nil)
		require.NoError(t, err)
		found := false
		for _, tool := range list.Tools {
			found = found || tool.Name == "find_trades"
		}
		assert.Equal(t, test.has, found)
	}
}
