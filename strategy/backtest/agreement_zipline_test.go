package backtest_test

import (
	"math"
	"strconv"
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

// apple are daily bars of AAPL as traded, with the closes that zipline's run
// recorded where it recorded them: its data differ from these by some cents.
func apple(t testing.TB, recorded, from, to string) []market.Bar {
	t.Helper()
	seen := map[string]float64{}
	for _, row := range rowsOf(t, "reference", "zipline", recorded) {
		if row["AAPL"] != "" {
			seen[row["date"]] = float(t, row["AAPL"])
		}
	}
	var bars []market.Bar
	for _, b := range barsOf(t, "daily", "lean_aapl_raw.csv.gz") {
		day := b.Time.Format("2006-01-02")
		if day < from || day > to {
			continue
		}
		c, ok := seen[day]
		if !ok {
			c = b.Close
		}
		bars = append(bars, market.Bar{Time: b.Time, Open: c, High: c, Low: c, Close: c, Volume: b.Volume})
	}
	return bars
}

// zipline's buyapple: ten shares every session, filled at the next close; the
// split of 7 for 1 multiplies the order that waits as well.
func TestBuyAppleOfZiplineIsReproduced(t *testing.T) {
	s := &script{needs: strategy.Needs{Symbols: []market.Symbol{"AAPL"}, Interval: market.Day}}
	s.on = func(x *strategy.Session, e *strategy.Event) error {
		if e.Kind == strategy.BarEvent {
			_, err := x.Submit(strategy.MarketOrder(broker.BuyToOpen, "AAPL", 10))
			return err
		}
		return nil
	}
	r, err := backtest.Run(t.Context(), backtest.Options{
		Market: &backtest.Market{
			Bars:   []backtest.BarFeed{{Symbol: "AAPL", Bars: apple(t, "zipline_buyapple_daily.csv", "2014-01-02", "2014-10-31")}},
			Events: []market.Event{{Symbol: "AAPL", Kind: market.Split, Date: market.Date{Year: 2014, Month: 6, Day: 9}, Value: 7}},
		},
		Accounts: []backtest.Account{{Strategy: s, Cash: decimal.NewFromInt(10_000_000)}},
		Rules:    backtest.Zipline(backtest.ZiplineOptions{}),
	})
	require.NoError(t, err)
	a := &r.Record.Accounts[0]
	fills := rowsOf(t, "reference", "zipline", "zipline_buyapple_fills.csv")
	require.Len(t, a.Fills, len(fills))
	for i, f := range fills {
		got := &a.Fills[i]
		assert.Equal(t, f["date"], got.Time.Format("2006-01-02"))
		assert.Equal(t, f["amount"], got.Quantity.String(), f["date"])
		assert.InDelta(t, float(t, f["price"]), got.Price.InexactFloat64(), 1e-8, f["date"])
	}
	days := rowsOf(t, "reference", "zipline", "zipline_buyapple_daily.csv")
	require.Equal(t, len(days), a.Curve.Len())
	for i, row := range days {
		assert.InDelta(t, float(t, row["portfolio_value"]), a.Curve.Value[i], 0.005, row["date"])
		assert.InDelta(t, float(t, row["ending_cash"]), a.Curve.Cash[i], 0.005, row["date"])
	}
	assert.Equal(t, "10228181.07", strconv.FormatFloat(last(&a.Curve).Value, 'f', 2, 64))
}

// zipline's dual moving average: a hundred shares while the average of the last
// hundred closes is above that of the last three hundred.
func TestDualMovingAverageOfZiplineIsReproduced(t *testing.T) {
	s := &script{needs: strategy.Needs{Symbols: []market.Symbol{"AAPL"}, Interval: market.Day, History: 300}}
	s.on = func(x *strategy.Session, e *strategy.Event) error {
		if e.Kind != strategy.BarEvent {
			return nil
		}
		bars := x.Bars("AAPL", 300)
		if len(bars) < 300 {
			return nil
		}
		short, long := 0.0, 0.0
		for i, b := range bars {
			long += b.Close / 300
			if i >= 200 {
				short += b.Close / 100
			}
		}
		target := 0.0
		if short > long {
			target = 100
		}
		_, err := x.Target("AAPL", target)
		return err
	}
	r, err := backtest.Run(t.Context(), backtest.Options{
		Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "AAPL", Bars: apple(t, "zipline_dual_moving_average_daily.csv", "2011-01-03", "2012-12-31")}}},
		Accounts: []backtest.Account{{Strategy: s, Cash: decimal.NewFromInt(10_000_000)}},
		Rules:    backtest.Zipline(backtest.ZiplineOptions{}),
	})
	require.NoError(t, err)
	a := &r.Record.Accounts[0]
	require.Len(t, a.Fills, 1)
	assert.Equal(t, time.Date(2012, 3, 13, 16, 0, 0, 0, market.NYSE().Location()).Unix(), a.Fills[0].Time.Round(time.Second).Unix())
	assert.Equal(t, "100", a.Fills[0].Quantity.String())
	assert.InDelta(t, 568.099, a.Fills[0].Price.InexactFloat64(), 1e-9)
	assert.Equal(t, "9996406.00", strconv.FormatFloat(last(&a.Curve).Value, 'f', 2, 64))
	assert.False(t, math.IsNaN(last(&a.Curve).Exposure))
}
