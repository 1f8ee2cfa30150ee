package tools_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

func TestAnOptionChainBeginsWithItsExpirations(t *testing.T) {
	d := deps(func(_ *tools.Deps, m *fakeMarket, _ *fakeBroker) {
		m.term = map[market.Date]float64{expirations[1]: 0.2034}
	})
	out := call(t, d, "option_chain", `{"symbol":"SPY"}`)
	assert.Equal(t, 100.0, out["spot"])
	rows := list(t, out["expirations"])
	require.Len(t, rows, 3, "what has expired is not shown")
	first, second := object(t, rows[0]), object(t, rows[1])
	assert.Equal(t, "2026-09-18", first["date"])
	assert.Equal(t, 2.0, first["days"])
	assert.Equal(t, 41.0, first["strikes"])
	assert.Nil(t, first["atm_vol"])
	assert.Equal(t, 0.2034, second["atm_vol"])
	assert.NotContains(t, out, "columns")
}

// cell returns a value of a contract's row by its column.
func cell(t *testing.T, out map[string]any, contract any, column string) any {
	t.Helper()
	for i, c := range list(t, out["columns"]) {
		if c == column {
			return list(t, contract)[i]
		}
	}
	t.Fatalf("no column %s", column)
	return nil
}

func TestAnOptionChainShowsContractsNearTheMoneyWithGreeks(t *testing.T) {
	out := call(t, deps(nil), "option_chain", `{"symbol":"SPY","expirations":["2026-10-16"],"strikes":5}`)
	rows := list(t, out["expirations"])
	require.Len(t, rows, 1)
	e := object(t, rows[0])
	assert.InDelta(t, 0.2, e["atm_vol"], 0.001)
	contracts := list(t, e["contracts"])
	require.Len(t, contracts, 10)
	put := contracts[1]
	assert.Equal(t, 98.0, cell(t, out, put, "strike"))
	assert.Equal(t, "p", cell(t, out, put, "kind"))
	years := options.YearsToExpiry(now, options.ExpiryTime(expirations[1], market.SettledPM, nil))
	want := options.BSM{Spot: 100, Strike: 98, Years: years, Rate: rate, Vol: 0.2}.Greeks(market.Put)
	assert.InDelta(t, 0.2, cell(t, out, put, "iv"), 0.001)
	assert.InDelta(t, want.Delta, cell(t, out, put, "delta"), 0.002)
	assert.InDelta(t, want.ThetaPerDay(), cell(t, out, put, "theta"), 0.001)
	assert.InDelta(t, want.VegaPerPoint(), cell(t, out, put, "vega"), 0.001)
	assert.Equal(t, 70.0, cell(t, out, put, "open_interest"))
	// One standard deviation: 100·0.2·√T.
	assert.InDelta(t, 20*math.Sqrt(years), e["expected_move"], 0.05)
}

func TestAnOptionChainByDaysAndKind(t *testing.T) {
	out := call(t, deps(nil), "option_chain", `{"symbol":"SPY","min_days":"20","max_days":120,"kind":"put","strikes":3}`)
	rows := list(t, out["expirations"])
	require.Len(t, rows, 2)
	for _, r := range rows {
		contracts := list(t, object(t, r)["contracts"])
		require.Len(t, contracts, 3)
		assert.Equal(t, "p", cell(t, out, contracts[0], "kind"))
	}
}

func TestWhereMidPricesSayNothingTheSourceIsRepeated(t *testing.T) {
	d := deps(func(_ *tools.Deps, m *fakeMarket, _ *fakeBroker) {
		m.change = func(q *market.OptionQuote) {
			if q.Strike == 100 && q.Kind == market.Call {
				q.Bid, q.Ask, q.IV, q.Delta = math.NaN(), math.NaN(), 0.19, 0.52
			}
			if q.Strike == 101 && q.Kind == market.Call {
				q.Bid, q.Ask = math.NaN(), math.NaN()
			}
		}
	})
	out := call(t, d, "option_chain", `{"symbol":"SPY","expirations":["2026-12-18"],"kind":"call","strikes":3}`)
	contracts := list(t, object(t, list(t, out["expirations"])[0])["contracts"])
	require.Len(t, contracts, 3)
	assert.Equal(t, 0.19, cell(t, out, contracts[1], "iv"))
	assert.Equal(t, 0.52, cell(t, out, contracts[1], "delta"))
	assert.Nil(t, cell(t, out, contracts[2], "bid"))
	assert.Nil(t, cell(t, out, contracts[2], "iv"))
}

func TestALargeChainIsCutAroundTheMoney(t *testing.T) {
	d := deps(func(_ *tools.Deps, m *fakeMarket, _ *fakeBroker) { m.strikes = 151 })
	out := call(t, d, "option_chain", `{"symbol":"SPY","min_days":0,"strikes":100}`)
	rows := list(t, out["expirations"])
	require.Len(t, rows, 3)
	require.Len(t, out["left_out"], 3)
	assert.Contains(t, list(t, out["left_out"])[0], "contracts of 2026-09-18 far from the money")
	contracts := list(t, object(t, rows[0])["contracts"])
	assert.Greater(t, len(contracts), 50)
	first, last := cell(t, out, contracts[0], "strike").(float64), cell(t, out, contracts[len(contracts)-1], "strike").(float64)
	assert.InDelta(t, 100, (first+last)/2, 1.1)
}
