package market_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

func TestAResamplerClosesTheBarsThatResampleMakes(t *testing.T) {
	daily, err := market.OpenBars(sharedtest.Path(t, "vectors", "ohlcv", "spy502.csv"), nil)
	require.NoError(t, err)
	day := time.Date(2026, 3, 2, 9, 30, 0, 0, newYorkTime(t))
	var minutes []market.Bar
	for d := range 12 {
		if d%7 == 5 || d%7 == 6 {
			continue // the week's end
		}
		for m := -60; m < 420; m++ { // before the opening and after the close too
			v := 100 + math.Sin(float64(d*1000+m)/50)
			minutes = append(minutes, market.Bar{Time: day.AddDate(0, 0, d).Add(time.Duration(m) * time.Minute), Open: v, High: v + 1, Low: v - 1, Close: v, Volume: float64(m + 60)})
		}
	}
	for _, row := range []struct {
		from, to market.Interval
		bars     []market.Bar
	}{{"1d", "1w", daily.Bars}, {"1d", "1mo", daily.Bars}, {"1d", "3mo", daily.Bars}, {"1d", "5d", daily.Bars}, {"1d", "2w", daily.Bars},
		{"1m", "15m", minutes}, {"1m", "1h", minutes}, {"1m", "1d", minutes}, {"1m", "1w", minutes}} {
		want, err := market.Resample(row.bars, row.from, row.to, nil)
		require.NoError(t, err)
		r, err := market.NewResampler(row.from, row.to, nil)
		require.NoError(t, err)
		var got []market.Bar
		for i, b := range row.bars {
			closed := append([]market.Bar(nil), r.Push(b)...)
			for _, c := range closed {
				require.False(t, !row.to.Intraday() && market.NYSE().BarEnd(c.Time, row.to).After(market.NYSE().BarEnd(b.Time, row.from)), "%v to %v: complete before its end", row.from, row.to)
			}
			got = append(got, closed...)
			if i%97 == 0 { // kept and restored on the way
				state, err := r.MarshalBinary()
				require.NoError(t, err)
				again, err := market.NewResampler(row.from, row.to, nil)
				require.NoError(t, err)
				require.NoError(t, again.UnmarshalBinary(state))
				r = again
			}
		}
		if b, ok := r.Running(); ok {
			got = append(got, b)
		}
		require.Len(t, got, len(want), "%v to %v", row.from, row.to)
		for i := range want {
			require.True(t, want[i].Time.Equal(got[i].Time), "%v to %v: %v and %v", row.from, row.to, want[i].Time, got[i].Time)
			got[i].Time = want[i].Time
			require.Equal(t, want[i], got[i], "%v to %v", row.from, row.to)
		}
	}
}

func TestAWeekIsCompleteWithItsLastSession(t *testing.T) {
	r, err := market.NewResampler(market.Day, market.Week, nil)
	require.NoError(t, err)
	at := func(day int) market.Bar { // July 2026: the 3rd, a Friday, is a holiday
		return market.Bar{Time: time.Date(2026, 7, day, 0, 0, 0, 0, newYorkTime(t)), Open: 1, High: 2, Low: 1, Close: 2, Volume: 1}
	}
	require.Empty(t, r.Push(at(1)))
	unknown := at(2)
	unknown.Close = math.NaN()
	require.Len(t, r.Push(unknown), 1, "Thursday ends the week, known or not")
	require.Empty(t, r.Push(at(6)))
	closed := r.Push(at(13))
	require.Len(t, closed, 1, "a week whose other days are missing ends with the next")
	require.Equal(t, 1.0, closed[0].Volume)
	b, ok := r.Running()
	require.True(t, ok)
	require.Equal(t, 13, b.Time.Day())
	r.Reset()
	_, ok = r.Running()
	require.False(t, ok)
	require.Error(t, r.UnmarshalBinary([]byte{1}))
	for _, to := range []market.Interval{"1d", "1h", "never"} {
		_, err = market.NewResampler(market.Day, to, nil)
		var refused *market.FieldError
		require.ErrorAs(t, err, &refused)
	}
	_, err = market.NewResampler("x", market.Week, nil)
	require.Error(t, err)
	bar := at(14)
	require.Zero(t, testing.AllocsPerRun(50, func() { r.Push(bar) }))
}

// Coins trade at week's ends too, of which the calendar of stocks knows nothing.
func TestAMarketWithoutWeekendsEndsItsWeeksWithTheNext(t *testing.T) {
	daily, err := market.OpenBars(sharedtest.Path(t, "vectors", "ohlcv", "btc1246.csv"), nil)
	require.NoError(t, err)
	want, err := market.Resample(daily.Bars, market.Day, market.Week, nil)
	require.NoError(t, err)
	r, err := market.NewResampler(market.Day, market.Week, nil)
	require.NoError(t, err)
	var got []market.Bar
	for _, b := range daily.Bars {
		got = append(got, r.Push(b)...)
	}
	require.Equal(t, want[1:len(want)-1], got[1:], "the first week ended on a Friday")
}

func newYorkTime(t *testing.T) *time.Location {
	t.Helper()
	location, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	return location
}
