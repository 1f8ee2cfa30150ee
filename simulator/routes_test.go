package simulator_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// send makes a request with a JSON body.
func (c *client) send(method, path, body string) (int, map[string]any) {
	c.t.Helper()
	r, err := http.NewRequest(method, c.server.URL()+path, strings.NewReader(body))
	require.NoError(c.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.token)
	status, answer := c.do(r)
	if len(answer) == 0 {
		return status, nil
	}
	return status, decode(c.t, answer)
}

func (c *client) data(path string) map[string]any {
	c.t.Helper()
	data, ok := c.object(path)["data"].(map[string]any)
	require.True(c.t, ok)
	return data
}

func TestWatchlistsAreKept(t *testing.T) {
	c := start(t, nil).login()
	assert.Empty(t, c.items("/watchlists"))
	status, made := c.send("POST", "/watchlists", `{"name":"My list/2","watchlist-entries":[{"symbol":"SPY"},{"symbol":"SPX"},{"symbol":"/ESZ6"},{"symbol":"NOPE"}],"order-index":3}`)
	require.Equal(t, 201, status)
	entries := made["data"].(map[string]any)["watchlist-entries"].([]any)
	kinds := []any{}
	for _, e := range entries {
		kinds = append(kinds, e.(map[string]any)["instrument-type"])
	}
	assert.Equal(t, []any{"Equity", "Index", "Future", nil}, kinds, "the market says what it knows")
	assert.Equal(t, made["data"], c.object("/watchlists/My%20list%2F2")["data"])

	status, answer := c.send("POST", "/watchlists", `{"name":"My list/2","watchlist-entries":[]}`)
	assert.Equal(t, 422, status, answer)
	for _, bad := range []string{`{"watchlist-entries":[]}`, `{"name":"x"}`, `{"name":"x","watchlist-entries":[{}]}`, `[`, `{"name":"` + strings.Repeat("x", 101) + `","watchlist-entries":[]}`} {
		status, answer = c.send("POST", "/watchlists", bad)
		assert.Equal(t, 400, status, bad)
		assert.Equal(t, "validation_error", answer["error"].(map[string]any)["code"])
	}

	status, answer = c.send("PUT", "/watchlists/My%20list%2F2", `{"name":"Renamed","watchlist-entries":[{"symbol":"QQQ","instrument-type":"Equity"}]}`)
	require.Equal(t, 200, status, answer)
	status, _ = c.get("/watchlists/My%20list%2F2")
	assert.Equal(t, 404, status)
	require.Len(t, c.items("/watchlists"), 1)
	assert.Equal(t, "Renamed", c.items("/watchlists")[0]["name"])
	status, gone := c.send("DELETE", "/watchlists/Renamed", "")
	assert.Equal(t, 200, status)
	assert.Equal(t, "Renamed", gone["data"].(map[string]any)["name"])
	status, _ = c.send("DELETE", "/watchlists/Renamed", "")
	assert.Equal(t, 404, status)
	assert.Empty(t, c.items("/watchlists"))
}

func TestQuoteAlertsAreKept(t *testing.T) {
	c := start(t, nil).login()
	status, made := c.send("POST", "/quote-alerts", `{"symbol":"SPY","field":"Last","operator":">","threshold":"700","expires-at":"1789569000000"}`)
	require.Equal(t, 201, status, made)
	alert := made["data"].(map[string]any)
	assert.Equal(t, "700.0", alert["threshold-numeric"])
	assert.Equal(t, []map[string]any{alert}, c.items("/quote-alerts"))
	for _, bad := range []string{`{"field":"Last","operator":">","threshold":"1"}`, `{"symbol":"A","field":"Mood","operator":">","threshold":"1"}`,
		`{"symbol":"A","field":"Bid","operator":"=","threshold":"1"}`, `{"symbol":"A","field":"Bid","operator":"<","threshold":"x"}`} {
		status, _ = c.send("POST", "/quote-alerts", bad)
		assert.Equal(t, 400, status, bad)
	}
	id := alert["alert-external-id"].(string)
	status, answer := c.send("DELETE", "/quote-alerts/"+id, "")
	assert.Equal(t, 204, status)
	assert.Nil(t, answer)
	status, _ = c.send("DELETE", "/quote-alerts/"+id, "")
	assert.Equal(t, 404, status)
}

// Every option of the nested chains is found by its symbol and quoted, and the
// names on the stream are those of the published rules: worked pairs 21 to 28 of
// the broker's documentation have the same form.
func TestFuturesChainsNameWhatTheMarketQuotes(t *testing.T) {
	c := start(t, nil).login()
	chain := c.data("/futures-option-chains/ES/nested")
	require.NotEmpty(t, chain["futures"])
	styles := map[string]bool{}
	for _, x := range chain["option-chains"].([]any) {
		family := x.(map[string]any)
		styles[family["exercise-style"].(string)] = true
		for _, y := range family["expirations"].([]any) {
			e := y.(map[string]any)
			strikes := e["strikes"].([]any)
			require.NotEmpty(t, strikes)
			strike := strikes[len(strikes)/2].(map[string]any)
			symbol := strike["put"].(string)
			quote, err := c.market.QuoteAt(market.Symbol(symbol), c.clock.Now())
			require.NoError(t, err, symbol)
			assert.Positive(t, quote.Ask)
			code := e["option-contract-symbol"].(string)
			assert.Equal(t, "./"+code[:len(code)-1]+"2"+code[len(code)-1:]+"P"+strings.TrimSuffix(strike["strike-price"].(string), ".0")+":XCME", strike["put-streamer-symbol"])
		}
	}
	assert.Equal(t, map[string]bool{"American": true, "European": true}, styles)

	future := c.data("/instruments/futures/%2FESZ6")
	assert.Equal(t, "/ESZ26:XCME", future["streamer-symbol"], "pair 14's form")
	assert.Equal(t, true, future["future-product"].(map[string]any)["cash-settled"])
	products := map[string]map[string]any{}
	for _, p := range c.items("/instruments/future-products") {
		products[p["code"].(string)] = p
	}
	assert.Equal(t, "50.0", products["ES"]["notional-multiplier"])
	assert.Equal(t, []any{"H", "M", "U", "Z"}, products["ES"]["listed-months"])
	assert.NotContains(t, products["MES"], "option-products", "the market lists no options on micros")
	status, _ := c.get("/instruments/futures/%2FESZ9")
	assert.Equal(t, 404, status)
	status, _ = c.get("/futures-option-chains/NOPE/nested")
	assert.Equal(t, 404, status)
	assert.Empty(t, c.items("/instruments/future-spreads"))
	warrants := c.items("/instruments/warrants")
	require.NotEmpty(t, warrants)
	one := c.data("/instruments/warrants/" + warrants[0]["symbol"].(string))
	assert.Equal(t, "Warrant", one["instrument-type"])
}

func TestByTypeHasFuturesAndTheirOptions(t *testing.T) {
	c := start(t, nil).login()
	chain := c.data("/futures-option-chains/6E/nested")["option-chains"].([]any)[0].(map[string]any)
	strikes := chain["expirations"].([]any)[0].(map[string]any)["strikes"].([]any)
	option := strikes[len(strikes)/2].(map[string]any)["call"].(string)
	got := map[string]string{}
	for _, item := range c.items("/market-data/by-type?future=/ESZ6&future=/ES&index=SPX&cryptocurrency=BTC/USD&future-option=" + strings.ReplaceAll(option, " ", "%20")) {
		got[item["symbol"].(string)] = item["instrument-type"].(string)
		assert.NotEmpty(t, item["mark"])
	}
	assert.Equal(t, map[string]string{"/ESZ6": "Future", "SPX": "Index", option: "Future Option"}, got, "/ES is a product, and coins have no market")
	one := c.data("/market-data/Future/%2FESZ6")
	assert.Equal(t, "/ESZ6", one["symbol"])
	status, _ := c.get("/market-data/Equity/%2FESZ6")
	assert.Equal(t, 404, status)
}

// The account's value is its cash and its marks, whatever the time: at the end
// of the history it is what the balance says.
func TestNetLiqHistoryEndsAtTheBalance(t *testing.T) {
	c := start(t, nil).login()
	balance := c.data("/accounts/5WS00001/balances/USD")["net-liquidating-value"].(string)
	points := c.items("/accounts/5WS00001/net-liq/history?time-back=1d")
	require.NotEmpty(t, points)
	last := points[len(points)-1]
	assert.Equal(t, balance, last["total-close"], "10:30 is one of the five minutes")
	at, err := time.Parse("2006-01-02 15:04:05+00", last["time"].(string))
	require.NoError(t, err)
	assert.True(t, at.Equal(c.clock.Now()))

	year := c.items("/accounts/5WS00001/net-liq/history?time-back=1y")
	assert.InDelta(t, 251, len(year), 3, "sessions")
	assert.Equal(t, year[0]["close"], year[1]["close"], "cash alone, before anything was bought")
	for _, bad := range []string{"", "?time-back=2d", "?start-time=yesterday"} {
		status, _ := c.get("/accounts/5WS00001/net-liq/history" + bad)
		assert.Equal(t, 400, status, bad)
	}
	snapshots := c.items("/accounts/5WS00001/balance-snapshots?time-of-day=EOD&start-date=2026-09-14&end-date=2026-09-16")
	require.Len(t, snapshots, 2, "today has not ended")
	assert.Equal(t, "2026-09-15", snapshots[0]["snapshot-date"], "the newest first")
	status, _ := c.get("/accounts/5WS00001/balance-snapshots")
	assert.Equal(t, 400, status)
}

func TestTheMarginReportAddsUpToTheBalance(t *testing.T) {
	c := start(t, nil).login()
	for _, account := range []string{"5WS00001", "5WS00002"} {
		report, balance := c.data("/margin/accounts/"+account+"/requirements"), c.data("/accounts/"+account+"/balances/USD")
		assert.Equal(t, balance["maintenance-requirement"], report["maintenance-requirement"])
		sum := 0.0
		for _, g := range report["groups"].([]any) {
			x, err := strconv.ParseFloat(g.(map[string]any)["maintenance-requirement"].(string), 64)
			require.NoError(t, err)
			sum += x
		}
		total, err := strconv.ParseFloat(report["maintenance-requirement"].(string), 64)
		require.NoError(t, err)
		assert.InDelta(t, total, sum, 1e-6, "nothing is covered across underlyings")
	}
	shares := c.data("/accounts/5WS00001/margin-requirements/AAPL/effective")
	assert.Equal(t, "0.25", shares["long-equity-maintenance"], "FINRA Rule 4210(c)(1)")
	assert.Equal(t, "0.15", c.data("/accounts/5WS00001/margin-requirements/SPX/effective")["naked-option-standard"], "4210(f)(2)(E), broad indices")
	assert.Equal(t, "1.0", c.data("/accounts/5WS00002/margin-requirements/AAPL/effective")["long-equity-initial"], "a cash account pays in full")
	status, _ := c.get("/accounts/5WS00001/margin-requirements/NOPE/effective")
	assert.Equal(t, 404, status)
	c.token = ""
	assert.NotEmpty(t, c.data("/margin-requirements-public-configuration")["risk-free-rate"], "without a token")
}

func TestFuturesSessionsAreThoseOfTheExchange(t *testing.T) {
	c := start(t, nil).login()
	now := c.data("/market-time/futures/sessions/current/CME")
	assert.Equal(t, "Open", now["state"])
	assert.Equal(t, "2026-09-15T22:00:00.000+00:00", now["open-at"], "18:00 in New York of the evening before")
	assert.Equal(t, "2026-09-16T21:00:00.000+00:00", now["close-at"])
	assert.Equal(t, "2026-09-17", now["next-session"].(map[string]any)["session-date"])
	assert.Equal(t, "2026-09-15", now["previous-session"].(map[string]any)["session-date"])
	assert.Len(t, c.items("/market-time/futures/sessions/current"), 4)
	assert.Equal(t, "2026-09-21", c.data("/market-time/futures/sessions/next/CFE?date=2026-09-19")["session-date"], "a Saturday")
	assert.Equal(t, "2026-09-18", c.data("/market-time/futures/sessions/previous/CME?date=2026-09-20")["session-date"])
	assert.Contains(t, c.data("/market-time/futures/holidays/CME")["market-holidays"], "2026-12-25")
	assert.Len(t, c.items("/market-time/sessions?instrument-collection=CME&from-date=2026-09-14&to-date=2026-09-18"), 5)
	status, _ := c.get("/market-time/futures/sessions/current/MARS")
	assert.Equal(t, 404, status)
	c.clock.Advance(7 * time.Hour) // 17:30, between two sessions
	assert.Equal(t, "Closed", c.data("/market-time/futures/sessions/current/CME")["state"])
}

func TestSymbolsOfOthersAreRefused(t *testing.T) {
	c := start(t, nil).login()
	for path, want := range map[string]int{
		"/customers/2": 403, "/customers/2/accounts": 403, "/accounts/5WX/transactions": 403, "/accounts/5WX/position-limit": 403,
		"/instruments/equity-options/KO%20%20%20%20261016C09990000": 404, "/instruments/equity-options/nonsense": 404,
		"/instruments/future-options/.%2FESZ6%20nonsense": 404, "/instruments/cryptocurrencies/NO%2FUSD": 404, "/instruments/warrants/X": 404,
		"/instruments/future-products/CME/NO": 404, "/instruments/future-option-products/NO": 404, "/option-chains/NOPE": 404, "/option-chains/NOPE/compact": 404,
		"/accounts/5WS00001/transactions/1": 404, "/public-watchlists/No": 404, "/pairs-watchlists/No": 404, "/span/rows": 400, "/instruments/search?limit=101": 400,
	} {
		status, body := c.get(path)
		assert.Equal(t, want, status, path)
		assert.True(t, json.Valid(body), path)
	}
}
