package backtest_test

import (
	"runtime"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// From the decision to the record an order needs few pieces of memory: the price,
// the quantities and the amounts that are told as decimals, and its share of the
// rooms that hold many orders.
func TestAnOrderOfAReplayNeedsLittleMemory(t *testing.T) {
	bars := minutes(6000)
	run := func(s strategy.Strategy) (pieces uint64, fills int) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := backtest.Run(t.Context(), backtest.Options{
			Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Minute, Bars: bars}}},
			Accounts: []backtest.Account{{Strategy: s, Cash: decimal.NewFromInt(1_000_000)}},
		})
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		return after.Mallocs - before.Mallocs, len(r.Record.Accounts[0].Fills)
	}
	alone, _ := run(silence())
	s, long := silence(), false
	s.on = func(s *strategy.Session, e *strategy.Event) error {
		if e.Kind != strategy.BarEvent {
			return nil
		}
		quantity := -100.0
		if long = !long; long {
			quantity = 100
		}
		_, err := s.Target("SPY", quantity)
		return err
	}
	traded, fills := run(s)
	require.Greater(t, fills, 10_000)
	assert.Less(t, float64(traded-alone)/float64(fills), 16.0)
}
