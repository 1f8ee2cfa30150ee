package market_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	. "github.com/ttai-go/ttai/market"
)

// flat returns bars of one price and volume 1 that start at the given times.
func flat(t *testing.T, price float64, times ...string) []Bar {
	var bars []Bar
	for _, s := range times {
		bars = append(bars, Bar{Time: at(t, s), Open: price, High: price, Low: price, Close: price, Volume: 1})
	}
	return bars
}

func TestResampleJoinsPricesAndVolumes(t *testing.T) {
	bars := []Bar{
		{Time: at(t, "2026-09-16 09:30"), Open: 10, High: 12, Low: 9, Close: 11, Volume: 100},
		{Time: at(t, "2026-09-16 09:31"), Open: 11, High: 11, Low: 7, Close: 8, Volume: 50},
		{Time: at(t, "2026-09-16 09:35"), Open: 8, High: 15, Low: 8, Close: 14, Volume: math.NaN()},
	}
	got, err := Resample(bars, Minute, Minute5, nil)
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, Bar{Time: at(t, "2026-09-16 09:30"), Open: 10, High: 12, Low: 7, Close: 8, Volume: 150}, got[0])
	assert.True(t, math.IsNaN(got[1].Volume))
	assert.Equal(t, 100.0, bars[0].Volume, "the input is not changed")
}

func TestResampleStartsBarsWithinTheSession(t *testing.T) {
	for name, row := range map[string]struct {
		from, to Interval
		times    []string
		want     []string
	}{
		"hours from the opening":                                   {Minute30, Hour, []string{"2026-09-16 09:30", "2026-09-16 10:00", "2026-09-16 10:30", "2026-09-16 15:30"}, []string{"2026-09-16 09:30", "2026-09-16 10:30", "2026-09-16 15:30"}},
		"phases are kept apart":                                    {Minute, Hour, []string{"2026-09-16 09:29", "2026-09-16 09:30", "2026-09-16 15:59", "2026-09-16 16:00"}, []string{"2026-09-16 09:00", "2026-09-16 09:30", "2026-09-16 15:30", "2026-09-16 16:00"}},
		"hours counted from the full hour":                         {Hour, "2h", []string{"2026-09-16 09:00", "2026-09-16 10:00", "2026-09-16 11:00", "2026-09-16 12:00"}, []string{"2026-09-16 09:00", "2026-09-16 11:00"}},
		"an early close":                                           {Minute30, "4h", []string{"2026-11-27 09:30", "2026-11-27 12:30", "2026-11-27 13:00"}, []string{"2026-11-27 09:30", "2026-11-27 13:00"}},
		"days hold the regular session":                            {Minute, Day, []string{"2026-09-16 08:00", "2026-09-16 09:30", "2026-09-16 15:59", "2026-09-16 16:00", "2026-09-17 09:30"}, []string{"2026-09-16 00:00", "2026-09-17 00:00"}},
		"an hour that reaches into the session belongs to the day": {Hour, Day, []string{"2026-09-16 08:00", "2026-09-16 09:00", "2026-09-16 15:00"}, []string{"2026-09-16 00:00"}},
		"weeks begin at their first session":                       {Day, Week, []string{"2026-09-04 00:00", "2026-09-09 00:00", "2026-09-11 00:00", "2026-09-14 00:00"}, []string{"2026-08-31 00:00", "2026-09-08 00:00", "2026-09-14 00:00"}},
		"months too":                                               {Day, Month, []string{"2026-01-30 00:00", "2026-02-02 00:00", "2026-02-27 00:00"}, []string{"2026-01-02 00:00", "2026-02-02 00:00"}},
		"two sessions over a weekend":                              {Day, "2d", []string{"2026-09-18 00:00", "2026-09-21 00:00", "2026-09-22 00:00"}, []string{"2026-09-18 00:00", "2026-09-22 00:00"}},
		"two weeks":                                                {Week, "2w", []string{"2026-08-31 00:00", "2026-09-08 00:00", "2026-09-14 00:00"}, []string{"2026-08-31 00:00", "2026-09-14 00:00"}},
		"quarters":                                                 {Month, "3mo", []string{"2026-01-02 00:00", "2026-02-02 00:00", "2026-03-02 00:00", "2026-04-01 00:00"}, []string{"2026-01-02 00:00", "2026-04-01 00:00"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Resample(flat(t, 5, row.times...), row.from, row.to, NYSE())
			require.NoError(t, err)
			var starts []string
			for _, b := range got {
				starts = append(starts, b.Time.Format("2006-01-02 15:04"))
			}
			assert.Equal(t, row.want, starts)
		})
	}
}

func TestResampleRefusesWhatCannotBeMade(t *testing.T) {
	day := flat(t, 5, "2026-09-16 00:00", "2026-09-17 00:00")
	for _, row := range []struct {
		bars     []Bar
		from, to Interval
		field    string
	}{
		{day, Day, Hour, "to"},
		{day, Hour, Minute, "to"},
		{day, "7m", "10m", "to"},
		{day, Week, Month, "to"},
		{day, "2d", "3d", "to"},
		{day, "x", Day, "from"},
		{day, Day, "x", "to"},
		{[]Bar{day[1], day[0]}, Day, Week, "bars"},
	} {
		_, err := Resample(row.bars, row.from, row.to, nil)
		assert.Equal(t, row.field, fieldError(t, err).Field, "%s to %s", row.from, row.to)
	}
	same, err := Resample(day, Day, "d", nil)
	require.NoError(t, err)
	assert.Equal(t, day, same)
	same[0].Close = 99
	assert.Equal(t, 5.0, day[0].Close, "the result is a copy")
}

// Any way of resampling keeps first open, last close, highest high, lowest low
// and total volume, and later bars never change earlier ones.
func TestResampleOfRealHoursKeepsWhatMatters(t *testing.T) {
	file, err := OpenBars(sharedtest.Path(t, "data", "intraday", "lean_spy_hour_raw.csv.gz"), nil)
	require.NoError(t, err)
	bars := file.Bars[len(file.Bars)-2000:]
	for bars[0].Time.Hour() != 9 { // begin with a session
		bars = bars[1:]
	}
	total := func(bars []Bar) (sum Bar) {
		sum = bars[0]
		for _, b := range bars[1:] {
			sum.High, sum.Low, sum.Close = math.Max(sum.High, b.High), math.Min(sum.Low, b.Low), b.Close
			sum.Volume += b.Volume
		}
		sum.Time = time.Time{}
		return sum
	}
	for _, to := range []Interval{"2h", Day, Week, Month} {
		all, err := Resample(bars, Hour, to, nil)
		require.NoError(t, err)
		assert.Equal(t, total(bars), total(all), to)
		part, err := Resample(bars[:1000], Hour, to, nil)
		require.NoError(t, err)
		assert.Equal(t, all[:len(part)-1], part[:len(part)-1], to)
	}
}

// The hourly and the daily file are of the same origin and shares.
func TestResampledHoursEqualTheDailyFile(t *testing.T) {
	hours, err := OpenBars(sharedtest.Path(t, "data", "intraday", "lean_spy_hour_raw.csv.gz"), nil)
	require.NoError(t, err)
	days, err := OpenBars(sharedtest.Path(t, "data", "daily", "lean_spy_raw.csv.gz"), nil)
	require.NoError(t, err)
	made, err := Resample(hours.Bars, Hour, Day, nil)
	require.NoError(t, err)
	byTime := map[time.Time]Bar{}
	for _, b := range days.Bars {
		byTime[b.Time] = b
	}
	equal := 0
	for _, b := range made {
		want, ok := byTime[b.Time]
		require.True(t, ok, b.Time)
		if want.Open == b.Open && want.High == b.High && want.Low == b.Low && want.Close == b.Close {
			equal++
		}
	}
	assert.GreaterOrEqual(t, float64(equal), 0.97*float64(len(made)), "%d of %d", equal, len(made))
}
