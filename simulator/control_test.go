package simulator_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
)

func TestPublishedLimitsAreKept(t *testing.T) {
	wall := market.NewManualClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	c := start(t, func(o *simulator.Options) { o.Wall, o.RateLimits = wall, simulator.PublishedRateLimits() }).login()
	tests := []struct {
		path string
		most int // at once, facts of the broker's own client
	}{
		{"/market-data/by-type?equity=SPY", 2}, {"/option-chains/KO/compact", 2}, {"/instruments/equities?symbol[]=SPY", 2},
		{"/instruments/equities/SPY", 3}, {"/instruments/futures", 1}, {margin + "/positions", 1}, {margin + "/balances", 1},
		{margin + "/trading-status", 1}, {"/customers/me/accounts", 1}, {"/watchlists", 50},
	}
	for _, tt := range tests {
		wall.Advance(time.Minute)
		passed := 0
		for range tt.most + 1 {
			status, body := c.get(tt.path)
			if status == 200 {
				passed++
				continue
			}
			assert.Equal(t, 429, status)
			assert.Equal(t, "too_many_requests", decode(t, body)["error"].(map[string]any)["code"])
		}
		assert.Equal(t, tt.most, passed, tt.path)
	}
}

func TestRulesOfFaults(t *testing.T) {
	c := start(t, func(o *simulator.Options) { o.FaultSeed = 5 }).login()
	statuses := func(path string, n int) (list []int) {
		for range n {
			status, _ := c.get(path)
			list = append(list, status)
		}
		return list
	}
	require.NoError(t, c.sim.SetFaults(simulator.FaultRule{Route: "GET /accounts/{account}/positions", After: 1, Times: 2, Fault: simulator.Fault{Status: 503}}))
	assert.Equal(t, []int{200, 503, 503, 200}, statuses(margin+"/positions", 4))
	assert.Equal(t, []int{200}, statuses(margin+"/orders", 1), "another route")
	half := simulator.FaultRule{Route: "GET /watchlists", Probability: 0.5, Fault: simulator.Fault{Status: 500}}
	require.NoError(t, c.sim.SetFaults(half))
	first := statuses("/watchlists", 40)
	require.NoError(t, c.sim.SetFaults(half))
	assert.Equal(t, first, statuses("/watchlists", 40), "the same seed spoils the same requests")
	failed := 0
	for _, status := range first {
		if status == 500 {
			failed++
		}
	}
	assert.True(t, failed > 8 && failed < 32, "about half: %d", failed)

	require.NoError(t, c.sim.SetFaults(simulator.FaultRule{Route: "POST /accounts/{account}/orders", Fault: simulator.Fault{Lose: true}}))
	r, err := http.NewRequest("POST", c.server.URL()+margin+"/orders", strings.NewReader(limit("Buy to Open", "KO", 1, "1.00", "Debit")))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+c.token)
	_, err = c.http.Do(r)
	assert.Error(t, err, "no answer")
	assert.Len(t, c.items(margin+"/orders"), 1, "and the order is there")

	require.NoError(t, c.sim.SetFaults(simulator.FaultRule{Route: "/customers/{rest...}", Fault: simulator.Fault{Half: true}}))
	r, err = http.NewRequest("GET", c.server.URL()+"/customers/me", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.NotEmpty(t, body)
	require.NoError(t, c.sim.SetFaults())
	assert.Equal(t, []int{200}, statuses("/customers/me", 1))

	for field, rule := range map[string]simulator.FaultRule{
		"Faults[0].Route": {Route: "orders"}, "Faults[0].Probability": {Probability: 2}, "Faults[0].Fault.Delay": {Fault: simulator.Fault{Delay: -1}},
		"Faults[0].Fault.Status": {Fault: simulator.Fault{Status: 42}}, "Faults[0]": {Times: -1},
	} {
		var bad *simulator.FieldError
		require.ErrorAs(t, c.sim.SetFaults(rule), &bad)
		assert.Equal(t, field, bad.Field)
	}
}

func TestTheControlRoutes(t *testing.T) {
	c := start(t, func(o *simulator.Options) { o.Market, o.Clock, o.Stopped = nil, nil, true }).login()
	now := func() string { return c.object("/simulator/clock")["now"].(string) }
	assert.Equal(t, "2026-09-16T14:30:00Z", now())
	status, answer := c.send("POST", "/simulator/clock", `{"step":"90s"}`)
	require.Equal(t, 200, status)
	assert.Equal(t, "2026-09-16T14:31:30Z", answer["now"])
	assert.Equal(t, true, answer["stopped"])
	status, answer = c.send("POST", "/simulator/clock", `{"stopped":false,"speed":3600}`)
	require.Equal(t, 200, status)
	assert.Equal(t, json.Number("3600"), answer["speed"])
	for _, bad := range []string{`{"speed":-1}`, `{"step":"-1s"}`, `{"step":"soon"}`} {
		status, _ = c.send("POST", "/simulator/clock", bad)
		assert.Equal(t, 400, status, bad)
	}
	status, _ = c.send("POST", "/simulator/clock", `{"stopped":true}`)
	require.Equal(t, 200, status)

	status, _ = c.send("PUT", "/simulator/quotes", `{"symbol":"SPY","bid":600,"ask":601}`)
	require.Equal(t, 204, status)
	assert.Equal(t, "600.0", c.items("/market-data/by-type?equity=SPY")[0]["bid"])
	status, _ = c.send("PUT", "/simulator/quotes", `{"symbol":"SPY","bid":602,"ask":601}`)
	assert.Equal(t, 400, status)
	status, _ = c.send("DELETE", "/simulator/quotes?symbol=SPY", "")
	require.Equal(t, 204, status)
	assert.NotEqual(t, "600.0", c.items("/market-data/by-type?equity=SPY")[0]["bid"])

	rules := `[{"route":"GET /watchlists","times":1,"status":502,"delay":"1ms"}]`
	status, _ = c.send("PUT", "/simulator/faults", rules)
	require.Equal(t, 204, status)
	_, body := c.get("/simulator/faults")
	assert.JSONEq(t, rules, string(body))
	status, _ = c.get("/watchlists")
	assert.Equal(t, 502, status)
	status, _ = c.get("/watchlists")
	assert.Equal(t, 200, status)

	status, _ = c.send("POST", "/simulator/tokens/expire", "{}")
	require.Equal(t, 204, status)
	status, _ = c.get("/watchlists")
	assert.Equal(t, 401, status)
	c.token = ""
	for _, route := range []string{"POST /simulator/clock", "PUT /simulator/faults", "GET /simulator/snapshot", "PUT /simulator/quotes"} {
		method, path, _ := strings.Cut(route, " ")
		status, _ = c.send(method, path, "{}")
		assert.Equal(t, 401, status, "%s is not for strangers", route)
	}
}

// ask reads everything that a snapshot is about.
func (c *client) everything() map[string]any {
	all := map[string]any{}
	for _, path := range []string{"/orders", "/orders/live", "/complex-orders", "/positions?include-marks=true", "/balances", "/transactions", "/trading-status"} {
		all[path] = c.object(margin + path)
	}
	for _, path := range []string{"/watchlists", "/quote-alerts", "/simulator/clock", "/market-data/by-type?equity=SPY,MSFT", "/margin" + margin + "/requirements"} {
		all[path] = c.object(path)
	}
	return all
}

func TestASnapshotContinuesAsTheOriginalDoes(t *testing.T) {
	begin := func() *client {
		return start(t, func(o *simulator.Options) {
			o.Market, o.Clock, o.Stopped = nil, nil, true
			o.Credentials = simulator.Credentials{ClientID: "id", ClientSecret: "secret", RefreshToken: "token"}
		}).login()
	}
	a := begin()
	a.set("MSFT", 400.00, 400.10)
	a.send("POST", "/watchlists", `{"name":"Mine","watchlist-entries":[{"symbol":"SPY"}]}`)
	a.send("POST", "/quote-alerts", `{"symbol":"MSFT","field":"Last","operator":">","threshold":"450.00"}`)
	a.place(limit("Buy to Open", "MSFT", 10, "400.10", "Debit"))
	a.step(time.Second)
	a.place(limit("Buy to Open", "MSFT", 5, "390.00", "Debit"))
	status, answer := a.send("POST", margin+"/complex-orders", `{"type":"OCO","orders":[`+limit("Sell to Close", "MSFT", 10, "420.00", "Credit")+`,`+limit("Sell to Close", "MSFT", 10, "430.00", "Credit")+`]}`)
	require.Equal(t, 201, status, "%v", answer)
	a.place(strings.TrimSuffix(limit("Buy to Open", "KO", 1, "100.00", "Debit"), "}") + `,"rules":{"conditions":[
		{"action":"route","symbol":"MSFT","instrument-type":"Equity","indicator":"last","comparator":"gte","threshold":"419.00"}]}}`)
	a.step(20 * time.Millisecond) // in the middle of its way
	snapshot, err := a.sim.Snapshot()
	require.NoError(t, err)
	again, err := a.sim.Snapshot()
	require.NoError(t, err)
	assert.True(t, string(snapshot) == string(again))

	b := begin()
	require.NoError(t, b.sim.Restore(snapshot))
	copied, err := b.sim.Snapshot()
	require.NoError(t, err)
	assert.True(t, string(snapshot) == string(copied), "nothing is lost")
	assert.Equal(t, a.everything(), b.everything())

	for _, c := range []*client{a, b} { // the same happens to both
		c.step(time.Minute)
		c.set("MSFT", 420.00, 420.10)
		c.step(time.Minute)
		c.place(limit("Buy to Open", "JPM", 1, "1000.00", "Debit"))
		c.step(26 * time.Hour)
	}
	assert.Equal(t, a.everything(), b.everything())

	require.NoError(t, a.sim.Restore(snapshot), "back in time")
	assert.Equal(t, "2026-09-16T14:30:01.02Z", a.object("/simulator/clock")["now"])
	a.step(time.Minute)
	assert.Len(t, a.items(margin+"/positions?symbol=JPM"), 0)
}

func TestForeignSnapshotsAreRefused(t *testing.T) {
	a := start(t, func(o *simulator.Options) { o.Market, o.Clock, o.Stopped = nil, nil, true })
	snapshot, err := a.sim.Snapshot()
	require.NoError(t, err)
	for name, bad := range map[string]string{
		"no JSON": "{", "another version": strings.Replace(string(snapshot), `"version":1`, `"version":99`, 1),
		"another seed":       strings.Replace(string(snapshot), `"seed":`, `"seed":9`, 1),
		"other accounts":     strings.Replace(string(snapshot), simulator.DemoMargin, "5WX1", 1),
		"a group of nothing": strings.Replace(string(snapshot), `"complex-orders":null`, `"complex-orders":[{"id":1,"orders":[5]}]`, 1),
		"an empty order":     strings.Replace(string(snapshot), `"orders":null`, `"orders":[null]`, 1),
	} {
		require.NotEqual(t, string(snapshot), bad, name)
		assert.Error(t, a.sim.Restore([]byte(bad)), name)
	}
	b := start(t, nil)
	_, err = b.sim.Snapshot()
	require.NoError(t, err)
}

func TestBacktestsAreRun(t *testing.T) {
	c := start(t, nil).login()
	body := `{"symbol":"SPY","startDate":"2026-07-01","endDate":"2026-08-31","legs":[
		{"type":"equity-option","direction":"short","side":"put","quantity":1,"strikeSelection":"delta","delta":30,"daysUntilExpiration":30},
		{"type":"equity-option","direction":"long","side":"put","quantity":1,"strikeSelection":"currentPriceOffsetRelative","strikeRelativeLeg":0,"currentPriceOffset":-10,"daysUntilExpiration":30}],
		"entryConditions":{"frequency":"every day","maximumActiveTrials":3,"maximumActiveTrialsBehavior":"don't enter"},
		"exitConditions":{"takeProfitPercentage":50,"afterDaysInTrade":10}}`
	status, made := c.send("POST", "/backtests", body)
	require.Equal(t, 201, status, "%v", made)
	path := "/backtests/" + made["id"].(string)
	var done map[string]any
	require.Eventually(t, func() bool {
		done = c.object(path)
		return done["status"] == "completed"
	}, 20*time.Second, 5*time.Millisecond)
	assert.Len(t, done["snapshots"], 43, "sessions of two months")
	trials := done["trials"].([]any)
	require.NotEmpty(t, trials)
	total := 0.0
	for _, trial := range trials {
		x, err := trial.(map[string]any)["profitLoss"].(json.Number).Float64()
		require.NoError(t, err)
		total += x
	}
	figures := map[string]float64{}
	for _, f := range done["statistics"].([]any) {
		x, err := f.(map[string]any)["value"].(json.Number).Float64()
		require.NoError(t, err)
		figures[f.(map[string]any)["name"].(string)] = x
	}
	assert.InDelta(t, total, figures["Total profit/loss"], 0.005*float64(len(trials)+1))
	assert.Equal(t, float64(len(trials)), figures["Number of trades"])
	status, _ = c.get(path + "/logs")
	assert.Equal(t, 200, status)
	status, _ = c.send("POST", path+"/cancel", "")
	assert.Equal(t, 204, status)
	for _, bad := range []string{`{"symbol":"NOPE","startDate":"2026-07-01","endDate":"2026-08-31","legs":[]}`,
		`{"symbol":"SPY","startDate":"2026-07-01","endDate":"2026-08-31","legs":[]}`,
		`{"symbol":"SPY","startDate":"2026-07-01","endDate":"2026-06-01","legs":[{"type":"equity","direction":"long","quantity":1}]}`} {
		status, answer := c.send("POST", "/backtests", bad)
		assert.Equal(t, 400, status)
		assert.NotEmpty(t, answer["message"])
	}
	status, _ = c.get("/backtests/nope")
	assert.Equal(t, 404, status)
}

func TestRiskFilesHaveARowForEveryFuture(t *testing.T) {
	c := start(t, nil).login()
	rows := c.items("/span/rows?date=2026-09-15&exchange=CME")
	arrays := 0
	for i, row := range rows {
		assert.Equal(t, fmt.Sprint(i), row["row-index"].(json.Number).String())
		if data := row["row-data"].(string); strings.HasPrefix(data, "81") {
			arrays++
			assert.Len(t, data, 2+6+10+8+14+16*8)
		}
	}
	futures := c.items("/instruments/futures")
	assert.InDelta(t, len(futures), arrays, 3, "contracts listed since then have none")
	assert.Empty(t, c.items("/span/rows?date=2026-09-13&exchange=CME"), "a Sunday")
}
