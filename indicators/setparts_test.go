package indicators_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

func ExampleNewSetOf() {
	set, err := indicators.NewSetOf(&indicators.SetOptions{Interval: market.Day},
		indicators.SetEntry{Name: "SMA", Params: []float64{2}},
		indicators.SetEntry{Name: "Momentum", Params: []float64{1}, Of: []string{"SMA"}, As: "Turn"},
		indicators.SetEntry{Name: "SMA", Params: []float64{1}, Interval: market.Week, As: "LastWeek"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.Names())
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for i, price := range []float64{1, 3, 5, 7, 9, 2} { // the fifth ends the week
		at := monday.AddDate(0, 0, i+i/5*2).Add(12 * time.Hour)
		fmt.Println(set.Update(market.Bar{Time: at, Open: price, High: price, Low: price, Close: price}))
	}
	// Output:
	// [SMA(2) Turn LastWeek]
	// [NaN NaN NaN]
	// [2 NaN NaN]
	// [4 2 NaN]
	// [6 2 NaN]
	// [8 2 9]
	// [5.5 -2.5 9]
}

// everything is a set of the whole registry, twice with parameters of its own.
func everything(t trial) (entries []indicators.SetEntry, params [][]float64) {
	for _, d := range indicators.All() {
		p := drawParams(t, d)
		if t.IntN(2) == 0 {
			p = nil
		}
		entries, params = append(entries, indicators.SetEntry{Name: d.Name, Params: p}), append(params, p)
	}
	return entries, params
}

// Bars with one unknown column are unknown to some indicators and not to others.
func TestASetOfEverythingIsEachByItself(t *testing.T) {
	for round := range 8 {
		t := trial{t, rand.New(rand.NewPCG(5, uint64(round)))}
		s := drawSeries(t, true)
		for i := range s.Len() {
			switch t.IntN(25) {
			case 0:
				s.High[i] = math.NaN()
			case 1:
				s.Volume[i] = math.NaN()
			case 2:
				s.Close[i] = math.Inf(1)
			}
		}
		entries, params := everything(t)
		set, err := indicators.NewSet(entries...)
		require.NoError(t, err)
		var want [][]float64
		for k, e := range entries {
			d, err := indicators.Find(e.Name)
			require.NoError(t, err)
			out, err := d.Batch(nil, columns(t, s, d), params[k])
			require.NoError(t, err)
			want = append(want, out...)
		}
		require.Len(t, set.Names(), len(want))
		again, err := indicators.NewSet(entries...)
		require.NoError(t, err)
		for i := range s.Len() {
			if i%40 == 11 { // kept on the way, and restored into another
				kept, err := indicators.Snapshot(set)
				require.NoError(t, err)
				require.NoError(t, indicators.Restore(again, kept))
				require.ErrorIs(t, indicators.Restore(again, kept[:len(kept)-3]), indicators.ErrSnapshot)
				set, again = again, set
			}
			requireBits(t, want, asColumns(set.Peek(s.Bar(i))), i, 0)
			requireBits(t, want, asColumns(set.Update(s.Bar(i))), i, 0)
		}
		require.Zero(t, testing.AllocsPerRun(3, func() { set.Update(market.Bar{Open: 1, High: 2, Low: 1, Close: 2, Volume: 1}) }))
	}
}

func TestWorkInCommonIsDoneOnce(t *testing.T) {
	cost := func(entries ...indicators.SetEntry) int {
		set, err := indicators.NewSet(entries...)
		require.NoError(t, err)
		kept, err := indicators.Snapshot(set)
		require.NoError(t, err)
		return len(kept)
	}
	average := indicators.SetEntry{Name: "SMA", Params: []float64{500}}
	one := cost(average)
	require.Equal(t, one, cost(average, average, indicators.SetEntry{Name: "sma", Params: []float64{500}, As: "again"}), "the state of three is that of one")
	require.Less(t, cost(average, indicators.SetEntry{Name: "MAEnvelopes", Params: []float64{500}}, indicators.SetEntry{Name: "BIAS", Params: []float64{500}}), one+600)
	require.Greater(t, cost(average, indicators.SetEntry{Name: "SMA", Params: []float64{501}}), 2*one-600)
}

func TestAnEntryCanBeComputedOfAnother(t *testing.T) {
	s := readBars(t, "spy502.csv")
	set, err := indicators.NewSet(
		indicators.SetEntry{Name: "EMA", Params: []float64{10}, As: "Smooth"},
		indicators.SetEntry{Name: "RSI", Of: []string{"smooth"}},
		indicators.SetEntry{Name: "MACD"},
		indicators.SetEntry{Name: "SMA", Params: []float64{5}, Of: []string{"MACD.Histogram"}},
		indicators.SetEntry{Name: "Correlation", Params: []float64{20}, Of: []string{"close", "volume"}},
		indicators.SetEntry{Name: "ATR", Of: []string{"high", "low", "Smooth"}},
		indicators.SetEntry{Name: "Median", Params: []float64{7}, Of: []string{"hlc3"}},
	)
	require.NoError(t, err)
	require.Equal(t, []string{"Smooth", "RSI", "MACD.MACD", "MACD.Signal", "MACD.Histogram", "SMA(5)", "Correlation(20).Correlation", "Correlation(20).RSquared",
		"Correlation(20).Covariance", "Correlation(20).VarianceA", "Correlation(20).VarianceB", "ATR", "Median(7)"}, set.Names())
	ema := indicators.EMA(nil, s.Close, 10)
	macd := indicators.MACD(indicators.MACDValues{}, s.Close, 12, 26, 9)
	c := indicators.Correlation(indicators.CorrelationValues{}, s.Close, s.Volume, 20)
	typical := compute(t, s, "PriceForms", "HLC3")
	want := [][]float64{ema, indicators.RSI(nil, ema, 14), macd.MACD, macd.Signal, macd.Histogram, indicators.SMA(nil, macd.Histogram, 5),
		c.Correlation, c.RSquared, c.Covariance, c.VarianceA, c.VarianceB, indicators.ATR(nil, s.High, s.Low, ema, 14), indicators.Median(nil, typical, 7)}
	for i := range s.Len() {
		peeked := bitsOf(set.Peek(s.Bar(i)))
		got := set.Update(s.Bar(i))
		require.Equal(t, peeked, bitsOf(got))
		requireBits(trial{T: t}, want, asColumns(got), i, 0)
	}
	require.Equal(t, 37, set.Warmup(), "the signal of MACD and four bars more")
}

func TestWeeksOnBarsOfDays(t *testing.T) {
	file, err := market.OpenBars(sharedtest.Path(t, "vectors", "ohlcv", "spy502.csv"), nil)
	require.NoError(t, err)
	s := market.NewSeries("", market.Day, file.Bars)
	weeks, err := market.Resample(bars(s), market.Day, market.Week, nil)
	require.NoError(t, err)
	w := market.NewSeries("", market.Week, weeks)
	rsi, atr := indicators.RSI(nil, w.Close, 14), indicators.ATR(nil, w.High, w.Low, w.Close, 5)
	set, err := indicators.NewSetOf(&indicators.SetOptions{Interval: market.Day},
		indicators.SetEntry{Name: "RSI", Interval: market.Week},
		indicators.SetEntry{Name: "ATR", Params: []float64{5}, Interval: market.Week},
		indicators.SetEntry{Name: "EMA", Params: []float64{3}, Interval: market.Week, Of: []string{"RSI"}},
		indicators.SetEntry{Name: "RSI", Interval: market.Week, Running: true, As: "Now"},
		indicators.SetEntry{Name: "RSI"},
		indicators.SetEntry{Name: "SMA", Params: []float64{20}, Interval: market.Day, As: "Daily"},
	)
	require.NoError(t, err)
	smooth, daily, average := indicators.EMA(nil, rsi, 3), indicators.RSI(nil, s.Close, 14), indicators.SMA(nil, s.Close, 20)
	calendar, week := market.NYSE(), -1
	held := []float64{nan, nan, nan}
	shown := 0
	for i := range s.Len() {
		for week+1 < len(weeks) && !calendar.BarEnd(weeks[week+1].Time, market.Week).After(calendar.BarEnd(s.Time[i], market.Day)) {
			week++
			held = []float64{rsi[week], atr[week], smooth[week]}
		}
		// The running week is the weeks before and the days of this one so far.
		part, err := market.Resample(bars(s.Slice(0, i+1)), market.Day, market.Week, nil)
		require.NoError(t, err)
		soFar := market.NewSeries("", market.Week, part)
		now := indicators.RSI(nil, soFar.Close, 14)[len(part)-1]
		want := append(append([]float64{}, held...), now, daily[i], average[i])
		peeked := bitsOf(set.Peek(s.Bar(i)))
		if i%11 == 3 {
			kept, err := indicators.Snapshot(set)
			require.NoError(t, err)
			set.Reset()
			require.NoError(t, indicators.Restore(set, kept))
		}
		got := set.Update(s.Bar(i))
		require.Equal(t, bitsOf(want), bitsOf(got), "bar %d", i)
		require.Equal(t, peeked, bitsOf(got), "bar %d", i)
		if !math.IsNaN(got[3]) && bits(got[3]) != bits(got[0]) {
			shown++
		}
	}
	require.Greater(t, shown, 300, "the running week is another value")
	last := s.Bar(s.Len() - 1)
	require.Zero(t, testing.AllocsPerRun(20, func() {
		last.Time = last.Time.AddDate(0, 0, 1)
		set.Update(last)
	}))
}

// Missing days let one bar end two weeks: its own, and the one before.
func TestAPeekBeyondTheEndOfAWeekLeavesTheSetAsItIs(t *testing.T) {
	entries := []indicators.SetEntry{{Name: "EMA", Params: []float64{2}, Interval: market.Week}, {Name: "EMA", Params: []float64{2}, Interval: market.Week, Running: true}}
	set, err := indicators.NewSetOf(&indicators.SetOptions{Interval: market.Day}, entries...)
	require.NoError(t, err)
	at := func(day int, price float64) market.Bar {
		return market.Bar{Time: time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC), Open: price, High: price, Low: price, Close: price, Volume: 1}
	}
	for i, b := range []market.Bar{at(2, 1), at(3, 2), at(13, 4), at(16, 6), at(24, 7), at(27, 9), at(30, 3)} {
		before, err := indicators.Snapshot(set)
		require.NoError(t, err)
		peeked := bitsOf(set.Peek(b))
		after, err := indicators.Snapshot(set)
		require.NoError(t, err)
		require.Equal(t, before, after, "bar %d", i)
		require.Equal(t, peeked, bitsOf(set.Update(b)), "bar %d", i)
	}
}

func TestASetRefusesWhatItCannotCompute(t *testing.T) {
	for _, row := range []struct {
		options *indicators.SetOptions
		entries []indicators.SetEntry
		field   string
	}{
		{nil, []indicators.SetEntry{{Name: "RSI", Interval: market.Week}}, "SetOptions.Interval"},
		{nil, []indicators.SetEntry{{Name: "RSI", Interval: "soon"}}, "interval"},
		{&indicators.SetOptions{Interval: market.Week}, []indicators.SetEntry{{Name: "RSI", Interval: market.Day}}, "to"},
		{nil, []indicators.SetEntry{{Name: "RSI", Of: []string{"EMA"}}}, "Of"},
		{nil, []indicators.SetEntry{{Name: "RSI", Of: []string{"close", "high"}}}, "Of"},
		{nil, []indicators.SetEntry{{Name: "EMA", Params: []float64{2}}, {Name: "EMA", Params: []float64{3}}, {Name: "RSI", Of: []string{"EMA"}}}, "Of"},
		{&indicators.SetOptions{Interval: market.Day}, []indicators.SetEntry{{Name: "EMA", Interval: market.Week}, {Name: "RSI", Of: []string{"EMA"}}}, "Of"},
		{nil, []indicators.SetEntry{{Name: "talib:MAVP"}}, "Of"},
		{nil, []indicators.SetEntry{{Name: "RSJ"}}, "indicator"},
		{nil, []indicators.SetEntry{{Name: "RSI", Params: []float64{0}}}, "n"},
	} {
		_, err := indicators.NewSetOf(row.options, row.entries...)
		var refused *indicators.FieldError
		require.ErrorAs(t, err, &refused, "%v", row.entries)
		require.Equal(t, row.field, refused.Field)
	}
}

func bars(s market.Series) []market.Bar {
	list := make([]market.Bar, s.Len())
	for i := range list {
		list[i] = s.Bar(i)
	}
	return list
}
