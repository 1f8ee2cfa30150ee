package tasty_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// equalFloats compares numbers, NaN being equal to NaN.
func equalFloats(t *testing.T, want, got []float64, what ...any) {
	t.Helper()
	require.Len(t, got, len(want), what...)
	for i := range want {
		if math.IsNaN(want[i]) {
			assert.True(t, math.IsNaN(got[i]), append([]any{"number %d of %v"}, i, what)...)
			continue
		}
		assert.Equal(t, want[i], got[i], append([]any{"number %d of %v"}, i, what)...)
	}
}

func quoteNumbers(q market.Quote) []float64 {
	return []float64{q.Bid, q.Ask, q.BidSize, q.AskSize, q.Last, q.Open, q.High, q.Low, q.PrevClose, q.Volume}
}

func TestQuotesAreTheMarketsOwn(t *testing.T) {
	r := build(t, change{})
	symbols := []market.Symbol{"SPY", "AAPL", "SPX", "SPY   261016C00660000", "SPY   261016P00660000"}
	for range 3 {
		want, err := r.market.Quotes(t.Context(), symbols)
		require.NoError(t, err)
		got, err := r.Quotes(t.Context(), symbols)
		require.NoError(t, err)
		require.Len(t, got, len(want))
		for i := range want {
			assert.Equal(t, want[i].Symbol, got[i].Symbol, "the order asked")
			assert.True(t, want[i].Time.Truncate(time.Millisecond).Equal(got[i].Time), "%s %s", want[i].Time, got[i].Time)
			equalFloats(t, quoteNumbers(want[i]), quoteNumbers(got[i]), want[i].Symbol)
		}
		r.clock.Advance(7 * time.Minute)
	}
}

func TestManySymbolsAreAskedInParts(t *testing.T) {
	r := build(t, change{})
	chain, err := r.market.Chain(t.Context(), market.ChainRequest{Underlying: "SPY", Strikes: 30})
	require.NoError(t, err)
	var symbols []market.Symbol
	for _, o := range chain[:250] {
		symbols = append(symbols, o.Symbol)
	}
	quotes, err := r.Quotes(t.Context(), symbols)
	require.NoError(t, err)
	require.Len(t, quotes, 250)
	assert.Equal(t, symbols[249], quotes[249].Symbol)
}

func TestUnknownSymbolsAreNamed(t *testing.T) {
	r := build(t, change{})
	check := func(err error, symbols ...market.Symbol) {
		t.Helper()
		var missing *market.MissingError
		require.ErrorAs(t, err, &missing)
		assert.ErrorIs(t, err, market.ErrUnknownSymbol)
		assert.Equal(t, symbols, missing.Symbols)
	}
	quotes, err := r.Quotes(t.Context(), []market.Symbol{"NOPE", "SPY", "NADA"})
	check(err, "NOPE", "NADA")
	require.Len(t, quotes, 1)
	assert.Equal(t, market.Symbol("SPY"), quotes[0].Symbol)

	instruments, err := r.Instruments(t.Context(), []market.Symbol{"NOPE", "SPY"})
	check(err, "NOPE")
	assert.Len(t, instruments, 1)
	metrics, err := r.Metrics(t.Context(), []market.Symbol{"AAPL", "NOPE"})
	check(err, "NOPE")
	assert.Len(t, metrics, 1)
	_, err = r.Bars(t.Context(), market.BarsRequest{Symbol: "NOPE", Interval: market.Day, Limit: 5})
	check(err, "NOPE")
	_, err = r.Chain(t.Context(), market.ChainRequest{Underlying: "NOPE"})
	check(err, "NOPE")
	_, err = r.Expirations(t.Context(), "NOPE")
	check(err, "NOPE")
	_, err = r.Events(t.Context(), "NOPE", market.Date{}, market.Date{})
	check(err, "NOPE")
}

func TestBadArgumentsAreNamed(t *testing.T) {
	r := build(t, change{})
	ctx := t.Context()
	d := func(day int) market.Date { return market.Date{Year: 2026, Month: 9, Day: day} }
	tests := map[string]func() error{
		"symbols": func() error { _, err := r.Quotes(ctx, nil); return err },
		"symbol": func() error {
			_, err := r.Bars(ctx, market.BarsRequest{Symbol: "spy", Interval: market.Day})
			return err
		},
		"interval": func() error { _, err := r.Bars(ctx, market.BarsRequest{Symbol: "SPY", Interval: "soon"}); return err },
		"limit": func() error {
			_, err := r.Bars(ctx, market.BarsRequest{Symbol: "SPY", Interval: market.Day, Limit: -1})
			return err
		},
		"underlying": func() error { _, err := r.Chain(ctx, market.ChainRequest{}); return err },
		"min_strike": func() error {
			_, err := r.Chain(ctx, market.ChainRequest{Underlying: "SPY", MinStrike: math.NaN()})
			return err
		},
		"max_strike": func() error {
			_, err := r.Chain(ctx, market.ChainRequest{Underlying: "SPY", MinStrike: 2, MaxStrike: 1})
			return err
		},
		"strikes":     func() error { _, err := r.Chain(ctx, market.ChainRequest{Underlying: "SPY", Strikes: -1}); return err },
		"expirations": func() error { _, err := r.Chain(ctx, market.ChainRequest{Underlying: "SPX"}); return err },
		"to":          func() error { _, err := r.Events(ctx, "AAPL", d(2), d(1)); return err },
		"text":        func() error { _, err := r.Search(ctx, " ", 0); return err },
		"account":     func() error { _, err := r.Balances(ctx, ""); return err },
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			var field *market.FieldError
			require.ErrorAs(t, call(), &field)
			assert.Equal(t, name, field.Field)
		})
	}
}

func optionNumbers(o market.OptionQuote) []float64 {
	return []float64{o.Strike, o.Multiplier, o.Bid, o.Ask, o.BidSize, o.AskSize, o.Last, o.Volume, o.OpenInterest, o.IV, o.Delta, o.Gamma, o.Theta}
}

func TestChainsAreTheMarketsOwn(t *testing.T) {
	r := build(t, change{})
	for _, req := range []market.ChainRequest{
		{Underlying: "SPY", Expirations: []market.Date{{Year: 2026, Month: 10, Day: 16}}},
		{Underlying: "AAPL", Strikes: 7},
		{Underlying: "SPX", Expirations: []market.Date{{Year: 2026, Month: 10, Day: 16}}, MinStrike: 6400, MaxStrike: 6700},
	} {
		want, err := r.market.Chain(t.Context(), req)
		require.NoError(t, err)
		began := time.Now()
		got, err := r.Chain(t.Context(), req)
		require.NoError(t, err)
		t.Logf("%s: %d contracts in %s", req.Underlying, len(got), time.Since(began).Round(time.Microsecond))
		require.Len(t, got, len(want))
		roots := map[string]market.Settlement{}
		for i, w := range want {
			g := got[i]
			require.Equal(t, w.Symbol, g.Symbol)
			require.Equal(t, []any{w.Underlying, w.Root, w.Kind, w.Expiration, w.Style, w.Settlement}, []any{g.Underlying, g.Root, g.Kind, g.Expiration, g.Style, g.Settlement})
			equalFloats(t, optionNumbers(w), optionNumbers(g), w.Symbol)
			assert.InDelta(t, w.Vega, g.Vega, 1e-9)
			assert.InDelta(t, w.Rho, g.Rho, 1e-9)
			assert.InEpsilon(t, w.Spot, g.Spot, 1e-3, "the middle of the underlying's quote")
			assert.True(t, w.Time.Truncate(time.Millisecond).Equal(g.Time))
			roots[g.Root] = g.Settlement
		}
		if req.Underlying == "SPX" {
			assert.Equal(t, map[string]market.Settlement{"SPX": market.SettledAM, "SPXW": market.SettledPM}, roots)
		}
	}
}

func TestExpirationsAreTheMarketsOwn(t *testing.T) {
	r := build(t, change{})
	for _, symbol := range []market.Symbol{"IWM", "KO"} {
		want, err := r.market.Expirations(t.Context(), symbol)
		require.NoError(t, err)
		got, err := r.Expirations(t.Context(), symbol)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestBarsAreTheMarketsOwn(t *testing.T) {
	r := build(t, change{})
	loc := market.NYSE().Location()
	day := func(y int, m time.Month, d int) time.Time { return market.Date{Year: y, Month: m, Day: d}.In(loc) }
	tests := []market.BarsRequest{
		{Symbol: "SPY", Interval: market.Day, Limit: 260},
		{Symbol: "SPY", Interval: market.Day, From: day(2016, 9, 16)},
		{Symbol: "SPY", Interval: market.Day, From: day(2026, 9, 8), To: day(2026, 9, 15)},
		{Symbol: "AAPL", Interval: market.Week, Limit: 30},
		{Symbol: "AAPL", Interval: market.Month, From: day(2020, 1, 1)},
		{Symbol: "AAPL", Interval: market.Minute5, From: time.Date(2026, 9, 14, 13, 30, 0, 0, time.UTC)},
		{Symbol: "AAPL", Interval: market.Minute, Limit: 400},
		{Symbol: "SPY", Interval: market.Hour, Limit: 20, To: time.Date(2026, 9, 15, 18, 0, 0, 0, time.UTC)},
		{Symbol: "SPY", Interval: market.Minute30, From: time.Date(2026, 9, 15, 4, 0, 0, 0, time.UTC), Extended: true},
		{Symbol: "SPX", Interval: market.Day, Limit: 3},
		{Symbol: "/ESZ6", Interval: market.Day, Limit: 60},
		{Symbol: "/ESZ6", Interval: market.Hour, From: time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC), Extended: true},
		{Symbol: "/ESZ6", Interval: market.Week, Limit: 20},
		{Symbol: "/CLX6", Interval: market.Minute5, Limit: 100, Extended: true},
		{Symbol: "/ESZ6", Interval: market.Minute30, From: time.Date(2026, 9, 15, 13, 30, 0, 0, time.UTC)},
	}
	for _, req := range tests {
		t.Run(string(req.Symbol)+" "+string(req.Interval), func(t *testing.T) {
			want, err := r.market.Bars(t.Context(), req)
			require.NoError(t, err)
			got, err := r.Bars(t.Context(), req)
			require.NoError(t, err)
			require.NotEmpty(t, got)
			require.Len(t, got, len(want))
			for i, w := range want {
				g := got[i]
				require.True(t, w.Time.Equal(g.Time), "bar %d: want %s, got %s", i, w.Time, g.Time)
				equalFloats(t, []float64{w.Open, w.High, w.Low, w.Close, w.Volume}, []float64{g.Open, g.High, g.Low, g.Close, g.Volume}, i)
			}
		})
	}
}

func TestMetricsAreTheMarketsOwn(t *testing.T) {
	r := build(t, change{})
	symbols := []market.Symbol{"AAPL", "SPX", "KO"}
	want, err := r.market.Metrics(t.Context(), symbols)
	require.NoError(t, err)
	got, err := r.Metrics(t.Context(), symbols)
	require.NoError(t, err)
	for i, w := range want {
		g := got[i]
		numbers := func(m market.Metrics) []float64 {
			return []float64{m.IVIndex, m.IVIndex5Day, m.IVRank, m.IVPercentile, m.Beta, m.Correlation, m.Liquidity,
				float64(m.LiquidityRating), m.BorrowRate, m.DividendYield, m.DividendPerShare, m.MarketCap, m.PriceEarnings, m.EarningsPerShare}
		}
		equalFloats(t, numbers(w), numbers(g), w.Symbol)
		// These are per cent on the wire, so that the last bit may differ.
		assert.InEpsilonSlice(t, []float64{w.HV30, w.HV60, w.HV90}, []float64{g.HV30, g.HV60, g.HV90}, 1e-15)
		assert.Equal(t, w.Term, g.Term)
		sameDay := func(a, b *market.Event) {
			t.Helper()
			if a == nil || b == nil {
				assert.Equal(t, a == nil, b == nil, w.Symbol)
				return
			}
			assert.Equal(t, []any{a.Kind, a.Date, a.Timing}, []any{b.Kind, b.Date, b.Timing})
		}
		sameDay(w.NextEarnings, g.NextEarnings)
		sameDay(w.NextDividend, g.NextDividend)
	}
}

func TestEventsAreTheMarketsOwnButForSplits(t *testing.T) {
	r := build(t, change{})
	from, to := market.Date{Year: 2025, Month: 1, Day: 1}, market.Date{Year: 2026, Month: 9, Day: 16}
	for _, symbol := range []market.Symbol{"AAPL", "KO", "NVDA"} {
		all, err := r.market.Events(t.Context(), symbol, from, to)
		require.NoError(t, err)
		type fact struct {
			kind  market.EventKind
			date  market.Date
			value float64
		}
		var want, got []fact
		for _, e := range all {
			if e.Kind != market.Split {
				want = append(want, fact{e.Kind, e.Date, e.Value})
			}
		}
		events, err := r.Events(t.Context(), symbol, from, to)
		require.NoError(t, err)
		for _, e := range events {
			got = append(got, fact{e.Kind, e.Date, e.Value})
		}
		assert.ElementsMatch(t, want, got)
	}
	future, err := r.Events(t.Context(), "AAPL", to.AddDays(1), market.Date{})
	require.NoError(t, err)
	require.NotEmpty(t, future, "announced ones are there too")
	assert.True(t, future[0].Date.After(to))
}

func TestInstrumentsAreTheMarketsOwn(t *testing.T) {
	r := build(t, change{})
	symbols := []market.Symbol{"SPY", "SPX", "AAPL"}
	want, err := r.market.Instruments(t.Context(), symbols)
	require.NoError(t, err)
	got, err := r.Instruments(t.Context(), symbols)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	option, err := r.Instruments(t.Context(), []market.Symbol{"SPXW  261016C06600000"})
	require.NoError(t, err)
	assert.Equal(t, market.Symbol("SPX"), option[0].Underlying)
	assert.Equal(t, market.KindOption, option[0].Kind)

	found, err := r.Search(t.Context(), "aa", 1)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, market.Symbol("AAPL"), found[0].Symbol)
}

// What the broker does not list has no bars, and the stream is not asked for it.
func TestFuturesThatAreNotListedHaveNoBars(t *testing.T) {
	r := build(t, change{})
	for symbol, want := range map[market.Symbol]error{"/QQXZ6": market.ErrUnknownSymbol, "/ESF6": market.ErrUnknownSymbol, "./QQXZ6 QQ3U6 260918P6600": market.ErrUnsupported} {
		_, err := r.Bars(t.Context(), market.BarsRequest{Symbol: symbol, Interval: market.Day})
		assert.ErrorIs(t, err, want, symbol)
	}
}

// Coins are traded at weekends and futures on the stock exchange's holidays: no day
// of theirs becomes another's.
func TestDaysWithoutASessionOfTheStockExchangeStayDays(t *testing.T) {
	r := build(t, change{})
	day := func(d int) time.Time { return time.Date(2026, 9, d, 0, 0, 0, 0, time.UTC) }
	var candles []dxlink.Candle
	for d := 4; d <= 8; d++ { // a Friday, the weekend, Labor Day and the day after
		candles = append(candles, dxlink.Candle{Time: day(d), Close: float64(d)})
	}
	closes := func(symbol market.Symbol) (out []float64) {
		for _, b := range tasty.BarsOf(r.Adapter, candles, market.Day, market.BarsRequest{Symbol: symbol}) {
			out = append(out, b.Close)
		}
		return out
	}
	assert.Equal(t, []float64{4, 5, 6, 7, 8}, closes("BTC/USD"))
	assert.Equal(t, []float64{4, 5, 6, 7, 8}, closes("/ESZ6"))
	assert.Equal(t, []float64{4, 8}, closes("SPY"), "which has no bars then: of two of one session the later counts")
}
