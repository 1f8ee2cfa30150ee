package backtest_test

import (
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// A day of a made market: the share's close, and the quotes of some options.
type madeDay struct {
	date   string
	close  float64
	quotes map[string][2]float64 // OCC symbol: bid, ask
}

func made(t *testing.T, days []madeDay) (*backtest.ChainStore, []market.Bar) {
	t.Helper()
	var quotes []market.OptionQuote
	var bars []market.Bar
	for _, d := range days {
		date, err := market.ParseDate(d.date)
		require.NoError(t, err)
		session, ok := market.NYSE().Session(date)
		require.True(t, ok, d.date)
		bars = append(bars, market.Bar{Time: date.In(market.NYSE().Location()), Open: d.close, High: d.close, Low: d.close, Close: d.close, Volume: 1000})
		for text, price := range d.quotes {
			symbol, err := market.ParseSymbol(text)
			require.NoError(t, err)
			c, ok := symbol.Contract()
			require.True(t, ok)
			q := market.OptionQuote{
				Symbol: symbol, Underlying: c.Underlying(), Root: c.Root, Kind: c.Kind, Strike: c.Strike, Expiration: c.Expiration, Multiplier: 100,
				Time: session.Close, Bid: price[0], Ask: price[1], Spot: d.close,
			}
			for _, x := range []*float64{&q.BidSize, &q.AskSize, &q.Last, &q.Volume, &q.OpenInterest, &q.IV, &q.Delta, &q.Gamma, &q.Theta, &q.Vega, &q.Rho} {
				*x = math.NaN()
			}
			quotes = append(quotes, q)
		}
	}
	store, err := backtest.NewChainStore(quotes)
	require.NoError(t, err)
	return store, bars
}

// at is a script that trades at the first chain of a day.
func at(date string, orders ...broker.Order) *script {
	s := &script{needs: strategy.Needs{Symbols: []market.Symbol{"XYZ"}, Chains: []market.Symbol{"XYZ"}}}
	done := false
	s.on = func(x *strategy.Session, e *strategy.Event) error {
		if e.Kind != strategy.ChainEvent || done || x.Date().String() != date {
			return nil
		}
		done = true
		for _, o := range orders {
			if _, err := x.Submit(o); err != nil {
				return err
			}
		}
		return nil
	}
	return s
}

func symbolOf(t *testing.T, text string) market.Symbol {
	t.Helper()
	s, err := market.ParseSymbol(text)
	require.NoError(t, err)
	return s
}

func kinds(list []broker.Transaction) (out []broker.TransactionKind) {
	for _, t := range list {
		out = append(out, t.Kind)
	}
	return out
}

const call100, put100 = "XYZ260320C00100000", "XYZ260320P00100000"

// A short put in the money is assigned: shares come at the strike.
func TestAShortPutIsAssigned(t *testing.T) {
	store, bars := made(t, []madeDay{
		{"2026-03-18", 101, map[string][2]float64{put100: {1, 1.2}}},
		{"2026-03-19", 98, map[string][2]float64{put100: {2.1, 2.3}}},
		{"2026-03-20", 97, map[string][2]float64{put100: {2.9, 3.1}}},
		{"2026-03-23", 99, map[string][2]float64{"XYZ260417P00090000": {1, 1.1}}},
	})
	for name, m := range map[string]*backtest.Market{
		"chain alone":  {Chains: []*backtest.ChainStore{store}},
		"and the bars": {Chains: []*backtest.ChainStore{store}, Bars: []backtest.BarFeed{{Symbol: "XYZ", Bars: bars}}},
	} {
		r, err := backtest.Run(t.Context(), backtest.Options{
			Market: m, Greeks: true,
			Accounts: []backtest.Account{{Strategy: at("2026-03-18", strategy.MarketOrder(broker.SellToOpen, symbolOf(t, put100), 1)), Cash: dollars("50000")}},
			Rules:    backtest.Rules{Fees: broker.TastytradeFees()},
		})
		require.NoError(t, err, name)
		a := &r.Record.Accounts[0]
		assert.Equal(t, []broker.TransactionKind{broker.Assignment, broker.Assignment}, kinds(a.Transactions), name)
		require.Len(t, a.Positions, 1, name)
		assert.Equal(t, "100", a.Positions[0].Quantity.String())
		assert.Equal(t, "100", a.Positions[0].AverageOpenPrice.String())
		// 50,000 + 100 of premium − 10,000 for the shares, less the fees; then 9,900 of shares.
		assert.True(t, dollars("40100").Add(a.Fees).Equal(a.Cash), "%s: %s with fees of %s", name, a.Cash, a.Fees)
		assert.True(t, a.Fees.LessThan(dollars("-1")), name)
		require.NotNil(t, a.Value)
		assert.True(t, a.Cash.Add(dollars("9900")).Equal(*a.Value), name)
		require.Len(t, a.Trades, 2, name)
		assert.Equal(t, broker.Assignment, a.Trades[0].Ended)
		assert.True(t, a.Trades[1].Open)
		// Before expiry it is worth what its quote says.
		assert.InDelta(t, 50100+a.Fills[0].Fees.Total().InexactFloat64()-100*1.1, a.Curve.Value[0], 1e-9, name)
		require.NotEmpty(t, a.Greeks, name)
		assert.InDelta(t, 45, a.Greeks[0].Delta, 20, "a short put is long delta")
		assert.Equal(t, -1, a.Greeks[0].Options)
	}
}

// A short call is assigned the day before the ex-date when its time value is less
// than the dividend, and the long share holder gets the dividend otherwise.
func TestDividendsAreCreditedAndCauseEarlyAssignment(t *testing.T) {
	store, bars := made(t, []madeDay{
		{"2026-03-09", 109, map[string][2]float64{call100: {9.3, 9.5}}},
		{"2026-03-10", 110, map[string][2]float64{call100: {10.05, 10.15}}},
		{"2026-03-11", 110, map[string][2]float64{call100: {10.05, 10.15}}},
		{"2026-03-12", 109, map[string][2]float64{call100: {9, 9.2}}},
	})
	dividend := market.Event{Symbol: "XYZ", Kind: market.Dividend, Date: market.Date{Year: 2026, Month: 3, Day: 12}, Value: 1}
	run := func(early paper.EarlyAssignment, adjusted bool, orders ...broker.Order) *backtest.AccountRecord {
		r, err := backtest.Run(t.Context(), backtest.Options{
			Market:   &backtest.Market{Chains: []*backtest.ChainStore{store}, Bars: []backtest.BarFeed{{Symbol: "XYZ", Bars: bars}}, Events: []market.Event{dividend}},
			Accounts: []backtest.Account{{Strategy: at("2026-03-09", orders...), Cash: dollars("50000")}},
			Rules:    backtest.Rules{Lifecycle: paper.Lifecycle{Early: early}, Adjusted: adjusted},
		})
		require.NoError(t, err)
		return &r.Record.Accounts[0]
	}
	shares := strategy.MarketOrder(broker.BuyToOpen, "XYZ", 100)
	call := strategy.MarketOrder(broker.SellToOpen, symbolOf(t, call100), 1)
	a := run(paper.EarlyRational, false, shares, call)
	assert.Equal(t, []broker.TransactionKind{broker.Assignment, broker.Assignment}, kinds(a.Transactions))
	assert.Equal(t, "2026-03-11", a.Transactions[0].Time.Format("2006-01-02"))
	assert.Empty(t, a.Positions)
	assert.Equal(t, "50030", a.Cash.String(), "bought at 109, sold the call at 9.30, delivered at 100")
	a = run(paper.EarlyNever, false, shares, call)
	assert.Equal(t, []broker.TransactionKind{broker.Dividend}, kinds(a.Transactions))
	assert.Equal(t, "100", a.Transactions[0].Amount.String())
	assert.Empty(t, run(paper.EarlyNever, true, shares).Transactions, "adjusted bars have the dividend in them")
}

// A split multiplies shares and contracts; the value goes on.
func TestSplitsCarryOn(t *testing.T) {
	after := "XYZ260320C00025000"
	store, bars := made(t, []madeDay{
		{"2026-03-09", 100, map[string][2]float64{call100: {4, 4.4}}},
		{"2026-03-10", 100, map[string][2]float64{call100: {4, 4.4}}},
		{"2026-03-11", 25, map[string][2]float64{after: {1, 1.1}}},
		{"2026-03-12", 26, map[string][2]float64{after: {1.5, 1.7}}},
	})
	r, err := backtest.Run(t.Context(), backtest.Options{
		Market: &backtest.Market{Chains: []*backtest.ChainStore{store}, Bars: []backtest.BarFeed{{Symbol: "XYZ", Bars: bars}},
			Events: []market.Event{{Symbol: "XYZ", Kind: market.Split, Date: market.Date{Year: 2026, Month: 3, Day: 11}, Value: 4}}},
		Accounts: []backtest.Account{{Strategy: at("2026-03-09", strategy.MarketOrder(broker.BuyToOpen, "XYZ", 10), strategy.MarketOrder(broker.BuyToOpen, symbolOf(t, call100), 2)), Cash: dollars("50000")}},
	})
	require.NoError(t, err)
	a := &r.Record.Accounts[0]
	require.Len(t, a.Positions, 2)
	held := map[market.Symbol]string{}
	for _, p := range a.Positions {
		held[p.Symbol] = p.Quantity.String()
	}
	assert.Equal(t, map[market.Symbol]string{"XYZ": "40", symbolOf(t, after): "8"}, held)
	// 50,000 − 1,000 − 880, then 40 shares at 26 and 8 calls at 1.60.
	assert.Equal(t, "48120", a.Cash.String())
	assert.Equal(t, "50440", a.Value.String())
	assert.InDelta(t, 50440, last(&a.Curve).Value, 1e-9)
	require.Len(t, a.Trades, 2)
	for _, tr := range a.Trades {
		assert.True(t, tr.Open)
	}
	assert.True(t, a.Trades[0].Profit.Add(a.Trades[1].Profit).Round(6).Equal(dollars("440")))
}

// Fees are those of the day: the regulatory ones have changed over the years.
func TestFeesAreThoseOfTheirDay(t *testing.T) {
	fees := func(year int) decimal.Decimal {
		day := market.Date{Year: year, Month: 3, Day: 4}
		s := &script{needs: strategy.Needs{Symbols: []market.Symbol{"XYZ"}, Interval: market.Day}}
		n := 0
		s.on = func(x *strategy.Session, e *strategy.Event) error {
			if e.Kind != strategy.BarEvent {
				return nil
			}
			n++
			want := 0.0
			if n == 1 {
				want = 1000
			}
			_, err := x.Target("XYZ", want)
			return err
		}
		var bars []market.Bar
		for _, session := range market.NYSE().Sessions(day, day.AddDays(7)) {
			bars = append(bars, market.Bar{Time: session.Date.In(market.NYSE().Location()), Open: 100, High: 100, Low: 100, Close: 100})
		}
		r := runOne(t, s, "XYZ", bars, "1000000", backtest.Rules{Fees: broker.TastytradeFees()})
		require.Len(t, r.Record.Accounts[0].Fills, 2)
		return r.Record.Accounts[0].Fees
	}
	assert.False(t, fees(2020).Equal(fees(2024)), "%s and %s", fees(2020), fees(2024))
}

// What a missing quote leaves: the last mark, up to its limit; the price by the
// neighbours' volatilities; or nothing.
func TestMissingQuotesAreHandledAsStated(t *testing.T) {
	vol := func(spot, strike, days, v float64) [2]float64 {
		mid := options.BSM{Spot: spot, Strike: strike, Years: days / 365, Vol: v}.Price(options.Call)
		return [2]float64{mid - 0.01, mid + 0.01}
	}
	low, high := "XYZ260320C00095000", "XYZ260320C00105000"
	chain := func(spot, days float64, missing bool) map[string][2]float64 {
		q := map[string][2]float64{low: vol(spot, 95, days, 0.32), high: vol(spot, 105, days, 0.28)}
		if !missing {
			q[call100] = vol(spot, 100, days, 0.30)
		}
		return q
	}
	store, _ := made(t, []madeDay{
		{"2026-03-09", 100, chain(100, 11, false)},
		{"2026-03-10", 103, chain(103, 10, true)},
		{"2026-03-11", 103, chain(103, 9, true)},
		{"2026-03-12", 103, chain(103, 8, true)},
		{"2026-03-13", 102, chain(102, 7, false)},
	})
	run := func(m backtest.MissingQuotes) []float64 {
		r, err := backtest.Run(t.Context(), backtest.Options{
			Market:   &backtest.Market{Chains: []*backtest.ChainStore{store}},
			Accounts: []backtest.Account{{Strategy: at("2026-03-09", strategy.MarketOrder(broker.BuyToOpen, symbolOf(t, call100), 1)), Cash: dollars("10000")}},
			Rules:    backtest.Rules{Missing: m, FreePrices: true},
		})
		require.NoError(t, err)
		a := &r.Record.Accounts[0]
		var marks []float64
		for i := range a.Curve.Len() {
			marks = append(marks, (a.Curve.Value[i]-a.Curve.Cash[i])/100)
		}
		return marks
	}
	mid := func(spot, days float64) float64 {
		return options.BSM{Spot: spot, Strike: 100, Years: days / 365, Vol: 0.30}.Price(options.Call)
	}
	held := run(backtest.MissingQuotes{})
	require.Len(t, held, 5)
	for i := range 4 {
		assert.InDelta(t, mid(100, 11), held[i], 1e-9)
	}
	assert.InDelta(t, mid(102, 7), held[4], 1e-9)
	limited := run(backtest.MissingQuotes{Limit: 36 * time.Hour})
	assert.InDelta(t, mid(100, 11), limited[1], 1e-9)
	assert.True(t, math.IsNaN(limited[2]) && math.IsNaN(limited[3]))
	assert.InDelta(t, mid(102, 7), limited[4], 1e-9)
	absent := run(backtest.MissingQuotes{Policy: backtest.LeaveAbsent})
	assert.True(t, math.IsNaN(absent[1]) && math.IsNaN(absent[2]) && math.IsNaN(absent[3]))
	assert.InDelta(t, mid(102, 7), absent[4], 1e-9)
	modelled := run(backtest.MissingQuotes{Policy: backtest.FromSurface})
	for i, days := range []float64{10, 9, 8} {
		assert.InDelta(t, mid(103, days), modelled[1+i], 0.02, "between the neighbours' volatilities")
		assert.Greater(t, math.Abs(modelled[1+i]-held[1]), 0.3)
	}
}

// An order at a stale quote does not fill: a contract that the latest snapshot does
// not have trades at nothing.
func TestNothingFillsAtAQuoteThatIsGone(t *testing.T) {
	store, _ := made(t, []madeDay{
		{"2026-03-09", 100, map[string][2]float64{call100: {4, 4.4}, put100: {4, 4.4}}},
		{"2026-03-10", 100, map[string][2]float64{put100: {4, 4.4}}},
		{"2026-03-11", 100, map[string][2]float64{call100: {5, 5.4}, put100: {4, 4.4}}},
	})
	for _, late := range []string{"2026-03-10", "2026-03-11"} {
		r, err := backtest.Run(t.Context(), backtest.Options{
			Market:   &backtest.Market{Chains: []*backtest.ChainStore{store}},
			Accounts: []backtest.Account{{Strategy: at(late, strategy.LimitOrder(broker.BuyToOpen, symbolOf(t, call100), 1, 6)), Cash: dollars("10000")}},
			Rules:    backtest.Rules{Lasting: true},
		})
		require.NoError(t, err)
		a := &r.Record.Accounts[0]
		require.Len(t, a.Fills, 1, late)
		assert.Equal(t, "5.4", a.Fills[0].Price.String(), late)
		assert.Equal(t, "2026-03-11", a.Fills[0].Time.Format("2006-01-02"), late)
	}
}

// The store finds what a plain search finds.
func TestTheChainStoreFindsByExpiryAndStrike(t *testing.T) {
	s := yahooChain(t, "jpm")
	for _, k := range []int{0, 4, s.Snapshots() - 1} {
		chain := s.Snapshot(k, nil)
		from, _ := s.Rows(k)
		var expiries []market.Date
		for d := range s.Expirations(k) {
			expiries = append(expiries, d)
		}
		var want []market.Date
		for i := range chain {
			q := &chain[i]
			if len(want) == 0 || want[len(want)-1] != q.Expiration {
				want = append(want, q.Expiration)
			}
			row, ok := s.Strike(k, q.Expiration, q.Root, q.Strike, q.Kind)
			require.True(t, ok)
			require.Equal(t, from+i, row)
			row, ok = s.Find(k, q.Symbol)
			require.True(t, ok)
			require.Equal(t, from+i, row)
			bid, ask := s.Prices(row)
			require.True(t, bid == q.Bid || math.IsNaN(bid) && math.IsNaN(q.Bid))
			require.True(t, ask == q.Ask || math.IsNaN(ask) && math.IsNaN(q.Ask))
		}
		assert.Equal(t, want, expiries)
		_, ok := s.Strike(k, want[0], "", 1e6, market.Call)
		assert.False(t, ok)
		_, ok = s.Find(k, "SPY")
		assert.False(t, ok)
	}
	assert.Equal(t, -1, s.At(s.Time(0).Add(-1)))
	assert.Equal(t, 0, s.At(s.Time(0)))
	assert.Equal(t, s.Snapshots()-1, s.At(s.Time(s.Snapshots()-1).Add(time.Hour)))
}

// Numbers that come with the bars are known with their bar, and not before.
func TestColumnsComeWithTheirBars(t *testing.T) {
	bars := minutes(50)
	column := make([]float64, len(bars))
	for i := range column {
		column[i] = float64(i)
	}
	n := 0
	s := silence()
	s.on = func(x *strategy.Session, e *strategy.Event) error {
		if e.Kind == strategy.BarEvent {
			assert.Equal(t, float64(n), x.Column("SPY", "score"))
			assert.True(t, math.IsNaN(x.Column("SPY", "other")))
			n++
		}
		return nil
	}
	opts := backtest.Options{
		Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Minute, Bars: bars, Columns: map[string][]float64{"score": column}}}},
		Accounts: []backtest.Account{{Strategy: s, Cash: dollars("1000")}},
	}
	_, err := backtest.Run(t.Context(), opts)
	require.NoError(t, err)
	assert.Equal(t, 50, n)
	opts.Market.Bars[0].Columns["score"] = column[1:]
	_, err = backtest.Run(t.Context(), opts)
	var refused *backtest.FieldError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "Market.Bars[0].Columns", refused.Field)
}
