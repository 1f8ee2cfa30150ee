package backtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

func dollars(text string) decimal.Decimal { return decimal.RequireFromString(text) }

// until compares what two accounts did before a time.
func until(t *testing.T, at time.Time, want, got *backtest.AccountRecord, note string) {
	t.Helper()
	cut := at.UnixNano()
	n := 0
	for n < want.Curve.Len() && want.Curve.Time[n] < cut {
		n++
	}
	m := 0
	for m < got.Curve.Len() && got.Curve.Time[m] < cut {
		m++
	}
	require.Equal(t, n, m, note)
	for i := range n {
		require.Equal(t, math.Float64bits(want.Curve.Value[i]), math.Float64bits(got.Curve.Value[i]), "%s: value %d", note, i)
		require.Equal(t, math.Float64bits(want.Curve.Cash[i]), math.Float64bits(got.Curve.Cash[i]), "%s: cash %d", note, i)
	}
	fills := func(list []backtest.Fill) (out []string) {
		for _, f := range list {
			if f.Time.Before(at) {
				out = append(out, fmt.Sprint(f.Time, f.Symbol, f.Action, f.Quantity, f.Price, f.Bar, f.Tag))
			}
		}
		return out
	}
	require.Equal(t, fills(want.Fills), fills(got.Fills), note)
	orders := func(list []backtest.OrderEvent) (out []string) {
		for _, o := range list {
			if o.Time.Before(at) {
				out = append(out, fmt.Sprint(o.Time, o.ID, o.Tag, o.Status))
			}
		}
		return out
	}
	require.Equal(t, orders(want.Orders), orders(got.Orders), note)
}

// TestWhatComesLaterChangesNothing cuts the future off at random points: what
// happened before is the same, bit for bit.
func TestWhatComesLaterChangesNothing(t *testing.T) {
	bars := barsOf(t, "reference", "backtestingpy_GOOG.csv")
	random := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		name  string
		make  func() strategy.Strategy
		rules backtest.Rules
	}{
		{"crossing", func() strategy.Strategy {
			return crossingOf(t, `{"symbol":"GOOG","fast":5,"slow":20,"stop_loss":0.05,"take_profit":0.1}`)
		}, backtest.BacktestingPy(backtest.BacktestingPyOptions{Commission: 0.001})},
		{"on the close", func() strategy.Strategy { return crossingOf(t, `{"symbol":"GOOG","fast":5,"slow":20}`) },
			backtest.BacktestingPy(backtest.BacktestingPyOptions{TradeOnClose: true})},
		{"rsi", func() strategy.Strategy { return builtin(t, "rsi", `{"symbol":"GOOG","stop_loss":0.05}`) }, backtest.Rules{Continuous: true, FreePrices: true}},
		{"peeks as far as it can", func() strategy.Strategy { return peeking("GOOG") }, backtest.Rules{Continuous: true}},
	} {
		run := func(bars []market.Bar) *backtest.AccountRecord {
			r, err := backtest.Run(t.Context(), backtest.Options{
				Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "GOOG", Bars: bars}}},
				Accounts: []backtest.Account{{Strategy: c.make(), Cash: dollars("100000")}},
				Rules:    c.rules,
			})
			require.NoError(t, err)
			return &r.Record.Accounts[0]
		}
		whole := run(bars)
		require.NotEmpty(t, whole.Fills, c.name)
		for range 5 {
			n := 40 + random.IntN(len(bars)-41)
			changed := append([]market.Bar(nil), bars[:n]...)
			// The end closes what is open, which may count as of the bar before the last.
			until(t, bars[n-2].Time, whole, run(changed), fmt.Sprintf("%s cut at %d", c.name, n))
			for _, b := range bars[n:] { // another future
				changed = append(changed, market.Bar{Time: b.Time, Open: 2 * b.Open, High: 3 * b.High, Low: b.Low, Close: 2 * b.Close, Volume: b.Volume})
			}
			until(t, bars[n-1].Time, whole, run(changed), fmt.Sprintf("%s with another future from %d", c.name, n))
		}
	}
}

// peeking buys and sells by all that it can find out at each bar: what its data
// answers, also beyond the length of the slices that it gets.
func peeking(symbol market.Symbol) strategy.Strategy {
	s := &script{needs: strategy.Needs{Symbols: []market.Symbol{symbol}, Interval: market.Day}}
	s.on = func(x *strategy.Session, e *strategy.Event) error {
		if e.Kind != strategy.BarEvent {
			return nil
		}
		known := x.Bars(symbol, 1<<30)
		if cap(known) != len(known) || !known[len(known)-1].Time.Equal(e.Bar.Time) {
			return errors.New("it sees later bars")
		}
		if _, ok := x.Quote(symbol); ok {
			return errors.New("there are no quotes")
		}
		want := 0.0
		if int64(e.Bar.Close*100)%3 == 0 {
			want = 10
		}
		_, err := x.Target(symbol, want)
		return err
	}
	return s
}

// Chains are no different: the same with recorded options, cut between days.
func TestLaterChainsChangeNothing(t *testing.T) {
	store := yahooChain(t, "jpm")
	run := func(to time.Time, mangle bool) *backtest.AccountRecord {
		opts := backtest.Options{
			Market:   &backtest.Market{Chains: []*backtest.ChainStore{store}, Rate: func(market.Date, float64) float64 { return 0.04 }},
			Accounts: []backtest.Account{{Strategy: newOracle(t, "gamma_scalp_straddle_close", "JPM"), Cash: dollars("100000")}},
			Rules:    backtest.OptionOracle(),
		}
		if mangle {
			opts.Market.Chains = []*backtest.ChainStore{doubled(t, store, to)}
		} else {
			opts.To = to
		}
		r, err := backtest.Run(t.Context(), opts)
		require.NoError(t, err)
		return &r.Record.Accounts[0]
	}
	whole := run(time.Time{}, false)
	require.Greater(t, len(whole.Fills), 4)
	for k := 3; k < store.Snapshots(); k++ {
		at := store.Time(k)
		until(t, at.Add(-time.Second), whole, run(at, false), at.String())
		until(t, at.Add(-time.Second), whole, run(at, true), at.String()+" doubled")
	}
}

func yahooChain(t testing.TB, ticker string) *backtest.ChainStore {
	t.Helper()
	chains.Lock()
	defer chains.Unlock()
	if s := chains.read[ticker]; s != nil {
		return s
	}
	stores, err := backtest.OpenChains(nil, sharedtest.Path(t, "data", "options", "yahoo_chain_"+ticker+"_20251124_20251205.csv.gz"))
	require.NoError(t, err)
	require.Len(t, stores, 1)
	chains.read[ticker] = stores[0]
	return stores[0]
}

// chains are those that were read already.
var chains = struct {
	sync.Mutex
	read map[string]*backtest.ChainStore
}{read: map[string]*backtest.ChainStore{}}

// doubled is a chain with all prices doubled from a time on.
func doubled(t *testing.T, s *backtest.ChainStore, from time.Time) *backtest.ChainStore {
	var all []market.OptionQuote
	for k := range s.Snapshots() {
		for _, q := range s.Snapshot(k, nil) {
			if !q.Time.Before(from) {
				q.Bid, q.Ask, q.Spot = 2*q.Bid, 2*q.Ask, 2*q.Spot
			}
			all = append(all, q)
		}
	}
	out, err := backtest.NewChainStore(all)
	require.NoError(t, err)
	return out
}

func runJSON(t *testing.T, opts backtest.Options) string {
	t.Helper()
	r, err := backtest.Run(t.Context(), opts)
	require.NoError(t, err)
	for i := range r.Record.Accounts {
		c := &r.Record.Accounts[i].Curve
		for _, column := range [][]float64{c.Cash, c.Value, c.Exposure, c.Price} {
			for j := range column {
				if math.IsNaN(column[j]) {
					column[j] = -1e300
				}
			}
		}
	}
	text, err := json.Marshal(r.Record)
	require.NoError(t, err)
	return string(text)
}

func TestARunRepeatsBitForBit(t *testing.T) {
	bars := barsOf(t, "reference", "backtestingpy_GOOG.csv")
	opts := func() backtest.Options {
		return backtest.Options{
			Market: &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "GOOG", Bars: bars}, {Symbol: "MSFT", Bars: bars}}},
			Accounts: []backtest.Account{
				{Strategy: crossingOf(t, `{"symbol":"GOOG","fast":5,"slow":20}`), Cash: dollars("100000")},
				{Strategy: crossingOf(t, `{"symbol":"MSFT","fast":10,"slow":30}`), Cash: dollars("100000")},
			},
			Rules: backtest.Rules{Continuous: true, FreePrices: true, Latency: paper.Latency{Live: time.Minute, Jitter: time.Hour}},
			Seed:  7,
		}
	}
	first := runJSON(t, opts())
	assert.Equal(t, first, runJSON(t, opts()))
	other := opts()
	other.Seed = 8
	assert.NotEqual(t, first, runJSON(t, other), "the seed makes the latencies")
}

// Two accounts in one market do what they do alone.
func TestAccountsDoNotDisturbEachOther(t *testing.T) {
	bars := barsOf(t, "reference", "backtestingpy_GOOG.csv")
	spy := barsOf(t, "daily", "yahoo_spy_2005_2021.csv.gz")
	feeds := []backtest.BarFeed{{Symbol: "GOOG", Bars: bars}, {Symbol: "SPY", Bars: spy}}
	strategies := []func() strategy.Strategy{
		func() strategy.Strategy { return crossingOf(t, `{"symbol":"GOOG","fast":10,"slow":30,"stake":50}`) },
		func() strategy.Strategy { return crossingOf(t, `{"symbol":"SPY","fast":20,"slow":80,"stake":20}`) },
	}
	run := func(which ...int) []backtest.AccountRecord {
		var accounts []backtest.Account
		for _, i := range which {
			accounts = append(accounts, backtest.Account{ID: broker.AccountID(fmt.Sprint("A", i)), Strategy: strategies[i](), Cash: dollars("100000")})
		}
		r, err := backtest.Run(t.Context(), backtest.Options{Market: &backtest.Market{Bars: feeds}, Accounts: accounts, Rules: backtest.Rules{Fees: broker.UnitFees(dollars("0.01")), FreePrices: true}})
		require.NoError(t, err)
		return r.Record.Accounts
	}
	both, first, second := run(0, 1), run(0), run(1)
	assert.Equal(t, first[0].Curve, both[0].Curve)
	assert.Equal(t, second[0].Curve, both[1].Curve)
	assert.Equal(t, len(first[0].Trades), len(both[0].Trades))
	assert.Equal(t, len(second[0].Trades), len(both[1].Trades))
	assert.NotEmpty(t, both[1].Trades)
	assert.True(t, both[0].Fees.IsNegative())
}

// The cash of the curve, the ledger's and the exchange's are one.
func TestTheRecordAddsUp(t *testing.T) {
	bars := barsOf(t, "reference", "backtestingpy_GOOG.csv")
	r := runOne(t, crossingOf(t, `{"symbol":"TEST","fast":10,"slow":30}`), "TEST", bars, "10000", backtest.BacktestingPy(backtest.BacktestingPyOptions{Commission: 0.002, KeepOpen: true}))
	a := &r.Record.Accounts[0]
	sum := dollars("10000")
	open := decimal.Zero
	for _, tr := range a.Trades {
		if !tr.Open {
			sum = sum.Add(tr.Profit)
			continue
		}
		open = open.Add(tr.Profit)
		require.Len(t, a.Positions, 1)
		assert.True(t, a.Positions[0].Quantity.Equal(tr.Quantity))
	}
	assert.True(t, sum.Add(open).Sub(*a.Value).Abs().LessThan(dollars("0.000001")), "%s and %s", sum.Add(open), a.Value)
	assert.InDelta(t, a.Cash.InexactFloat64(), last(&a.Curve).Cash, 1e-6)
	assert.InDelta(t, a.Value.InexactFloat64(), last(&a.Curve).Value, 1e-6)
	fees := decimal.Zero
	for _, f := range a.Fills {
		fees = fees.Add(f.Fees.Total())
	}
	assert.True(t, fees.Equal(a.Fees))
	assert.Equal(t, 30, a.Warmup)
}

func TestARunThatIsCancelledKeepsWhatIsDone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	s := silence()
	s.on = func(*strategy.Session, *strategy.Event) error {
		if n++; n == 20_000 {
			cancel()
		}
		return nil
	}
	bars := minutes(60_000)
	r, err := backtest.Run(ctx, backtest.Options{
		Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Minute, Bars: bars}}},
		Accounts: []backtest.Account{{Strategy: s, Cash: dollars("1000")}},
	})
	require.ErrorIs(t, err, context.Canceled)
	require.NotNil(t, r)
	assert.GreaterOrEqual(t, r.Record.Bars, int64(20_000))
	assert.Less(t, r.Record.Bars, int64(60_000))
	assert.Equal(t, int(r.Record.Bars), r.Record.Accounts[0].Curve.Len())
	assert.Contains(t, r.Record.Stopped, "cancel")
}

func TestErrorsOfStrategiesAndObserversEndTheRun(t *testing.T) {
	bars := minutes(2_000)
	fault := errors.New("no more")
	for name, change := range map[string]func(*backtest.Options){
		"strategy": func(o *backtest.Options) {
			s := silence()
			s.on = func(_ *strategy.Session, e *strategy.Event) error {
				if e.Bar.Time.Equal(bars[1000].Time) {
					return fault
				}
				return nil
			}
			o.Accounts[0].Strategy = s
		},
		"observer": func(o *backtest.Options) {
			o.Observer = observer(func(i *backtest.Item) error {
				if i.Point != nil && i.Time.Equal(bars[1001].Time) {
					return fault
				}
				return nil
			})
		},
	} {
		opts := backtest.Options{
			Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Minute, Bars: bars}}},
			Accounts: []backtest.Account{{Strategy: silence(), Cash: dollars("1000")}},
		}
		change(&opts)
		r, err := backtest.Run(t.Context(), opts)
		require.ErrorIs(t, err, fault, name)
		assert.InDelta(t, 1001, float64(r.Record.Bars), 1, name)
	}
}

type observer func(*backtest.Item) error

func (o observer) Observe(i *backtest.Item) error { return o(i) }

// What the observer is told is what the record holds, in the order of time.
func TestTheObserverIsToldEverything(t *testing.T) {
	var begin, points, orders, fills, trades int
	var before time.Time
	bars := barsOf(t, "reference", "backtestingpy_GOOG.csv")
	r, err := backtest.Run(t.Context(), backtest.Options{
		Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "GOOG", Bars: bars}}},
		Accounts: []backtest.Account{{Strategy: crossingOf(t, `{"symbol":"GOOG"}`), Cash: dollars("10000")}},
		Rules:    backtest.BacktestingPy(backtest.BacktestingPyOptions{}),
		Observer: observer(func(i *backtest.Item) error {
			switch {
			case i.Begin != nil:
				begin++
				assert.Equal(t, -1, i.Account)
			case i.Point != nil:
				points++
				assert.False(t, i.Time.Before(before))
				before = i.Time
			case i.Order != nil:
				orders++
			case i.Fill != nil:
				fills++
			case i.Trade != nil:
				trades++
			}
			return nil
		}),
	})
	require.NoError(t, err)
	a := &r.Record.Accounts[0]
	assert.Equal(t, 1, begin)
	assert.GreaterOrEqual(t, points, a.Curve.Len())
	assert.Equal(t, len(a.Orders), orders)
	assert.Equal(t, len(a.Fills), fills)
	assert.Equal(t, 66, trades)
}

// Timers come at their own time, between bars and before those of their time.
func TestTimersComeAtTheirTime(t *testing.T) {
	bars := minutes(400)
	var got []string
	s := silence()
	s.begin = func(x *strategy.Session) error {
		x.Timer("between", bars[5].Time.Add(30*time.Second))
		x.Timer("with", bars[9].Time.Add(time.Minute))
		x.Timer("night", bars[390].Time.Add(-10*time.Hour))
		return nil
	}
	s.on = func(x *strategy.Session, e *strategy.Event) error {
		switch e.Kind {
		case strategy.TimerEvent:
			got = append(got, e.Timer)
			switch e.Timer {
			case "between":
				assert.Equal(t, bars[5].Time.Add(30*time.Second).Unix(), x.Now().Unix())
				assert.Equal(t, bars[4].Time, x.Bars("SPY", 1)[0].Time)
			case "with":
				assert.Equal(t, bars[9].Time, x.Bars("SPY", 1)[0].Time)
			case "night":
				assert.Equal(t, bars[390].Time.Add(-10*time.Hour).Unix(), x.Now().Unix())
			}
		case strategy.EndEvent:
			got = append(got, "end")
		}
		return nil
	}
	runMinutes(t, s, bars, backtest.Rules{})
	assert.Equal(t, []string{"between", "with", "night", "end"}, got)
}

func runMinutes(t *testing.T, s strategy.Strategy, bars []market.Bar, rules backtest.Rules) *backtest.AccountRecord {
	t.Helper()
	r, err := backtest.Run(t.Context(), backtest.Options{
		Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Minute, Bars: bars}}},
		Accounts: []backtest.Account{{Strategy: s, Cash: dollars("1000000")}},
		Rules:    rules,
	})
	require.NoError(t, err)
	return &r.Record.Accounts[0]
}

// Bars before From are history: strategies may ask for them, and get no events.
func TestWarmupComesFromBeforeTheRun(t *testing.T) {
	bars := minutes(1000)
	var first time.Time
	s := silence()
	s.needs.History = 100
	s.begin = func(x *strategy.Session) error {
		past := x.Bars("SPY", 100)
		assert.Len(t, past, 100)
		assert.Equal(t, bars[499].Time, past[99].Time)
		return nil
	}
	s.on = func(_ *strategy.Session, e *strategy.Event) error {
		if e.Kind == strategy.BarEvent && first.IsZero() {
			first = e.Bar.Time
		}
		return nil
	}
	r, err := backtest.Run(t.Context(), backtest.Options{
		Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Minute, Bars: bars}}},
		Accounts: []backtest.Account{{Strategy: s, Cash: dollars("1000000")}},
		From:     bars[500].Time, To: bars[800].Time,
	})
	require.NoError(t, err)
	assert.Equal(t, bars[500].Time, first)
	assert.EqualValues(t, 300, r.Record.Bars)
	assert.Equal(t, 1, r.Record.Accounts[0].Warmup)
}

func TestBadOptionsAreRefused(t *testing.T) {
	bars := minutes(10)
	good := func() backtest.Options {
		return backtest.Options{
			Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Minute, Bars: bars}}},
			Accounts: []backtest.Account{{Strategy: silence(), Cash: dollars("1000")}},
		}
	}
	_, err := backtest.Run(t.Context(), good())
	require.NoError(t, err)
	for field, spoil := range map[string]func(*backtest.Options){
		"Market":                  func(o *backtest.Options) { o.Market = nil },
		"Accounts":                func(o *backtest.Options) { o.Accounts = nil },
		"Accounts[0].Strategy":    func(o *backtest.Options) { o.Accounts[0].Strategy = nil },
		"Accounts[0].Cash":        func(o *backtest.Options) { o.Accounts[0].Cash = decimal.Zero },
		"Curve.Most":              func(o *backtest.Options) { o.Curve.Most = 3 },
		"Curve.Every":             func(o *backtest.Options) { o.Curve.Every = -1 },
		"To":                      func(o *backtest.Options) { o.From, o.To = bars[3].Time, bars[3].Time },
		"Market.Bars[0].Symbol":   func(o *backtest.Options) { o.Market.Bars[0].Symbol = "spy" },
		"Market.Bars[0].Bars":     func(o *backtest.Options) { o.Market.Bars[0].Bars = nil },
		"Market.Bars[1].Symbol":   func(o *backtest.Options) { o.Market.Bars = append(o.Market.Bars, o.Market.Bars[0]) },
		"Market.Bars":             func(o *backtest.Options) { o.Market.Bars[0].Interval = market.Hour },
		"Market.Chains[0]":        func(o *backtest.Options) { o.Market.Chains = []*backtest.ChainStore{nil} },
		"Rules.Finish":            func(o *backtest.Options) { o.Rules.Finish = 9 },
		"Rules.Missing.Policy":    func(o *backtest.Options) { o.Rules.Missing.Policy = 9 },
		"Path":                    func(o *backtest.Options) { o.Rules.Path = 99 },
		"Market.Quotes[0].Symbol": func(o *backtest.Options) { o.Market.Quotes = []backtest.QuoteFeed{{Symbol: "?"}} },
		"Time": func(o *backtest.Options) {
			o.Market.Bars[0].Bars = []market.Bar{bars[3], bars[3]}
		},
		"Open, High, Low, Close": func(o *backtest.Options) {
			o.Market.Bars[0].Bars = []market.Bar{bars[0], {Time: bars[1].Time, Open: math.NaN(), High: 1, Low: 1, Close: 1}}
		},
	} {
		opts := good()
		spoil(&opts)
		_, err := backtest.Run(t.Context(), opts)
		var refused *backtest.FieldError
		require.ErrorAs(t, err, &refused, field)
		assert.Equal(t, field, refused.Field)
	}
}

func TestAStrategyThatAnswersItselfEndsTheRun(t *testing.T) {
	s := &script{needs: strategy.Needs{Symbols: []market.Symbol{"SPY"}, Interval: market.Minute}}
	s.on = func(x *strategy.Session, e *strategy.Event) error {
		if e.Kind == strategy.BarEvent || e.Kind == strategy.OrderEvent && e.Order.Status == broker.Filled {
			_, err := x.Target("SPY", 1-x.Position("SPY").Quantity)
			return err
		}
		return nil
	}
	_, err := backtest.Run(t.Context(), backtest.Options{
		Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Minute, Bars: minutes(3)}}},
		Accounts: []backtest.Account{{Strategy: s, Cash: dollars("1000000")}},
		Rules:    backtest.Rules{Unchecked: true, CheatOnClose: true},
	})
	require.ErrorContains(t, err, "answers each event with another")
}
