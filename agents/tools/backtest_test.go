package tools_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// withBacktests has runs over a year of bars that turn now and then.
func withBacktests(t *testing.T) tools.Deps {
	t.Helper()
	jobs := backtest.NewJobs(nil)
	t.Cleanup(func() { require.NoError(t, jobs.Close()) })
	return deps(func(d *tools.Deps, _ *fakeMarket, _ *fakeBroker) {
		d.Backtests = jobs
		d.History = func(_ context.Context, needs strategy.Needs, _, _ time.Time) (*backtest.Market, error) {
			if len(needs.Chains) > 0 {
				return nil, backtest.ErrNoChains
			}
			calendar := market.NYSE()
			var bars []market.Bar
			for i, s := range calendar.Sessions(market.Date{Year: 2024, Month: 1, Day: 1}, market.Date{Year: 2024, Month: 12, Day: 31}) {
				p := 100 + 10*math.Sin(float64(i)/9)
				bars = append(bars, market.Bar{Time: s.Date.In(calendar.Location()), Open: p, High: p + 1, Low: p - 1, Close: p, Volume: 1e6})
			}
			return &backtest.Market{Bars: []backtest.BarFeed{{Symbol: needs.Symbols[0], Bars: bars}}}, nil
		}
	})
}

func TestABacktestIsRunAndAskedForByItsHandle(t *testing.T) {
	d := withBacktests(t)
	out := call(t, d, "backtest", `{"strategy":"ma-cross","symbol":"SPY","params":"{\"fast\":3,\"slow\":9}","from":"2024-01-01","rules":"backtesting.py"}`)
	assert.Equal(t, "done", out["status"])
	assert.Equal(t, 1.0, out["done"])
	result := object(t, out["result"])
	metrics := object(t, result["metrics"])
	assert.Greater(t, metrics["trades"], 3.0)
	assert.Contains(t, result["rules"], "backtesting.py")
	assert.NotEmpty(t, result["data_digest"])
	assert.NotEmpty(t, result["fingerprint"])
	again := call(t, d, "backtest", `{"handle":"`+out["handle"].(string)+`"}`)
	assert.Equal(t, out["result"], again["result"])
}

func TestASearchComesWithItsWarnings(t *testing.T) {
	out := call(t, withBacktests(t), "backtest", `{"strategy":"ma-cross","symbol":"SPY","from":"2024-01-01","ranges":["fast=2..8:2","slow=10..20:5"]}`)
	search := object(t, out["search"])
	assert.Equal(t, 12.0, search["trials"])
	assert.Len(t, list(t, search["best"]), 8)
	assert.NotNil(t, search["warnings"])
	assert.Contains(t, search, "deflated_sharpe")
}

func TestStrategiesAreListedAndDescribed(t *testing.T) {
	d := withBacktests(t)
	all := call(t, d, "backtest", `{}`)
	assert.Equal(t, len(backtest.Definitions()), len(list(t, all["strategies"])))
	one := object(t, list(t, call(t, d, "backtest", `{"strategy":"ma-cross?"}`)["strategies"])[0])
	assert.Contains(t, list(t, one["params"])[0], "symbol")
}

func TestABacktestSaysWhatItCannotDo(t *testing.T) {
	d := withBacktests(t)
	for arguments, says := range map[string]string{
		`{"strategy":"ma-cros"}`:                                       "ma-cross",
		`{"strategy":"ma-cross","params":"[1]"}`:                       "JSON object",
		`{"strategy":"ma-cross","rules":"magic"}`:                      "backtesting.py",
		`{"strategy":"ma-cross","ranges":["fast=5"],"metric":"luck"}`:  "metric",
		`{"strategy":"iron-condor","symbol":"SPY"}`:                    "recorded",
		`{"handle":"GUESSED"}`:                                         "handle",
		`{"strategy":"ma-cross","from":"yesterday"}`:                   "from",
		`{"strategy":"ma-cross","ranges":["fast=1..2"],"method":"ai"}`: "method",
	} {
		assert.ErrorContains(t, callError(t, d, "backtest", arguments), says, arguments)
	}
}

func TestFoundTradesMeetTheCriteriaAndAreRanked(t *testing.T) {
	d := syntheticDeps(t)
	for _, sort := range []string{"score", "pop", "return", "annual", "expected"} {
		out := call(t, d, "find_trades", `{"symbol":"SPY","min_days":20,"max_days":45,"min_credit_width":0.2,"min_pop":0.6,"max_capital":2000,"sort":"`+sort+`","limit":20,"structures":["bull put spread","bear call spread","iron condor"]}`)
		trades := list(t, out["trades"])
		require.NotEmpty(t, trades)
		last := math.Inf(1)
		for _, x := range trades {
			trade := object(t, x)
			width, premium := trade["width"].(float64), trade["premium"].(float64)
			assert.GreaterOrEqual(t, premium/100, 0.2*width-1e-9)
			assert.GreaterOrEqual(t, trade["pop"], 0.6)
			assert.LessOrEqual(t, trade["capital"], 2000.0)
			assert.InDelta(t, width*100-premium, trade["capital"], 0.02, "what it can lose")
			assert.InDelta(t, premium/trade["capital"].(float64), trade["return"], 1e-3)
			assert.GreaterOrEqual(t, trade["days"], 20.0)
			assert.LessOrEqual(t, trade["days"], 45.0)
			assert.LessOrEqual(t, trade["natural"], premium)
			if key := map[string]string{"pop": "pop", "return": "return", "annual": "annual_return"}[sort]; key != "" {
				assert.LessOrEqual(t, trade[key], last+1e-4)
				last = trade[key].(float64)
			}
		}
	}
}

func TestTheChancesOfAFoundTradeAreThoseOfTheStructure(t *testing.T) {
	out := call(t, syntheticDeps(t), "find_trades", `{"symbol":"SPY","min_days":25,"max_days":40,"structures":["iron condor"],"limit":1,"max_width":10}`)
	trade := object(t, list(t, out["trades"])[0])
	breakevens := list(t, trade["breakevens"])
	require.Len(t, breakevens, 2)
	low, high := breakevens[0].(float64), breakevens[1].(float64)
	require.Less(t, low, high)
	var legs []options.Leg
	for _, x := range list(t, trade["legs"]) {
		leg := object(t, x)
		contract, ok := market.Symbol(leg["symbol"].(string)).Contract()
		require.True(t, ok)
		legs = append(legs, options.Leg{Kind: contract.Kind, Quantity: leg["quantity"].(float64), Strike: contract.Strike, Years: trade["days"].(float64) / 365, Price: (leg["bid"].(float64) + leg["ask"].(float64)) / 2})
	}
	structure, err := options.NewStructure(legs...)
	require.NoError(t, err)
	payoff, err := structure.Payoff()
	require.NoError(t, err)
	assert.InDelta(t, trade["max_gain"], payoff.Max(), 0.02)
	assert.InDelta(t, trade["max_loss"], payoff.Min(), 0.02)
	assert.InDeltaSlice(t, []float64{low, high}, payoff.Breakevens(), 1e-3)
}
