package levels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// flatBar is a bar whose numbers tell its place: high n+0.5, low n-0.5, close n.
func flatBar(at time.Time, n float64) market.Bar {
	return market.Bar{Time: at, Open: n, High: n + 0.5, Low: n - 0.5, Close: n, Volume: 1}
}

func day(month time.Month, d int) time.Time { return time.Date(2024, month, d, 0, 0, 0, 0, newYork) }

func bySource(t *testing.T, s market.Series, opts *PriorOptions) map[string]Level {
	t.Helper()
	found, err := Prior(s, opts)
	require.NoError(t, err)
	m := map[string]Level{}
	for _, l := range found {
		m[l.Source] = l
	}
	return m
}

func TestAWeekEndsWithItsLastSession(t *testing.T) {
	// 29 March 2024 is Good Friday: the week and the month end on Thursday the 28th.
	s := market.NewSeries("SPY", market.Day, []market.Bar{
		flatBar(day(3, 21), 1), flatBar(day(3, 22), 2),
		flatBar(day(3, 25), 3), flatBar(day(3, 26), 6), flatBar(day(3, 27), 4), flatBar(day(3, 28), 5),
	})
	wednesday := bySource(t, s.Slice(0, 5), nil)
	assert.Equal(t, 2.5, wednesday["high of the week of 2024-03-18"].Price)
	assert.NotContains(t, wednesday, "high of the month 2024-03")

	thursday := bySource(t, s, nil)
	high := thursday["high of the week of 2024-03-25"]
	assert.Equal(t, 6.5, high.Price)
	assert.Equal(t, day(3, 26), high.Born)
	assert.Equal(t, day(3, 28), high.Confirmed)
	assert.Equal(t, 5.0, thursday["close of the month 2024-03"].Price)
	assert.Equal(t, 4.5, thursday["low of the day 2024-03-28"].Price)
}

func TestAMissingLastSessionIsKnownByTheNextBar(t *testing.T) {
	// The file lacks Friday the 22nd: only Monday's bar shows that the week is over.
	s := market.NewSeries("SPY", market.Day, []market.Bar{flatBar(day(3, 20), 1), flatBar(day(3, 21), 2), flatBar(day(3, 25), 3)})
	assert.NotContains(t, bySource(t, s.Slice(0, 2), nil), "high of the week of 2024-03-18")
	assert.Equal(t, day(3, 25), bySource(t, s, nil)["high of the week of 2024-03-18"].Confirmed)
}

func TestRegularHoursMakeTheDayOfIntradayBars(t *testing.T) {
	at := func(d, hour, minute int) time.Time { return time.Date(2024, 7, d, hour, minute, 0, 0, newYork) }
	// 3 July 2024 closes early, at 13:00.
	s := market.NewSeries("SPY", market.Hour, []market.Bar{
		flatBar(at(3, 8, 0), 90), flatBar(at(3, 9, 30), 10), flatBar(at(3, 10, 30), 12), flatBar(at(3, 11, 30), 11), flatBar(at(3, 12, 30), 11.25), flatBar(at(3, 14, 0), 95),
		flatBar(at(5, 9, 30), 20),
	})
	assert.Empty(t, bySource(t, s.Slice(0, 4), nil), "the session runs until 13:00")
	got := bySource(t, s.Slice(0, 5), nil)
	high := got["high of the day 2024-07-03"]
	assert.Equal(t, 12.5, high.Price)
	assert.Equal(t, at(3, 10, 30), high.Born)
	assert.Equal(t, at(3, 12, 30), high.Confirmed, "the bar that reaches over the early close ends with it")
	assert.Equal(t, 11.25, got["close of the day 2024-07-03"].Price)
	assert.Equal(t, high.Price, bySource(t, s, nil)["high of the day 2024-07-03"].Price, "a bar of the next session changes nothing")

	around := bySource(t, s.Slice(0, 6), &PriorOptions{AllHours: true})
	assert.Empty(t, around, "around the clock the day ends at midnight")
	around = bySource(t, s, &PriorOptions{AllHours: true})
	assert.Equal(t, 95.5, around["high of the day 2024-07-03"].Price)
	assert.Equal(t, at(5, 9, 30), around["high of the day 2024-07-03"].Confirmed)

	s.Symbol = "BTC/USD"
	assert.Equal(t, 95.5, bySource(t, s, nil)["high of the day 2024-07-03"].Price, "crypto trades around the clock")
}

func TestLongBarsHaveOnlyLongPeriods(t *testing.T) {
	weeks := market.NewSeries("SPY", market.Week, []market.Bar{flatBar(day(3, 4), 1), flatBar(day(3, 11), 2)})
	got := bySource(t, weeks, nil)
	require.Len(t, got, 3)
	assert.Equal(t, 2.5, got["high of the week of 2024-03-11"].Price)
	months := market.NewSeries("SPY", market.Month, []market.Bar{flatBar(day(2, 1), 1), flatBar(day(3, 1), 2)})
	got = bySource(t, months, nil)
	require.Len(t, got, 6, "the quarter ends with March")
	assert.Equal(t, 0.5, got["low of the quarter 2024-Q1"].Price)
	assert.Equal(t, 2.5, got["high of the month 2024-03"].Price)
	none, err := Prior(market.NewSeries("SPY", "3d", []market.Bar{flatBar(day(2, 1), 1)}), nil)
	require.NoError(t, err)
	assert.Empty(t, none, "three days add up to no period")
}

func TestDatesWithoutAZoneAreDays(t *testing.T) {
	utc := func(d int) time.Time { return time.Date(2024, 3, d, 0, 0, 0, 0, time.UTC) }
	s := market.NewSeries("SPY", market.Day, []market.Bar{flatBar(utc(21), 1), flatBar(utc(22), 2), flatBar(utc(25), 3)})
	assert.Equal(t, 2.0, bySource(t, s, nil)["close of the week of 2024-03-18"].Price)
}

func TestPivotFormulas(t *testing.T) {
	// H 110, L 100, C 108, O 101: P = 106 and the range is 10.
	up := market.Bar{Open: 101, High: 110, Low: 100, Close: 108}
	for _, test := range []struct {
		method PivotMethod
		bar    market.Bar
		open   float64
		want   []float64 // ascending
	}{
		{PivotStandard, up, math.NaN(), []float64{92, 96, 102, 106, 112, 116, 122}},
		{"", up, math.NaN(), []float64{92, 96, 102, 106, 112, 116, 122}},
		{PivotFibonacci, up, math.NaN(), []float64{96, 99.82, 102.18, 106, 109.82, 112.18, 116}},
		{PivotCamarilla, up, math.NaN(), []float64{102.5, 105.25, 108 - 11.0/6, 108 - 11.0/12, 106, 108 + 11.0/12, 108 + 11.0/6, 110.75, 113.5}},
		{PivotWoodie, up, math.NaN(), []float64{93, 96.5, 103, 106.5, 113, 116.5, 123}},
		{PivotWoodie, up, 104, []float64{89, 94.5, 99, 104.5, 109, 114.5, 119}},
		// X = 2·110 + 100 + 108 = 428
		{PivotDeMark, up, math.NaN(), []float64{104, 107, 114}},
		// C < O: X = 110 + 200 + 101 = 411
		{PivotDeMark, market.Bar{Open: 108, High: 110, Low: 100, Close: 101}, math.NaN(), []float64{95.5, 102.75, 105.5}},
		// C = O: X = 110 + 100 + 2·108 = 426
		{PivotDeMark, market.Bar{Open: 108, High: 110, Low: 100, Close: 108}, math.NaN(), []float64{103, 106.5, 113}},
	} {
		p, err := Pivots(test.bar, test.method, test.open)
		require.NoError(t, err)
		var got []float64
		for _, x := range p.Prices() {
			got = append(got, x.Price)
		}
		assert.InDeltaSlice(t, test.want, got, 1e-9, "%s", test.method)
	}
	for _, bar := range []market.Bar{{High: math.NaN(), Low: 1, Close: 1}, {High: 1, Low: 2, Close: 1}, {High: math.Inf(1), Low: 1, Close: 1}} {
		_, err := Pivots(bar, PivotStandard, 0)
		assert.ErrorContains(t, err, "previous")
	}
	_, err := Pivots(market.Bar{Open: math.NaN(), High: 2, Low: 1, Close: 1}, PivotDeMark, 0)
	assert.ErrorContains(t, err, "previous.Open")
}

func TestPriorLevelsOfRaggedIntradayBarsAreKnownAtTheirConfirmation(t *testing.T) {
	// Half-hour bars from 4:00 to 20:00 over six weeks with an early close, holes and missing days.
	random := rand.New(rand.NewPCG(11, 12))
	var all []market.Bar
	for at := time.Date(2024, 6, 10, 4, 0, 0, 0, newYork); at.Month() < 8; at = at.Add(30 * time.Minute) {
		if h := at.Hour(); h >= 4 && h < 20 && random.IntN(3) > 0 && at.Day()%9 != 0 {
			all = append(all, flatBar(at, 100+random.NormFloat64()))
		}
	}
	for _, allHours := range []bool{false, true} {
		opts := &Options{AllHours: allHours, PivotPeriods: []Period{PeriodDay, PeriodWeek, PeriodMonth}, Kinds: []Kind{KindPriorHigh, KindPriorLow, KindPriorClose, KindPivot, KindPivotSupport}}
		find := func(s market.Series) map[identity]bool {
			found, err := Find(s, opts)
			require.NoError(t, err)
			known := map[identity]bool{}
			for _, l := range found {
				known[identify(l)] = true
			}
			return known
		}
		s := market.NewSeries("SPY", market.Minute30, all)
		compared := 0
		for n := s.Len(); n > 100; n -= 97 {
			found, err := Find(s.Slice(0, n), opts)
			require.NoError(t, err)
			for _, l := range found {
				i := slices.IndexFunc(s.Time, l.Confirmed.Equal)
				require.True(t, i < n && !l.Confirmed.Before(l.Born), "%+v", l)
				assert.True(t, find(s.Slice(0, i+1))[identify(l)], "unknown when confirmed: %+v", l)
				assert.False(t, find(s.Slice(0, i))[identify(l)], "known before: %+v", l)
				compared++
			}
		}
		assert.Greater(t, compared, 50)
	}
}
