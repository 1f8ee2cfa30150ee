package backtest_test

import (
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// capacityOf runs orders at times of minute or daily bars of two symbols and returns
// the estimate.
func capacityOf(t *testing.T, feeds []backtest.BarFeed, orders map[string]broker.Order) float64 {
	t.Helper()
	s := &script{}
	for _, f := range feeds {
		s.needs.Symbols = append(s.needs.Symbols, f.Symbol)
	}
	s.needs.Interval = feeds[0].Interval
	s.on = func(x *strategy.Session, e *strategy.Event) error {
		if e.Kind != strategy.BarEvent || e.Symbol != feeds[0].Symbol {
			return nil
		}
		if o, ok := orders[e.Bar.Time.Format("01-02 15:04")]; ok {
			_, err := x.Submit(o)
			return err
		}
		return nil
	}
	r, err := backtest.Run(t.Context(), backtest.Options{
		Market: &backtest.Market{Bars: feeds}, Accounts: []backtest.Account{{Strategy: s, Cash: decimal.NewFromInt(100_000)}},
		Rules: backtest.Rules{Path: 0, FreePrices: true, Lasting: true, IgnoreSizes: true},
	})
	require.NoError(t, err)
	x, err := r.Metric("lean.estimated_capacity")
	require.NoError(t, err)
	return x
}

func dailyBars(days int, price, volume float64) []market.Bar {
	var out []market.Bar
	for i := range days {
		day := marchTime(i, 0, 0)
		if d := day.Weekday(); d == time.Saturday || d == time.Sunday {
			continue
		}
		out = append(out, market.Bar{Time: day, Open: price, High: price, Low: price, Close: price, Volume: volume})
	}
	return out
}

// The figures are those of LEAN's documentation worked out by hand.
func TestTheCapacityFollowsTheDocumentedDefinition(t *testing.T) {
	a := backtest.BarFeed{Symbol: "AAA", Interval: market.Day, Bars: dailyBars(5, 100, 1e6)}
	b := backtest.BarFeed{Symbol: "BBB", Interval: market.Day, Bars: dailyBars(5, 10, 1e5)}
	buy := func(symbol market.Symbol, n float64) broker.Order {
		return strategy.MarketOrder(broker.BuyToOpen, symbol, n)
	}
	// One order: all of what was sold is its. 2 % of 100 million dollars.
	assert.InDelta(t, 2e6, capacityOf(t, []backtest.BarFeed{a}, map[string]broker.Order{"03-04 00:00": buy("AAA", 100)}), 1e-6)
	// Two of the same: twice the volume, over two orders.
	assert.InDelta(t, 2e6, capacityOf(t, []backtest.BarFeed{a}, map[string]broker.Order{"03-04 00:00": buy("AAA", 100), "03-05 00:00": buy("AAA", 100)}), 1e-6)
	// The least liquid symbol counts: 2 % of a million, and it is 1,000 of 11,000 sold.
	assert.InDelta(t, 20_000/(1000.0/11_000), capacityOf(t, []backtest.BarFeed{a, b}, map[string]broker.Order{"03-04 00:00": buy("AAA", 100), "03-05 00:00": buy("BBB", 100)}), 1e-6)
	// Two weeks: in the second nothing is sold, and what is held is a tenth of the account.
	long := backtest.BarFeed{Symbol: "AAA", Interval: market.Day, Bars: dailyBars(12, 100, 1e6)}
	assert.InDelta(t, 0.66*2e6+0.33*2e6/0.1, capacityOf(t, []backtest.BarFeed{long}, map[string]broker.Order{"03-04 00:00": buy("AAA", 100)}), 1e-6)
	// A minute's bars trade 60,000 dollars: 100 minutes are 6 million, of which 20 %.
	var minutes []market.Bar
	for i := range 390 {
		minutes = append(minutes, market.Bar{Time: marchTime(0, 9, 30).Add(time.Duration(i) * time.Minute), Open: 100, High: 100, Low: 100, Close: 100, Volume: 600})
	}
	m := backtest.BarFeed{Symbol: "AAA", Interval: market.Minute, Bars: minutes}
	assert.InDelta(t, 0.2*6e6, capacityOf(t, []backtest.BarFeed{m}, map[string]broker.Order{"03-04 10:00": buy("AAA", 10)}), 0.2*60_000*1.01)
	// A second order 39 minutes later gets a fifth of the volume.
	assert.InDelta(t, 0.2*6e6*1.2/2, capacityOf(t, []backtest.BarFeed{m}, map[string]broker.Order{"03-04 10:00": buy("AAA", 10), "03-04 10:39": buy("AAA", 10)}), 0.2*60_000*1.01)
}

func TestTheCapacityIsUnknownWithoutVolumesOrOrders(t *testing.T) {
	a := backtest.BarFeed{Symbol: "AAA", Interval: market.Day, Bars: dailyBars(5, 100, math.NaN())}
	assert.True(t, math.IsNaN(capacityOf(t, []backtest.BarFeed{a}, map[string]broker.Order{"03-04 00:00": strategy.MarketOrder(broker.BuyToOpen, "AAA", 1)})))
	assert.True(t, math.IsNaN(capacityOf(t, []backtest.BarFeed{a}, nil)))
}
