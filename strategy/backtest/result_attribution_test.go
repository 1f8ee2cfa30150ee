package backtest_test

import (
	"math"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// The rest of an attribution is what its definition says and nothing else: half the
// spreads at the entry, and what the settlement differs from the last mark. The chains
// have days without a quote of a leg, and quotes at the very end of the options.
func TestTheRestOfAnAttributionIsTradingAndSettlement(t *testing.T) {
	for _, ticker := range []string{"AAPL", "META", "JPM"} {
		for _, kind := range []string{"short_put", "bull_put_vertical", "iron_condor", "long_straddle", "gamma_scalp_straddle_close"} {
			chain := yahooChain(t, strings.ToLower(ticker))
			r, err := backtest.Run(t.Context(), backtest.Options{
				Market:   &backtest.Market{Chains: []*backtest.ChainStore{chain}, Rate: func(market.Date, float64) float64 { return 0.04 }},
				Accounts: []backtest.Account{{Strategy: newOracle(t, kind, market.Symbol(ticker)), Cash: decimal.NewFromInt(100000)}},
				Rules:    backtest.OptionOracle(), Greeks: true,
			})
			require.NoError(t, err)
			parts := map[string]float64{}
			sum := 0.0
			for _, p := range r.Attribution() {
				if p.By == "greek" {
					parts[p.Name] = float64(p.Profit)
					sum += float64(p.Profit)
				}
			}
			a := &r.Record.Accounts[0]
			profit := a.Value.InexactFloat64() - 100000 - a.Fees.InexactFloat64()
			assert.InDelta(t, profit, sum, 1e-6)
			// Every option is traded once at a side of the quote; shares trade at their mark.
			rest := 0.0
			for _, f := range a.Fills {
				if _, option := f.Symbol.Contract(); option {
					rest -= (f.Price.InexactFloat64() - midOf(t, chain, f.Symbol, f.Time.UnixNano())) * 100 * f.Quantity.InexactFloat64() * float64(f.Action.Sign())
				}
			}
			last := last(&a.Curve)
			rest += a.Value.InexactFloat64() - last.Value
			assert.InDelta(t, rest, parts["rest"], 0.01, "%s %s: %v", ticker, kind, parts)
			for name, x := range parts {
				assert.Less(t, math.Abs(x), 5000.0, name)
			}
		}
	}
}

// midOf is the middle of a contract's quote in the snapshot of a time.
func midOf(t *testing.T, chain *backtest.ChainStore, symbol market.Symbol, at int64) float64 {
	t.Helper()
	var q market.OptionQuote
	for k := range chain.Snapshots() {
		_, ok := chain.Find(k, symbol)
		if !ok {
			continue
		}
		for _, x := range chain.Snapshot(k, nil) {
			if x.Symbol == symbol && x.Time.UnixNano() <= at+int64(1e9) {
				q = x
			}
		}
	}
	return (q.Bid + q.Ask) / 2
}
