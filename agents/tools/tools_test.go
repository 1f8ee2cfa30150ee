package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
)

func names(d tools.Deps) []string {
	var out []string
	for _, t := range tools.New(d) {
		out = append(out, t.Name)
	}
	return out
}

func TestToolsAreLeftOutWithoutTheirMeans(t *testing.T) {
	all := []string{"portfolio", "candles", "instrument", "market_status", "metrics", "option_chain", "quote", "analyst", "price_option"}
	assert.Equal(t, append(all[:len(all):len(all)], "find_trades"), names(deps(nil)))
	assert.Equal(t, []string{"market_status", "price_option"}, names(tools.Deps{}))
	assert.Equal(t, []string{"portfolio", "market_status", "price_option"}, names(deps(func(d *tools.Deps, _ *fakeMarket, _ *fakeBroker) { d.Market = nil })))
	assert.NotContains(t, names(deps(func(d *tools.Deps, _ *fakeMarket, _ *fakeBroker) { d.Broker = nil })), "portfolio")
	assert.ElementsMatch(t, append(all, "find_trades", "backtest", "knowledge", "alerts", "audit", "orders", "preview_order", "place_order", "kill_switch"), tools.Names())
}

func TestEveryToolSaysThatItOnlyReads(t *testing.T) {
	for _, tool := range tools.New(deps(nil)) {
		assert.True(t, tool.Annotations.ReadOnly, tool.Name)
		assert.NotEmpty(t, tool.Title, tool.Name)
		assert.Contains(t, tools.Sets(), tools.SetOf(tool.Name))
		assert.Regexp(t, `^[A-Z][^\n]{20,220}\.$`, tool.Description, "%s: one sentence", tool.Name)
	}
	assert.Empty(t, tools.SetOf("withdraw_money"))
}

func TestTheEnvironmentIsTakenToBeRealUnlessKnown(t *testing.T) {
	assert.Equal(t, broker.Production, tools.EnvironmentOf(tools.Deps{}))
	assert.Equal(t, broker.Sandbox, tools.EnvironmentOf(tools.Deps{Broker: broker.ReadOnly(&fakeBroker{})}))
	assert.Equal(t, broker.Simulator, tools.EnvironmentOf(deps(nil)))
}

func TestQuote(t *testing.T) {
	out := call(t, deps(nil), "quote", `{"symbols":["spy, qqq","NOPE","SPY"]}`)
	quotes := list(t, out["quotes"])
	require.Len(t, quotes, 2)
	spy := object(t, quotes[0])
	assert.Equal(t, map[string]any{
		"symbol": "SPY", "bid": 99.99, "ask": 100.01, "mid": 100.0, "last": 100.0, "change": 2.0, "change_pct": 2.04,
		"open": nil, "high": nil, "low": nil, "prev_close": 98.0, "volume": 1e6, "time": "2026-09-16T10:30:00-04:00",
	}, spy)
	assert.Equal(t, []any{map[string]any{"symbol": "NOPE", "reason": "unknown symbol"}}, out["missing"])
}

func TestQuoteOfAnOption(t *testing.T) {
	out := call(t, deps(nil), "quote", `{"symbols":".SPY261016P95"}`)
	row := object(t, list(t, out["quotes"])[0])
	assert.Equal(t, "SPY   261016P00095000", row["symbol"])
	assert.InDelta(t, option(market.Put, 95, expirations[1]), row["mid"], 1e-4)
	assert.Nil(t, row["change_pct"])
}

func TestAHundredSymbolsFitIntoOneAnswer(t *testing.T) {
	var symbols []string
	for i := range 100 {
		symbols = append(symbols, fmt.Sprintf("SYM%d", i))
	}
	arguments, err := json.Marshal(map[string]any{"symbols": symbols})
	require.NoError(t, err)
	out := call(t, deps(nil), "quote", string(arguments))
	assert.Len(t, out["quotes"], 100)
	assert.NotContains(t, out, "left_out")
}

func TestQuotesAreKeptForASecondPerTenant(t *testing.T) {
	var m *fakeMarket
	clock := market.NewManualClock(now)
	store, err := memory.New(&memory.Options{Now: clock.Now})
	require.NoError(t, err)
	alice, err := store.For("alice")
	require.NoError(t, err)
	bob, err := store.For("bob")
	require.NoError(t, err)
	d := deps(func(d *tools.Deps, fm *fakeMarket, _ *fakeBroker) { d.Store, m, fm.clock = alice, fm, clock })
	ask := func(d tools.Deps, symbols string) {
		_, err := find(t, d, "quote").Call(t.Context(), json.RawMessage(`{"symbols":`+symbols+`}`))
		require.NoError(t, err)
	}
	ask(d, `["SPY"]`)
	ask(d, `["SPY"]`)
	assert.Equal(t, 1, m.quotes)
	ask(d, `["SPY","QQQ"]`)
	assert.Equal(t, 2, m.quotes, "only QQQ is asked for")
	clock.Advance(1100 * time.Millisecond)
	ask(d, `["SPY"]`)
	assert.Equal(t, 3, m.quotes)
	d.Store = bob
	ask(d, `["SPY"]`)
	assert.Equal(t, 4, m.quotes, "market data is licensed to the one who fetched it")
	d.Environment = broker.Production
	ask(d, `["SPY"]`)
	assert.Equal(t, 5, m.quotes, "a simulated quote is never shown as a real one")
}

// brokenStore fails on every use.
type brokenStore struct{ storage.Unsupported }

func (brokenStore) ID() storage.TenantID          { return "x" }
func (brokenStore) KV(string) (storage.KV, error) { return brokenKV{}, nil }

type brokenKV struct{ storage.KV }

func (brokenKV) Get(context.Context, string) (storage.Value, error) {
	return storage.Value{}, errors.New("disk on fire")
}

func (brokenKV) Put(context.Context, string, []byte, time.Duration) error {
	return errors.New("disk on fire")
}

func TestABrokenCacheIsNoTroubleForTheCaller(t *testing.T) {
	d := deps(func(d *tools.Deps, _ *fakeMarket, _ *fakeBroker) { d.Store = brokenStore{} })
	assert.Len(t, call(t, d, "quote", `{"symbols":"SPY"}`)["quotes"], 1)
}

func TestBadArgumentsAreFieldErrors(t *testing.T) {
	for _, test := range []struct{ tool, arguments, field string }{
		{"quote", `{}`, "symbols"},
		{"quote", `{"symbols":[]}`, "symbols"},
		{"quote", `{"symbols":[""]}`, "symbols[0]"},
		{"quote", `{"symbols":"SPY;DROP"}`, "symbols[0]"},
		{"quote", `{"symbol":"SPY"}`, "symbol"},
		{"candles", `{"symbol":"SPY","interval":"1fortnight"}`, "interval"},
		{"candles", `{"symbol":"SPY","interval":"soon"}`, "interval"},
		{"candles", `{"symbol":"SPY","count":0}`, "count"},
		{"candles", `{"symbol":"SPY","count":501}`, "count"},
		{"candles", `{"symbol":"SPY","from":"yesterday"}`, "from"},
		{"candles", `{"symbol":"SPY","from":"2030-01-01"}`, "from"},
		{"candles", `{"symbol":"SPY","from":"2026-09-01","to":"2026-08-01"}`, "from"},
		{"candles", `{"symbol":"SPY","indicators":["RSI(14"]}`, "indicators[0].indicator"},
		{"candles", `{"symbol":"SPY","indicators":["RSI(x)"]}`, "indicators[0].indicator"},
		{"candles", `{"symbol":"SPY","indicators":["RSI(14,1,1)"]}`, "indicators[0].indicator"},
		{"option_chain", `{"symbol":"SPY","expirations":["2026-10-17"]}`, "expirations[0]"},
		{"option_chain", `{"symbol":"SPY","expirations":["October"]}`, "expirations[0]"},
		{"option_chain", `{"symbol":"SPY","min_days":50,"max_days":40}`, "min_days"},
		{"option_chain", `{"symbol":"SPY","min_days":31,"max_days":40}`, "min_days"},
		{"option_chain", `{"symbol":"SPY261016P00095000"}`, "symbol"},
		{"price_option", `{"kind":"call","spot":100,"strike":100,"days":30}`, "vol"},
		{"price_option", `{"kind":"call","spot":100,"strike":100,"days":30,"vol":0.2,"price":2}`, "price"},
		{"price_option", `{"kind":"call","spot":100,"strike":100,"vol":0.2}`, "expiration"},
		{"price_option", `{"kind":"call","spot":100,"strike":100,"vol":0.2,"expiration":"2026-09-15"}`, "expiration"},
		{"price_option", `{"kind":"call","spot":100,"strike":100,"vol":0.2,"expiration":"2026-12-18","days":3}`, "days"},
		{"price_option", `{"kind":"call","spot":0,"strike":100,"vol":0.2,"days":30}`, "spot"},
		{"price_option", `{"kind":"call","spot":150,"strike":100,"price":40,"days":30}`, "price"},
		{"price_option", `{"kind":"call","spot":150,"strike":100,"price":151,"days":30}`, "price"},
		{"metrics", `{"symbols":"a,,b,\u0000"}`, "symbols[0]"},
		{"instrument", `{}`, "search"},
		{"instrument", `{"search":"a","symbols":["A"]}`, "search"},
		{"market_status", `{"date":"tomorrow"}`, "date"},
		{"market_status", `{"date":"9999-01-01"}`, "date"},
		{"portfolio", `{"account":"nobody"}`, "account"},
		{"analyst", `{}`, "symbol"},
		{"analyst", `{"symbol":"SPY","at":"2030-01-01"}`, "at"},
	} {
		t.Run(test.tool+" "+test.arguments, func(t *testing.T) {
			var field *tools.FieldError
			require.ErrorAs(t, callError(t, deps(nil), test.tool, test.arguments), &field)
			assert.Equal(t, test.field, field.Field, field.Error())
		})
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	failing := func(err error) tools.Deps {
		return deps(func(_ *tools.Deps, m *fakeMarket, b *fakeBroker) { m.fail, b.fail = err, err })
	}
	for _, test := range []struct {
		err  error
		says string
	}{
		{fmt.Errorf("get: %w", broker.ErrUnavailable), "try again in a few seconds"},
		{fmt.Errorf("get: %w", broker.ErrUnauthorized), "ttai init"},
		{market.ErrUnsupported, "never has it"},
		{market.ErrNoData, "another symbol, interval or time"},
		{errors.New("invalid character '<' looking for beginning of value"), "ttai doctor"},
	} {
		d := failing(test.err)
		for tool, arguments := range map[string]string{
			"quote": `{"symbols":"SPY"}`, "candles": `{"symbol":"SPY"}`, "option_chain": `{"symbol":"SPY"}`,
			"metrics": `{"symbols":"SPY"}`, "instrument": `{"symbols":"SPY"}`, "portfolio": `{}`,
		} {
			err := callError(t, d, tool, arguments)
			assert.ErrorIs(t, err, test.err, tool)
			assert.Contains(t, err.Error(), test.says, tool)
		}
	}
	for tool, arguments := range map[string]string{"quote": `{"symbols":"NOPE"}`, "candles": `{"symbol":"NOPE"}`, "option_chain": `{"symbol":"NOPE"}`, "metrics": `{"symbols":["NOPE"]}`} {
		err := callError(t, deps(nil), tool, arguments)
		assert.ErrorIs(t, err, market.ErrUnknownSymbol, tool)
		assert.Contains(t, err.Error(), "instrument tool", tool)
	}
}

func TestASourceThatHangsEndsAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := deps(func(d *tools.Deps, m *fakeMarket, _ *fakeBroker) { m.hang, d.Timeout = true, 3*time.Second })
		for tool, arguments := range map[string]string{
			"quote": `{"symbols":"SPY"}`, "candles": `{"symbol":"SPY"}`, "option_chain": `{"symbol":"SPY"}`, "metrics": `{"symbols":"SPY"}`, "instrument": `{"search":"SPY"}`,
		} {
			began := time.Now()
			err := callError(t, d, tool, arguments)
			assert.ErrorIs(t, err, context.DeadlineExceeded, tool)
			assert.Contains(t, err.Error(), "no answer within 3s", tool)
			assert.Equal(t, 3*time.Second, time.Since(began), tool)
		}
	})
}

func TestMetrics(t *testing.T) {
	d := deps(func(_ *tools.Deps, m *fakeMarket, _ *fakeBroker) {
		m.term = map[market.Date]float64{expirations[0]: 0.21}
	})
	out := call(t, d, "metrics", `{"symbols":["SPY","NOPE"],"term":true}`)
	row := object(t, list(t, out["metrics"])[0])
	assert.Equal(t, 0.35, row["iv_rank"])
	assert.Nil(t, row["beta"], "unknown is null")
	assert.Equal(t, 4.0, row["liquidity_rating"])
	assert.Equal(t, map[string]any{"date": "2026-10-27", "days": 41.0, "timing": "after close", "value": nil, "estimated": true}, row["next_earnings"])
	assert.Equal(t, []any{map[string]any{"expiration": "2026-09-18", "iv": 0.21}}, row["term"])
	assert.NotContains(t, object(t, list(t, call(t, d, "metrics", `{"symbols":["SPY"]}`)["metrics"])[0]), "term")
}

func TestInstrument(t *testing.T) {
	out := call(t, deps(nil), "instrument", `{"symbols":["SPY",".SPY261016P95.5"]}`)
	rows := list(t, out["instruments"])
	spy, put := object(t, rows[0]), object(t, rows[1])
	assert.Equal(t, map[string]any{"root": "SPY", "expiration": "2026-10-16", "kind": "put", "strike": 95.5}, put["contract"])
	assert.Equal(t, "Name of SPY", spy["description"], "text of third parties loses what does not print")
	assert.Equal(t, []any{map[string]any{"below": 1.0, "increment": 0.0001}, map[string]any{"increment": 0.01}}, spy["ticks"])

	found := call(t, deps(nil), "instrument", `{"search":"sp"}`)
	assert.Len(t, found["instruments"], 2)
	assert.Empty(t, call(t, deps(nil), "instrument", `{"search":"zzz"}`)["instruments"], "finding nothing is an answer")
}

func TestMarketStatus(t *testing.T) {
	out := call(t, deps(nil), "market_status", ``)
	assert.Equal(t, "regular", out["phase"])
	assert.Equal(t, true, out["open"])
	session := object(t, out["session"])
	assert.Equal(t, "2026-09-16T09:30:00-04:00", session["open"])
	assert.Equal(t, "2026-09-17", object(t, out["next"])["date"])
	assert.Equal(t, "2026-09-15", object(t, out["previous"])["date"])
}

func TestMarketStatusOfAnotherDay(t *testing.T) {
	// Thanksgiving 2026 is 26 November; the day after closes at 13:00 (NYSE holidays).
	out := call(t, deps(nil), "market_status", `{"date":"2026-11-26"}`)
	assert.Nil(t, out["session"])
	assert.Contains(t, out["closed_because"], "Thanksgiving")
	next := object(t, out["next"])
	assert.Equal(t, "2026-11-27T13:00:00-05:00", next["close"])
	assert.NotEmpty(t, next["early_close_because"])
	assert.Contains(t, fmt.Sprint(out["upcoming"]), "2026-12-25")
	assert.Equal(t, "Saturday", call(t, deps(nil), "market_status", `{"date":"2026-09-19"}`)["closed_because"])
}

func TestPriceOption(t *testing.T) {
	// Hull, Options, Futures and Other Derivatives, example 15.6: S=42, K=40,
	// r=10 %, vol=20 %, half a year: the call is worth 4.76, the put 0.81.
	arguments := `"spot":42,"strike":40,"rate":0.1,"days":182.5`
	out := call(t, deps(nil), "price_option", `{"kind":"call","vol":0.2,`+arguments+`}`)
	assert.InDelta(t, 4.76, out["price"], 0.005)
	assert.InDelta(t, 2, out["intrinsic"], 1e-9)
	assert.InDelta(t, 0.7791, out["delta"], 0.0001) // N(d1) of the same example
	assert.InDelta(t, 0.81, call(t, deps(nil), "price_option", `{"kind":"put","vol":0.2,`+arguments+`}`)["price"], 0.005)

	implied := call(t, deps(nil), "price_option", fmt.Sprintf(`{"kind":"call","price":%v,%s}`, out["price"], arguments))
	assert.InDelta(t, 0.2, implied["vol"], 1e-5)
	dated := call(t, deps(nil), "price_option", `{"kind":"CALL","spot":"100","strike":100,"vol":0.2,"expiration":"2026-12-18"}`)
	assert.InDelta(t, 93.0/365, dated["years"], 0.001)
	assert.Equal(t, rate, dated["rate"])
}
