package backtest_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// gappy are bars of an interval with gaps: sessions that are left out, bars that are
// missing, and some that begin off the interval's grid.
func gappy(random *rand.Rand, interval market.Interval, n int) []market.Bar {
	var bars []market.Bar
	price := 50 + 100*random.Float64()
	add := func(at time.Time) {
		open := price * math.Exp(random.NormFloat64()*0.0005)
		price = open * math.Exp(random.NormFloat64()*0.002)
		bars = append(bars, market.Bar{
			Time: at, Open: open, High: max(open, price) * 1.001, Low: min(open, price) * 0.999, Close: price, Volume: float64(random.IntN(1000)),
		})
	}
	step := interval.Duration()
	for _, s := range market.NYSE().Sessions(market.Date{Year: 2015, Month: 1, Day: 1}, market.Date{Year: 2026, Month: 1, Day: 1}) {
		if random.IntN(20) == 0 {
			continue
		}
		if !interval.Intraday() {
			add(s.Date.In(market.NYSE().Location()))
		}
		for at := s.Open; interval.Intraday() && at.Before(s.Close); at = at.Add(step) {
			if random.IntN(30) > 0 {
				add(at)
			}
			if off := at.Add(step / 2); random.IntN(50) == 0 && off.Add(step).Before(s.Close) {
				add(off)
			}
		}
		if len(bars) >= n {
			return bars[:n]
		}
	}
	return bars
}

// sameRecord requires that two runs did the same.
func sameRecord(t *testing.T, want, got *backtest.Record, note string) {
	t.Helper()
	require.Equal(t, want.Digest, got.Digest, note)
	require.Equal(t, want.Bars, got.Bars, note)
	require.True(t, want.Begin.Equal(got.Begin) && want.End.Equal(got.End), note)
	require.Equal(t, want.Stopped, got.Stopped, note)
	require.Len(t, got.Accounts, len(want.Accounts), note)
	for i := range want.Accounts {
		a, b := &want.Accounts[i], &got.Accounts[i]
		require.Equal(t, a.Fills, b.Fills, note)
		require.Equal(t, a.Trades, b.Trades, note)
		require.Equal(t, a.Curve, b.Curve, note)
		require.Equal(t, a.Orders, b.Orders, note)
		require.Equal(t, a.Transactions, b.Transactions, note)
		require.Equal(t, a.Notes, b.Notes, note)
		require.Equal(t, settled(a.Positions), settled(b.Positions), note)
		require.JSONEq(t, string(a.State), string(b.State), note)
		require.True(t, a.Cash.Equal(b.Cash), note)
		require.Equal(t, a.Warmup, b.Warmup, note)
	}
}

// settled leaves out what an exchange that was not shown every bar does not know.
func settled(positions []broker.Position) []broker.Position {
	out := slices.Clone(positions)
	for i := range out {
		out[i].PrevClose = nil
	}
	return out
}

// itemList keeps what an observer is told.
type itemList []string

func (l *itemList) Observe(item *backtest.Item) error {
	text, err := json.Marshal(item)
	if item.Point != nil { // a price may be unknown, which JSON has no number for
		text, err = fmt.Appendf(nil, "%d %+v", item.Account, *item.Point), nil
	}
	*l = append(*l, string(text))
	return err
}

// eventful hides that a strategy can take bars in passing.
type eventful struct{ strategy.Strategy }

// TestGlidingIsTheSameAsWalking compares the loops for quiet bars, with an event for
// each bar and with bars that are skimmed, with the one that shows every bar to the
// exchange: on random bars, of strategies that trade now and then.
func TestGlidingIsTheSameAsWalking(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	traders := []struct{ name, params string }{
		{"sma-crossing", `"fast":5,"slow":20,"stake":100`},
		{"sma-crossing", `"fast":3,"slow":30,"direction":"long","stop_loss":0.01,"take_profit":0.02`},
		{"ma-cross", `"fast":5,"slow":30,"quantity":100`},
		{"ma-cross", `"fast":3,"slow":12,"direction":"both","average":"ema","allocation":0.5`},
		{"ma-cross", `"fast":2,"slow":40,"direction":"short","quantity":7`},
		{"breakout", `"entry":30,"exit":10,"direction":"both"`},
		{"mean-reversion", `"lookback":20,"hold":9,"stop":4,"direction":"both"`},
		{"smac", `"fast_period":5,"slow_period":25,"stop_loss":0.01`},
		{"rsi", `"take_profit":0.01,"stop_trail":0.02`},
		{"macd", `"buy_prop":0.5,"sell_prop":0.5`},
		{"bbands", `"single_position":true,"allow_short":true`},
	}
	rules := []backtest.Rules{
		{}, {CheatOnClose: true, PointFirst: true}, {Continuous: true, FreePrices: true, Finish: backtest.CloseAtLastClose},
		backtest.BacktestingPy(backtest.BacktestingPyOptions{Commission: 0.001}),
		backtest.BacktestingPy(backtest.BacktestingPyOptions{TradeOnClose: true}),
		{Ruin: true, Finish: backtest.CloseAtLastOpen},
	}
	fills := 0
	for n := range 44 {
		trader, interval := traders[n%len(traders)], []market.Interval{market.Minute, "1h", market.Day, "5m"}[random.IntN(4)]
		bars := gappy(random, interval, 300+random.IntN(1000))
		opts := backtest.Options{Rules: rules[random.IntN(len(rules))], Seed: uint64(n)}
		feed := backtest.BarFeed{Symbol: "SPY", Interval: interval, Bars: bars}
		if random.IntN(3) == 0 {
			feed.Bars, feed.Source = nil, backtest.SliceSource(bars)
		}
		opts.Market = &backtest.Market{Bars: []backtest.BarFeed{feed}}
		if random.IntN(2) == 0 {
			opts.From, opts.To = bars[50].Time, bars[len(bars)-random.IntN(50)-1].Time
		}
		if random.IntN(2) == 0 {
			day := market.DateOf(bars[len(bars)/2].Time.In(market.NYSE().Location()))
			opts.Market.Events = []market.Event{{Kind: market.Dividend, Symbol: "SPY", Date: day, Value: 0.5}}
		}
		if random.IntN(4) == 0 {
			opts.Curve = backtest.CurveOptions{Most: 100}
		}
		note := fmt.Sprintf("run %d: %s %s over %d bars of %s, rules %s, to %v", n, trader.name, trader.params, len(bars), interval, opts.Rules.Name, opts.To)
		accounts, observed := 1+random.IntN(2), random.IntN(3) == 0
		run := func(slow, hidden bool) (*backtest.Record, []string) {
			params := fmt.Sprintf(`{"symbol":"SPY","interval":%q,%s}`, interval, trader.params)
			opts.Accounts = nil
			for range accounts {
				var s strategy.Strategy
				if trader.name == "sma-crossing" {
					s = crossingOf(t, params)
				} else {
					s = builtin(t, trader.name, params)
				}
				_, skims := s.(strategy.Skimmer)
				require.True(t, skims, note)
				if hidden {
					s = eventful{s}
				}
				opts.Accounts = append(opts.Accounts, backtest.Account{Strategy: s, Cash: dollars("1000000")})
			}
			var told itemList
			if opts.Observer = nil; observed {
				opts.Observer = &told
			}
			r, err := backtest.RunSlow(t.Context(), opts, slow)
			require.NoError(t, err, note)
			return r.Record, told
		}
		walked, told := run(true, false)
		require.Equal(t, observed, len(told) > 0)
		for how, hidden := range map[string]bool{"an event for each bar": true, "skimmed": false} {
			got, heard := run(false, hidden)
			sameRecord(t, walked, got, note+", "+how)
			require.Equal(t, told, heard, note+", "+how)
		}
		fills += len(walked.Accounts[0].Fills)
	}
	assert.Greater(t, fills, 1000)
}

// A run that is stopped stands where a slower one would: its snapshot tells the
// time of the last bar that was taken, handled or not.
func TestASnapshotKnowsTheBarsThatWereSkimmed(t *testing.T) {
	bars := minutes(1000)
	bars[700].High = bars[700].Low - 1 // ends the run with an error
	run := func(slow bool) *backtest.Record {
		r, err := backtest.RunSlow(t.Context(), backtest.Options{
			Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Minute, Bars: bars}}},
			Accounts: []backtest.Account{{Strategy: builtin(t, "ma-cross", `{"symbol":"SPY","interval":"1m","fast":200,"slow":600,"allocation":1e-9}`), Cash: dollars("1000000")}},
		}, slow)
		require.Error(t, err)
		return r.Record
	}
	walked, skimmed := run(true), run(false)
	assert.EqualValues(t, 700, skimmed.Bars)
	var state struct{ Time time.Time }
	require.NoError(t, json.Unmarshal(skimmed.Accounts[0].State, &state))
	assert.True(t, state.Time.Equal(bars[699].Time), "the last bar that the strategy took has ended then: %v", state.Time)
	sameRecord(t, walked, skimmed, "stopped")
}

// The end of a run is the same whether the data end there or Options.To cuts them.
func TestTheEndOfARunIsThatOfItsData(t *testing.T) {
	bars := minutes(600)
	for _, rules := range []backtest.Rules{
		backtest.BacktestingPy(backtest.BacktestingPyOptions{TradeOnClose: true}), {CheatOnClose: true}, {Finish: backtest.CloseAtPreviousClose},
	} {
		run := func(feed backtest.BarFeed, to time.Time) *backtest.Record {
			feed.Symbol, feed.Interval = "SPY", market.Minute
			turns := 0
			s := &script{needs: strategy.Needs{Symbols: []market.Symbol{"SPY"}, Interval: market.Minute}}
			s.on = func(x *strategy.Session, e *strategy.Event) error {
				if e.Kind != strategy.BarEvent {
					return nil
				}
				if turns++; turns%100 != 0 { // the last is one that trades
					return nil
				}
				_, _ = x.Target("SPY", float64(turns%200)/10) // it is refused at the last close
				return nil
			}
			r, err := backtest.Run(t.Context(), backtest.Options{
				Market: &backtest.Market{Bars: []backtest.BarFeed{feed}}, To: to, Rules: rules,
				Accounts: []backtest.Account{{Strategy: s, Cash: dollars("1000000")}},
			})
			require.NoError(t, err)
			return r.Record
		}
		want := run(backtest.BarFeed{Bars: bars[:300]}, time.Time{})
		require.NotEmpty(t, want.Accounts[0].Orders)
		sameRecord(t, want, run(backtest.BarFeed{Bars: bars}, bars[300].Time), "bars")
		sameRecord(t, want, run(backtest.BarFeed{Source: backtest.SliceSource(bars)}, bars[300].Time), "a source")
	}
}
