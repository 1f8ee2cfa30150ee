package tools_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

func TestPortfolio(t *testing.T) {
	out := call(t, deps(nil), "portfolio", ``)
	accounts := list(t, out["accounts"])
	require.Len(t, accounts, 2, "closed accounts are not shown")
	main := object(t, accounts[0])
	assert.Equal(t, "5WT00001", main["account"])
	balances := object(t, main["balances"])
	assert.Equal(t, "-1500.25", balances["cash"], "money is text, and signed")
	assert.Nil(t, balances["maintenance_margin"], "unknown is null, not zero")

	positions := list(t, main["positions"])
	require.Len(t, positions, 3)
	value := func(row any, column string) any { return cell(t, out, row, column) }
	shares, put, short := positions[0], positions[1], positions[2]
	assert.Equal(t, "10000", value(shares, "value"))
	assert.Equal(t, "1000", value(shares, "open_profit"))
	assert.Equal(t, "200", value(shares, "day_profit"))
	assert.Equal(t, 100.0, value(shares, "delta"))
	assert.Equal(t, 0.0, value(shares, "theta"))

	assert.Equal(t, "-2", value(put, "quantity"))
	assert.Equal(t, "-110", value(put, "value"), "-2 · 100 · 0.55")
	assert.Equal(t, "130", value(put, "open_profit"), "(0.55 - 1.20) · -2 · 100")
	assert.Equal(t, "60", value(put, "day_profit"), "(0.55 - 0.80) · -2 · 100 + 10 realised")
	g := greeksOfPut()
	assert.InDelta(t, -200*g.Delta, value(put, "delta"), 0.2)
	assert.InDelta(t, -200*g.ThetaPerDay(), value(put, "theta"), 0.05)
	assert.InDelta(t, -200*g.VegaPerPoint(), value(put, "vega"), 0.05)

	assert.Equal(t, "10", value(short, "day_profit"), "opened today at 101: (100 - 101) · -10")

	totals := object(t, main["totals"])
	assert.Equal(t, "8890", totals["value"], "10000 - 110 - 1000")
	assert.Equal(t, "1140", totals["open_profit"], "1000 + 130 + 10")
	assert.Equal(t, "270", totals["day_profit"], "200 + 60 + 10")
	assert.InDelta(t, 100*(100-200*g.Delta-10), totals["dollar_delta"], 20)

	empty := object(t, accounts[1])
	assert.Empty(t, empty["positions"])
	assert.Equal(t, "0", object(t, empty["totals"])["value"])
}

func greeksOfPut() options.Greeks {
	years := options.YearsToExpiry(now, options.ExpiryTime(expirations[1], market.SettledPM, nil))
	return options.BSM{Spot: 100, Strike: 95, Years: years, Rate: rate, Vol: 0.2}.Greeks(market.Put)
}

func TestPortfolioOfOneAccountWithoutGreeks(t *testing.T) {
	out := call(t, deps(nil), "portfolio", `{"account":"5wt00002","greeks":"false"}`)
	require.Len(t, out["accounts"], 1)
	assert.NotContains(t, out["columns"], "delta")
	assert.NotContains(t, out, "greeks_method")
	d := deps(func(d *tools.Deps, _ *fakeMarket, _ *fakeBroker) { d.Market = nil })
	assert.NotContains(t, call(t, d, "portfolio", ``)["columns"], "delta", "no market, no Greeks")
}

func TestOneUnknownPriceMakesTheTotalUnknown(t *testing.T) {
	d := deps(func(_ *tools.Deps, m *fakeMarket, b *fakeBroker) {
		m.unknown = []market.Symbol{"SPY   261016P00095000"}
		b.positions[1].Mark = nil
	})
	out := call(t, d, "portfolio", ``)
	main := object(t, list(t, out["accounts"])[0])
	put := list(t, main["positions"])[1]
	for _, column := range []string{"mark", "value", "open_profit", "day_profit", "delta"} {
		assert.Nil(t, cell(t, out, put, column), column)
	}
	totals := object(t, main["totals"])
	for _, total := range []string{"value", "open_profit", "day_profit", "dollar_delta", "theta_per_day"} {
		assert.Nil(t, totals[total], total)
	}
}

func TestOneAccountThatFailsDoesNotHideTheOthers(t *testing.T) {
	d := deps(func(_ *tools.Deps, _ *fakeMarket, b *fakeBroker) { b.failFor = "5WT00002" })
	accounts := list(t, call(t, d, "portfolio", ``)["accounts"])
	assert.NotNil(t, object(t, accounts[0])["balances"])
	broken := object(t, accounts[1])
	assert.Nil(t, broken["balances"])
	assert.Nil(t, broken["totals"], "an account that could not be read is not an empty one")
	assert.Contains(t, broken["problem"], "broker unavailable")
}

func TestAQuoteServiceThatFailsLeavesThePortfolioWithoutGreeks(t *testing.T) {
	d := deps(func(_ *tools.Deps, m *fakeMarket, _ *fakeBroker) { m.fail = market.ErrUnsupported })
	out := call(t, d, "portfolio", ``)
	positions := list(t, object(t, list(t, out["accounts"])[0])["positions"])
	assert.Equal(t, "10000", cell(t, out, positions[0], "value"))
	assert.Nil(t, cell(t, out, positions[1], "delta"))
}

func TestALargePortfolioShowsTheLargestPositions(t *testing.T) {
	d := deps(func(_ *tools.Deps, _ *fakeMarket, b *fakeBroker) {
		b.positions = nil
		for i := range 600 {
			b.positions = append(b.positions, broker.Position{
				Symbol: market.Symbol(fmt.Sprintf("S%03d", i)), Underlying: market.Symbol(fmt.Sprintf("S%03d", i)),
				Quantity: decimal.NewFromInt(int64(i)), Multiplier: *dec("1"), AverageOpenPrice: dec("1.23"), Mark: dec("2.34"), PrevClose: dec("2"),
			})
		}
	})
	out := call(t, d, "portfolio", `{"account":"5WT00001"}`)
	main := object(t, list(t, out["accounts"])[0])
	positions := list(t, main["positions"])
	assert.Equal(t, "S599", cell(t, out, positions[0], "symbol"))
	assert.Contains(t, list(t, out["left_out"])[0], fmt.Sprintf("%d smaller positions", 600-len(positions)))
	assert.Equal(t, 600.0, object(t, main["totals"])["positions"], "totals are over all")
}

func TestAnalystReturnsTheAnalysisWithinItsBudget(t *testing.T) {
	out := call(t, deps(nil), "analyst", `{"symbol":"SPY"}`)
	analysis := object(t, out["analysis"])
	assert.Equal(t, "SPY", analysis["symbol"])
	assert.Equal(t, "none (rule-based)", analysis["model"])
	assert.NotEmpty(t, analysis["evidence"])
	assert.NotEmpty(t, object(t, analysis["verdict"])["decision"])

	raw, err := find(t, deps(nil), "analyst").Call(t.Context(), json.RawMessage(`{"symbol":"SPY"}`))
	require.NoError(t, err)
	again, err := find(t, deps(nil), "analyst").Call(t.Context(), json.RawMessage(`{"symbol":"spy"}`))
	require.NoError(t, err)
	assert.Equal(t, string(raw), string(again), "the same question at the same time has the same answer")
}
