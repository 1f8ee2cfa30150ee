package tools_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

// closes are those of the fake's daily bars.
func closes(t *testing.T, d tools.Deps) []float64 {
	t.Helper()
	bars, err := d.Market.Bars(t.Context(), market.BarsRequest{Symbol: "SPY", Interval: market.Day})
	require.NoError(t, err)
	return market.NewSeries("SPY", market.Day, bars).Close
}

func TestCandles(t *testing.T) {
	d := deps(nil)
	out := call(t, d, "candles", `{"symbol":"spy","count":3}`)
	assert.Equal(t, []any{"time", "open", "high", "low", "close", "volume"}, out["columns"])
	rows := list(t, out["rows"])
	require.Len(t, rows, 3)
	assert.Equal(t, "2026-09-14", list(t, rows[0])[0])
	assert.Equal(t, "2026-09-16", list(t, rows[2])[0])
	assert.Equal(t, false, out["last_bar_complete"], "the session is open")
	c := closes(t, d)
	assert.Equal(t, c[len(c)-1], list(t, rows[2])[4])
	assert.NotContains(t, out, "left_out")
	assert.Len(t, call(t, d, "candles", `{"symbol":"SPY"}`)["rows"], 60, "the default")
}

func TestIntradayCandles(t *testing.T) {
	out := call(t, deps(nil), "candles", `{"symbol":"SPY","interval":"5m","count":2}`)
	rows := list(t, out["rows"])
	assert.Equal(t, "2026-09-16T10:25-04:00", list(t, rows[0])[0])
	assert.Equal(t, "2026-09-16T10:30-04:00", list(t, rows[1])[0])
}

func TestCandlesWithIndicators(t *testing.T) {
	d := deps(nil)
	c := closes(t, d)
	for _, arguments := range []string{
		`{"symbol":"SPY","count":2,"indicators":["SMA(20)","RSI","macd(12, 26, 9)"]}`,
		`{"symbol":"SPY","from":"2026-09-15","indicators":"[\"SMA(20)\",\"RSI\",\"macd(12, 26, 9)\"]"}`, // warmed up on bars before from
	} {
		out := call(t, d, "candles", arguments)
		columns := list(t, out["columns"])[6:]
		assert.Equal(t, []any{"SMA(20)", "RSI(14)"}, columns[:2])
		assert.Regexp(t, `^MACD\(12,26,9\)\.`, columns[2])
		rows := list(t, out["rows"])
		require.Len(t, rows, 2)
		last := list(t, rows[1])
		require.Len(t, last, 8+3)
		assert.InDelta(t, indicators.SMA(nil, c, 20)[len(c)-1], last[6], 1e-4)
		assert.InDelta(t, indicators.RSI(nil, c, 14)[len(c)-1], last[7], 0.6, "seeded on %d bars instead of all", 80)
	}
}

func TestCandlesOfARange(t *testing.T) {
	d := deps(nil)
	out := call(t, d, "candles", `{"symbol":"SPY","from":"2026-08-03","to":"2026-08-07"}`)
	rows := list(t, out["rows"])
	require.Len(t, rows, 5, "the last day is included")
	assert.Equal(t, "2026-08-03", list(t, rows[0])[0])
	assert.Equal(t, "2026-08-07", list(t, rows[4])[0])
	assert.Equal(t, true, out["last_bar_complete"])
	assert.Len(t, call(t, d, "candles", `{"symbol":"SPY","from":"2026-08-03","to":"2026-08-07","count":2}`)["rows"], 2)
}

func TestWhatDoesNotFitIsSaid(t *testing.T) {
	d := deps(nil)
	out := call(t, d, "candles", `{"symbol":"SPY","from":"2023-01-01","indicators":["MACD","Bollinger","ADX","RSI","ATR","SMA(200)","EMA(9)","EMA(21)"]}`)
	rows := list(t, out["rows"])
	shown := len(rows)
	assert.Greater(t, shown, 100)
	assert.Equal(t, "2026-09-16", list(t, rows[shown-1])[0], "the newest are kept")
	total := len(closes(t, d))
	assert.Contains(t, list(t, out["left_out"])[0], fmt.Sprintf("%d older bars", total-shown))

	out = call(t, d, "candles", `{"symbol":"SPY","count":500,"extended":true}`)
	rows = list(t, out["rows"])
	if older := 500 - len(rows); older > 0 {
		assert.Contains(t, list(t, out["left_out"])[0], fmt.Sprintf("%d older bars", older))
	}
}

func TestCandlesShowOnlyWhatTheMarketHas(t *testing.T) {
	d := deps(func(_ *tools.Deps, m *fakeMarket, _ *fakeBroker) {
		m.clock = market.NewManualClock(time.Date(2023, 1, 5, 20, 0, 0, 0, time.UTC)) // three sessions after the first
	})
	raw, err := find(t, d, "candles").Call(t.Context(), json.RawMessage(`{"symbol":"SPY","count":100,"indicators":["SMA(5)"]}`))
	require.NoError(t, err)
	var out struct {
		Rows    [][]any  `json:"rows"`
		LeftOut []string `json:"left_out"`
	}
	require.NoError(t, json.Unmarshal(raw, &out))
	require.Len(t, out.Rows, 3)
	assert.Nil(t, out.Rows[2][6], "an indicator that has not warmed up is unknown")
	assert.Empty(t, out.LeftOut)
}

func TestAnUnknownIndicatorIsRefusedWithTheNearest(t *testing.T) {
	err := callError(t, deps(nil), "candles", `{"symbol":"SPY","indicators":["RSI","BOLINGER(20)"]}`)
	var field *tools.FieldError
	require.ErrorAs(t, err, &field)
	assert.Contains(t, field.Field, "indicators[1]")
	assert.Contains(t, err.Error(), "Bollinger")
}
