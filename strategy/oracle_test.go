package strategy_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

// The oracle's runs were reckoned with plain arithmetic over recorded chains of
// five shares, 2025-11-25 to 2025-12-05: see each file's own results.
type oracle struct {
	Spot    float64 `json:"spot_entry"`
	Close   float64 `json:"spot_expiry"`
	Results map[string]struct {
		Legs []struct {
			Symbol string  `json:"symbol"`
			Qty    float64 `json:"qty"`
			Fill   float64 `json:"fill"`
		} `json:"legs"`
		Hedges [][]any `json:"hedges"`
		Profit float64 `json:"pnl_at_expiry"`
	} `json:"results"`
}

// recorded are the chains of one share by day.
func recorded(t *testing.T, ticker string) (map[string][]market.OptionQuote, []string) {
	t.Helper()
	f, err := market.OpenChain(sharedtest.Path(t, "data", "options", "yahoo_chain_"+ticker+"_20251124_20251205.csv.gz"), nil)
	require.NoError(t, err)
	days, names := map[string][]market.OptionQuote{}, []string(nil)
	for _, q := range f.Quotes {
		name := market.DateOf(q.Time.In(market.NYSE().Location())).String()
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if q.Expiration.Before(day("2025-12-13")) {
			days[name] = append(days[name], q)
		}
	}
	return days, names
}

// oracleFees are a dollar for each contract opened, at most ten for a leg, and ten
// cents for clearing it.
func oracleFees() *broker.FeeSchedule {
	one := decimal.NewFromInt
	return &broker.FeeSchedule{Name: "oracle", Rules: []broker.FeeRule{
		{Name: "brokerage", Part: broker.CommissionPart, Products: []broker.FeeProduct{broker.EquityOptionProduct}, Side: broker.OpenSide, PerUnit: one(1), Cap: one(10)},
		{Name: "clearing", Part: broker.ClearingPart, Products: []broker.FeeProduct{broker.EquityOptionProduct}, Side: broker.OpenSide, PerUnit: decimal.New(1, -1)},
	}}
}

var oracleRuns = map[string]struct {
	name   string
	params map[string]any
}{
	"short_put":         {"cash-secured-put", map[string]any{"moneyness": 0.97, "band_days": 0}},
	"covered_call":      {"covered-call", map[string]any{"moneyness": 1.03, "take_profit": 0, "before_dividend": false}},
	"bull_put_vertical": {"bull-put-spread", map[string]any{"moneyness": 0.97, "far_moneyness": 0.93, "take_profit": 0, "stop_delta": 0, "stop_vol": 0}},
	"iron_condor": {"iron-condor", map[string]any{"put_moneyness": 0.97, "wing_put_moneyness": 0.93, "call_moneyness": 1.03, "wing_call_moneyness": 1.07,
		"take_profit": 0, "stop_loss": 0, "close_dte": -1}},
	"long_straddle": {"long-straddle", map[string]any{"take_profit": 0, "stop_loss": 0, "close_dte": -1}},
	"gamma_scalp_straddle_close": {"gamma-scalping", map[string]any{"structure": "straddle", "vol_from": "quoted", "rate_from": "fixed", "rate": 0.04, "years": "days",
		"band": 500, "hedge_every": "0s", "hedge_expiry_day": false, "stop_theta": 0, "stop_vol_fall": 0, "stop_loss": 0, "close_dte": -1}},
}

func TestTheOraclesRunsAreConfigurationsOfTheStrategies(t *testing.T) {
	for _, ticker := range []string{"aapl", "nvda", "meta", "jpm", "tsm"} {
		days, names := recorded(t, ticker)
		data, err := os.ReadFile(sharedtest.Path(t, "data", "reference", "options_py", "yahoo_"+ticker+"_20251205.json"))
		require.NoError(t, err)
		var want oracle
		require.NoError(t, json.Unmarshal(data, &want))
		symbol := days[names[0]][0].Underlying
		for run, setting := range oracleRuns {
			t.Run(ticker+" "+run, func(t *testing.T) {
				changes := map[string]any{
					"symbol": symbol, "dte": 10, "min_dte": 10, "max_dte": 10, "contracts": 1, "pricing": "market", "entries": 1,
					"open_interest": 0, "strike_range": 0, "max_age": "0s",
				}
				for k, v := range setting.params {
					changes[k] = v
				}
				b := newOptionBench(t, build(t, setting.name, changes), ny("2025-11-25", 9, 0), benchOptions{Cash: 1_000_000, Paper: func(o *paper.Options) {
					o.Fees = oracleFees()
					o.Lifecycle.Settlement = func(market.Symbol, market.Date) (float64, bool) { return want.Close, true }
				}})
				before := b.worth()
				b.start()
				shares := map[string]float64{}
				for _, name := range names {
					session, open := market.NYSE().Session(day(name))
					if name < "2025-11-25" || !open {
						continue
					}
					// The quotes of a day stand for its close, when trading still goes on.
					at := session.Close.Add(-time.Minute)
					quotes := slices.Clone(days[name])
					for i := range quotes {
						quotes[i].Time = at
					}
					b.chain(at, quotes[0].Spot, quotes)
					shares[name] = b.s.Position(symbol).Quantity
				}
				b.until(ny("2025-12-05", 20, 0))
				for _, l := range want.Results[run].Legs {
					symbol, err := market.ParseSymbol(l.Symbol)
					require.NoError(t, err)
					assert.Contains(t, b.sent[0], short(symbol))
				}
				assert.InDelta(t, want.Results[run].Profit, b.worth()-before, 0.005, "orders: %v", b.sent)
				for _, h := range want.Results[run].Hedges {
					assert.Equal(t, h[4], shares[h[0].(string)], "shares after the hedge of %s", h[0])
				}
			})
		}
	}
}
