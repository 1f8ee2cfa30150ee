package synthetic_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

func TestMinuteBarsAddUpToTheDailyBar(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	for _, symbol := range []market.Symbol{"SPX", "NVDA", "WDFC"} {
		// A year with early closes, a split of NVDA and dividends.
		from, to := newYork(date(2024, 1, 1), 0, 0), newYork(date(2025, 1, 1), 0, 0)
		days := bars(t, m, market.BarsRequest{Symbol: symbol, Interval: market.Day, From: from, To: to})
		require.Len(t, days, 252, "sessions of 2024 on the NYSE")
		minutes := bars(t, m, market.BarsRequest{Symbol: symbol, Interval: market.Minute, From: from, To: to})
		assert.Equal(t, 249*390+3*210, len(minutes), "three early closes at 13:00 in 2024")

		next := 0
		for _, day := range days {
			sum := market.Bar{Time: day.Time}
			for ; next < len(minutes) && market.DateOf(minutes[next].Time) == market.DateOf(day.Time); next++ {
				b := minutes[next]
				if sum.Open == 0 {
					sum.Open, sum.High, sum.Low = b.Open, b.High, b.Low
				}
				if max(b.Open, b.Close) > b.High || min(b.Open, b.Close) < b.Low {
					t.Fatalf("open or close outside high and low: %v", b)
				}
				sum.High, sum.Low, sum.Close, sum.Volume = max(sum.High, b.High), min(sum.Low, b.Low), b.Close, sum.Volume+b.Volume
			}
			if symbol == "SPX" {
				require.True(t, math.IsNaN(day.Volume), "an index has no volume")
				require.True(t, math.IsNaN(sum.Volume))
				sum.Volume, day.Volume = 0, 0
			}
			require.Equal(t, day, sum, "%s", symbol)
		}
	}
}

func TestResampledBarsAgreeWithTheCalendarsResampling(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	from := newYork(date(2026, 9, 8), 0, 0)
	minutes := bars(t, m, market.BarsRequest{Symbol: "AAPL", Interval: market.Minute, From: from})
	for _, interval := range []market.Interval{market.Minute5, market.Hour, market.Day} {
		want, err := market.Resample(minutes, market.Minute, interval, market.NYSE())
		require.NoError(t, err)
		same(t, want, bars(t, m, market.BarsRequest{Symbol: "AAPL", Interval: interval, From: from}), "%s", interval)
	}
	weeks := bars(t, m, market.BarsRequest{Symbol: "AAPL", Interval: market.Week, From: from})
	require.Len(t, weeks, 2)
	assert.Equal(t, date(2026, 9, 8), market.DateOf(weeks[0].Time), "the week after Labor Day begins on Tuesday")
}

func TestPricesLieOnTheCent(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	for _, b := range bars(t, m, market.BarsRequest{Symbol: "F", Interval: market.Minute, From: newYork(date(2026, 9, 14), 0, 0)}) {
		for _, x := range []float64{b.Open, b.High, b.Low, b.Close} {
			require.Equal(t, math.Round(x*100)/100, x)
		}
		require.Equal(t, math.Trunc(b.Volume), b.Volume)
	}
}

func TestHistoryDoesNotChangeWhenTimeGoesOn(t *testing.T) {
	m, clock := clocked(t, newYork(date(2026, 9, 16), 15, 59))
	ask := func(interval market.Interval, extended bool) []market.Bar {
		return bars(t, m, market.BarsRequest{Symbol: "TSLA", Interval: interval, Extended: extended,
			From: newYork(date(2026, 9, 1), 0, 0), To: newYork(date(2026, 9, 16), 15, 59)})
	}
	day, minute, outer := ask(market.Day, false), ask(market.Minute, false), ask(market.Minute, true)
	assert.Greater(t, len(outer), len(minute))
	for _, later := range []time.Duration{time.Minute, 24 * time.Hour, 90 * 24 * time.Hour} {
		clock.Set(newYork(date(2026, 9, 16), 15, 59).Add(later))
		same(t, day[:len(day)-1], ask(market.Day, false)[:len(day)-1], "after %v", later)
		same(t, minute, ask(market.Minute, false), "after %v", later)
		same(t, outer, ask(market.Minute, true), "after %v", later)
	}
}

func TestNothingIsShownBeforeItHappens(t *testing.T) {
	m, clock := clocked(t, newYork(date(2026, 9, 16), 3, 0))
	whole := date(2026, 9, 16)
	req := market.BarsRequest{Symbol: "MSFT", Interval: market.Minute, From: newYork(whole, 0, 0), Extended: true}
	assert.Empty(t, bars(t, m, req), "before the pre-market")

	var high, low, volume float64
	low = math.Inf(1)
	for minute := range 24 * 60 {
		now := newYork(whole, 4, 0).Add(time.Duration(minute)*time.Minute + 17*time.Second)
		if market.NYSE().Phase(now) != market.PhaseRegular {
			continue
		}
		clock.Set(now)
		days := bars(t, m, market.BarsRequest{Symbol: "MSFT", Interval: market.Day, Limit: 1})
		require.Len(t, days, 1)
		got := bars(t, m, market.BarsRequest{Symbol: "MSFT", Interval: market.Minute, Limit: 1})
		require.Len(t, got, 1)
		require.False(t, got[0].Time.After(now))
		require.Equal(t, got[0].Close, days[0].Close, "the day ends where its last minute is")
		require.GreaterOrEqual(t, days[0].High, high, "the high so far never falls")
		require.LessOrEqual(t, days[0].Low, low)
		require.GreaterOrEqual(t, days[0].Volume, volume)
		high, low, volume = days[0].High, days[0].Low, days[0].Volume
	}
	clock.Set(newYork(whole, 16, 0))
	closed := daily(t, m, "MSFT")
	last := closed[len(closed)-1]
	assert.GreaterOrEqual(t, last.High, high)
	assert.GreaterOrEqual(t, last.Volume, volume)
}

func TestTicksAddUpToTheMinute(t *testing.T) {
	m, clock := clocked(t, newYork(date(2026, 9, 16), 16, 0))
	start := newYork(date(2026, 9, 16), 11, 7)
	whole := bars(t, m, market.BarsRequest{Symbol: "QQQ", Interval: market.Minute, From: start, To: start.Add(time.Minute)})[0]
	high, low := 0.0, math.Inf(1)
	seen := map[float64]bool{}
	for tick := range 240 {
		clock.Set(start.Add(time.Duration(tick) * 250 * time.Millisecond))
		q, err := m.QuoteAt("QQQ", clock.Now())
		require.NoError(t, err)
		high, low = max(high, q.Last), min(low, q.Last)
		seen[q.Last] = true
		if tick == 0 {
			assert.Equal(t, whole.Open, q.Last)
		}
	}
	assert.Equal(t, whole.High, high)
	assert.Equal(t, whole.Low, low)
	assert.Greater(t, len(seen), 20, "prices move within the minute")
}

func TestASplitAdjustsHistoryOnItsMorningAndNotBefore(t *testing.T) {
	// META splits five for one on 2027-03-15.
	split := date(2027, 3, 15)
	m, clock := clocked(t, newYork(split.AddDays(-1), 12, 0))
	before := daily(t, m, "META")
	last := before[len(before)-1]
	old, err := m.QuoteAt("META", clock.Now())
	require.NoError(t, err)
	assert.Equal(t, last.Close, old.Last)

	clock.Set(newYork(split, 10, 0))
	after := daily(t, m, "META")
	require.Len(t, after, len(before)+1)
	for i, b := range before {
		require.InDelta(t, b.Close/5, after[i].Close, 5.1e-5, "four decimals")
		require.Equal(t, b.Volume*5, after[i].Volume)
	}
	q, err := m.QuoteAt("META", clock.Now())
	require.NoError(t, err)
	assert.InDelta(t, old.Last/5, q.PrevClose, 5.1e-5)
	assert.InDelta(t, 1, q.Last/q.PrevClose, 0.1)

	chain, err := m.Chain(t.Context(), market.ChainRequest{Underlying: "META", Strikes: 2})
	require.NoError(t, err)
	for _, o := range chain {
		assert.InDelta(t, 1, o.Strike/q.Last, 0.1, "strikes are in new shares")
	}
	events, err := m.Events(t.Context(), "META", split, split)
	require.NoError(t, err)
	assert.Contains(t, events, market.Event{Symbol: "META", Kind: market.Split, Date: split, Value: 5})
}

func TestBarsLimitGivesTheNewest(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	from := newYork(date(2026, 6, 1), 0, 0)
	for _, interval := range []market.Interval{market.Minute, market.Minute15, market.Hour, market.Day, market.Week} {
		for _, extended := range []bool{false, true} {
			all := bars(t, m, market.BarsRequest{Symbol: "WDFC", Interval: interval, From: from, Extended: extended})
			got := bars(t, m, market.BarsRequest{Symbol: "WDFC", Interval: interval, Limit: 12, Extended: extended})
			same(t, all[len(all)-12:], got, "%s", interval)
		}
	}
}

func TestBarsRefuseBadRequests(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	now := synthetic.DefaultStart()
	for name, c := range map[string]struct {
		req   market.BarsRequest
		field string
	}{
		"no interval":       {market.BarsRequest{Symbol: "SPY"}, "interval"},
		"seconds":           {market.BarsRequest{Symbol: "SPY", Interval: "30s"}, "interval"},
		"a minute and half": {market.BarsRequest{Symbol: "SPY", Interval: "90s"}, "interval"},
		"endless hours":     {market.BarsRequest{Symbol: "SPY", Interval: "1000000h"}, "interval"},
		"negative limit":    {market.BarsRequest{Symbol: "SPY", Interval: market.Day, Limit: -1}, "limit"},
		"to before from":    {market.BarsRequest{Symbol: "SPY", Interval: market.Day, From: now, To: now.Add(-1)}, "to"},
	} {
		_, err := m.Bars(t.Context(), c.req)
		var field *synthetic.FieldError
		if assert.ErrorAs(t, err, &field, name) {
			assert.Equal(t, c.field, field.Field, name)
		}
	}
	_, err := m.Bars(t.Context(), market.BarsRequest{Symbol: "NOPE", Interval: market.Day})
	assert.ErrorIs(t, err, market.ErrUnknownSymbol)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.Bars(ctx, market.BarsRequest{Symbol: "SPY", Interval: market.Minute})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestOutsideItsSpanTheMarketHasNoData(t *testing.T) {
	for _, now := range []time.Time{{}, newYork(date(2009, 12, 31), 12, 0), newYork(date(2031, 1, 2), 12, 0)} {
		m := at(t, now)
		_, err := m.Bars(t.Context(), market.BarsRequest{Symbol: "SPY", Interval: market.Day})
		assert.ErrorIs(t, err, market.ErrNoData, "%v", now)
		_, err = m.QuoteAt("SPY", now)
		assert.ErrorIs(t, err, market.ErrNoData, "%v", now)
		_, err = m.Chain(t.Context(), market.ChainRequest{Underlying: "SPY"})
		assert.ErrorIs(t, err, market.ErrNoData, "%v", now)
		_, err = m.Metrics(t.Context(), []market.Symbol{"SPY"})
		var missing *market.MissingError
		assert.True(t, errors.As(err, &missing) && errors.Is(err, market.ErrNoData), "%v: %v", now, err)
	}
}
