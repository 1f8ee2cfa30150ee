package backtest_test

import (
	"fmt"
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

// marchTime is a time of Monday, 4 March 2024, or a later day, in New York.
func marchTime(day, hour, minute int) time.Time {
	return time.Date(2024, 3, 4+day, hour, minute, 0, 0, market.NYSE().Location())
}

// TestAnOrderGivenInsideABarDoesNotSeeItsPast: what is ordered at noon fills at no
// price from before noon. Of a daily bar only its close is known to come later.
func TestAnOrderGivenInsideABarDoesNotSeeItsPast(t *testing.T) {
	daily := []market.Bar{
		{Time: marchTime(0, 0, 0), Open: 100, High: 101, Low: 99, Close: 100, Volume: 1e6},
		{Time: marchTime(1, 0, 0), Open: 110, High: 131, Low: 90, Close: 130, Volume: 1e6},
		{Time: marchTime(2, 0, 0), Open: 140, High: 141, Low: 139, Close: 140, Volume: 1e6},
	}
	var minutes []market.Bar
	for i := range 390 {
		p := 200 + float64(i)/100
		minutes = append(minutes, market.Bar{Time: marchTime(1, 9, 30).Add(time.Duration(i) * time.Minute), Open: p, High: p, Low: p, Close: p, Volume: 100})
	}
	for name, order := range map[string]broker.Order{
		"at the market":            strategy.MarketOrder(broker.BuyToOpen, "SPY", 1),
		"at the low of the day":    strategy.LimitOrder(broker.BuyToOpen, "SPY", 1, 91),
		"at the high, sold short":  strategy.LimitOrder(broker.SellToOpen, "SPY", 1, 130.9),
		"at a stop that was there": strategy.StopOrder(broker.SellToOpen, "SPY", 1, 95),
	} {
		for _, by := range []string{"timer", "bar of another symbol"} {
			t.Run(fmt.Sprintf("%s, by a %s", name, by), func(t *testing.T) {
				sent := false
				send := func(x *strategy.Session) error {
					if sent {
						return nil
					}
					sent = true
					_, err := x.Submit(order)
					return err
				}
				s := &script{needs: strategy.Needs{Symbols: []market.Symbol{"QQQ"}, Interval: market.Minute}}
				s.begin = func(x *strategy.Session) error {
					if by == "timer" {
						x.Timer("noon", marchTime(1, 12, 0))
					}
					return nil
				}
				s.on = func(x *strategy.Session, e *strategy.Event) error {
					if e.Kind == strategy.TimerEvent || by != "timer" && e.Kind == strategy.BarEvent && !e.Time.Before(marchTime(1, 12, 0)) {
						return send(x)
					}
					return nil
				}
				feeds := []backtest.BarFeed{{Symbol: "SPY", Bars: daily}, {Symbol: "QQQ", Interval: market.Minute, Bars: minutes}}
				if by == "timer" {
					s.needs = strategy.Needs{Symbols: []market.Symbol{"SPY"}, Interval: market.Day}
					feeds = feeds[:1]
				}
				r, err := backtest.Run(t.Context(), backtest.Options{
					Market: &backtest.Market{Bars: feeds}, Accounts: []backtest.Account{{Strategy: s, Cash: decimal.NewFromInt(100000)}}, Rules: backtest.Rules{Lasting: true},
				})
				require.NoError(t, err)
				require.True(t, sent)
				for _, f := range r.Record.Accounts[0].Fills {
					assert.Contains(t, []float64{130, 140}, f.Price.InexactFloat64(), "%s of %s", f.Action, f.Time)
					assert.False(t, f.Time.Before(marchTime(1, 15, 59)), "%s", f.Time)
				}
				if name == "at the market" {
					assert.NotEmpty(t, r.Record.Accounts[0].Fills)
				}
			})
		}
	}
}

// TestTheExchangeIsNeverBehindTheStrategy: bars of another interval, by which a symbol
// does not trade, do not pass for the exchange's time. What is ordered at a moment is
// stamped with it, and lasts until the end of its own day.
func TestTheExchangeIsNeverBehindTheStrategy(t *testing.T) {
	var daily, minutes []market.Bar
	for day := range 3 {
		daily = append(daily, market.Bar{Time: marchTime(day, 0, 0), Open: 100, High: 101, Low: 99, Close: 100, Volume: 1e6})
		for i := range 78 {
			minutes = append(minutes, market.Bar{Time: marchTime(day, 9, 30).Add(time.Duration(5*i) * time.Minute), Open: 100, High: 101, Low: 99, Close: 100, Volume: 1000})
		}
	}
	sent := false
	s := &script{needs: strategy.Needs{Symbols: []market.Symbol{"SPY"}, Interval: "5m"}}
	s.on = func(x *strategy.Session, e *strategy.Event) error {
		if e.Kind == strategy.BarEvent && !sent && !e.Time.Before(marchTime(1, 11, 0)) {
			sent = true
			_, err := x.Submit(strategy.LimitOrder(broker.BuyToOpen, "SPY", 1, 50))
			return err
		}
		return nil
	}
	r, err := backtest.Run(t.Context(), backtest.Options{
		Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Day, Bars: daily}, {Symbol: "SPY", Interval: "5m", Bars: minutes}}},
		Accounts: []backtest.Account{{Strategy: s, Cash: decimal.NewFromInt(100000)}},
	})
	require.NoError(t, err)
	orders := r.Record.Accounts[0].Orders
	require.NotEmpty(t, orders)
	assert.Equal(t, marchTime(1, 11, 0).Unix(), orders[0].Time.Unix())
	assert.Equal(t, marchTime(1, 16, 0).Unix(), orders[len(orders)-1].Time.Unix(), "it ends with its day: %s", orders[len(orders)-1].Status)
}
