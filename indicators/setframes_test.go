package indicators_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

// A piece is a stretch of trading that no bar reaches over.
type piece struct {
	open, close time.Time
	regular     bool
}

// pieces of trading around both changes of the clock and the short day after
// Thanksgiving of 2026, with pre- and post-market.
func pieces(t *testing.T) (list []piece) {
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	for _, days := range [][2]time.Time{
		{time.Date(2026, 3, 4, 0, 0, 0, 0, newYork), time.Date(2026, 3, 12, 0, 0, 0, 0, newYork)},
		{time.Date(2026, 10, 29, 0, 0, 0, 0, newYork), time.Date(2026, 11, 5, 0, 0, 0, 0, newYork)},
		{time.Date(2026, 11, 24, 0, 0, 0, 0, newYork), time.Date(2026, 12, 2, 0, 0, 0, 0, newYork)},
	} {
		for day := days[0]; day.Before(days[1]); day = day.AddDate(0, 0, 1) {
			if weekday := day.Weekday(); weekday == time.Saturday || weekday == time.Sunday || day.Month() == 11 && day.Day() == 26 {
				continue
			}
			at := func(hour, minute int) time.Time {
				return time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, newYork)
			}
			end, late := at(16, 0), at(20, 0)
			if day.Month() == 11 && day.Day() == 27 {
				end, late = at(13, 0), at(17, 0)
			}
			list = append(list, piece{at(4, 0), at(9, 0), false}, piece{at(9, 30), end, true}, piece{end, late, false})
		}
	}
	return list
}

// joined is what the bars of some interval add up to.
type joined struct{ high, low, close float64 }

func (j *joined) add(b market.Bar, first bool) {
	if first {
		*j = joined{b.High, b.Low, b.Close}
		return
	}
	*j = joined{max(j.high, b.High), min(j.low, b.Low), b.Close}
}

// TestHoursAndDaysOnHalfHoursOverSessionEndsAndChangesOfTheClock joins the bars
// by hand: hours are counted from the start of each stretch, whose last may be
// half a one, and days are the regular stretch.
func TestHoursAndDaysOnHalfHoursOverSessionEndsAndChangesOfTheClock(t *testing.T) {
	const half = market.Interval("30m")
	set, err := indicators.NewSetOf(&indicators.SetOptions{Interval: half},
		indicators.SetEntry{Name: "SMA", Params: []float64{1}, Interval: market.Hour, As: "Hour"},
		indicators.SetEntry{Name: "EMA", Params: []float64{3}, Interval: market.Hour},
		indicators.SetEntry{Name: "ATR", Params: []float64{2}, Interval: market.Day},
		indicators.SetEntry{Name: "SMA", Params: []float64{1}, Interval: market.Day, As: "Day"},
		indicators.SetEntry{Name: "SMA", Params: []float64{1}, Interval: market.Day, Running: true, As: "Today"},
		indicators.SetEntry{Name: "SMA", Params: []float64{2}, As: "Here"},
	)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(3, 4))
	hourEMA, err := indicators.NewEMA(3)
	require.NoError(t, err)
	dayATR, err := indicators.NewATR(2)
	require.NoError(t, err)
	here, err := indicators.NewSMA(2)
	require.NoError(t, err)
	var hour, day joined
	want := []float64{nan, nan, nan, nan, nan, nan}
	price, hours, days, n := 100.0, 0, 0, 0
	for _, p := range pieces(t) {
		bars := 0
		for at := p.open; at.Before(p.close); at = at.Add(30 * time.Minute) {
			open := price
			price += random.Float64() - 0.5
			b := market.Bar{Time: at.UTC(), Open: open, High: max(open, price) + random.Float64(), Low: min(open, price) - random.Float64(), Close: price, Volume: 10}
			last := !at.Add(30 * time.Minute).Before(p.close)
			hour.add(b, bars%2 == 0)
			if bars%2 == 1 || last {
				hours++
				want[0], want[1] = hour.close, hourEMA.Update(hour.close)
			}
			if p.regular {
				day.add(b, bars == 0)
				want[4] = day.close
				if last {
					days++
					want[2], want[3] = dayATR.Update(day.high, day.low, day.close), day.close
				}
			}
			want[5] = here.Update(b.Close)
			bars++
			n++
			peeked := bitsOf(set.Peek(b))
			if n%17 == 5 {
				kept, err := indicators.Snapshot(set)
				require.NoError(t, err)
				set.Update(b)
				require.NoError(t, indicators.Restore(set, kept))
			}
			got := bitsOf(set.Update(b))
			require.Equal(t, bitsOf(want), got, "bar %d at %v", n, at)
			require.Equal(t, got, peeked, "bar %d at %v", n, at)
		}
	}
	require.Equal(t, 16, days)
	require.Greater(t, hours, 200)
}
