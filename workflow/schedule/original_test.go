package schedule

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// The cron expressions of the system this one replaces, which ran them in UTC.
const (
	originalOpen   = "30 14 * * 1-5"
	originalClose  = "0 21 * * 1-5"
	originalHourly = "0 14-21 * * 1-5"
	originalDaily  = "0 22 * * 1-5"
	originalWeekly = "0 22 * * 5"
)

// daylight is the law's rule since 2007: from the second Sunday of March to the
// first Sunday of November. It is written here so that nothing of the zone
// database is compared with itself.
func daylight(d market.Date) bool {
	sunday := func(month time.Month, n int) market.Date {
		first := market.Date{Year: d.Year, Month: month, Day: 1}
		return first.AddDays((7-int(first.Weekday()))%7 + 7*(n-1))
	}
	return !d.Before(sunday(time.March, 2)) && d.Before(sunday(time.November, 1))
}

// halfDays are the exchange's early closes of 2020 to 2030: the day after
// Thanksgiving, 24 December and 3 July where these are sessions.
var halfDays = map[string]bool{
	"2020-11-27": true, "2020-12-24": true, "2021-11-26": true, "2022-11-25": true, "2023-07-03": true, "2023-11-24": true,
	"2024-07-03": true, "2024-11-29": true, "2024-12-24": true, "2025-07-03": true, "2025-11-28": true, "2025-12-24": true,
	"2026-11-27": true, "2026-12-24": true, "2027-11-26": true, "2028-07-03": true, "2028-11-24": true,
	"2029-07-03": true, "2029-11-23": true, "2029-12-24": true, "2030-07-03": true, "2030-11-29": true, "2030-12-24": true,
}

// byDate returns a trigger's occurrences of 2020 to 2030 by their date.
func byDate(t *testing.T, trigger Trigger) map[market.Date][]time.Time {
	all := map[market.Date][]time.Time{}
	for o, err := range trigger.All(context.Background(), World{}, time.Date(2019, 12, 31, 23, 0, 0, 0, time.UTC)) {
		require.NoError(t, err)
		if o.Date.Year > 2030 {
			break
		}
		all[o.Date] = append(all[o.Date], o.At.UTC())
	}
	return all
}

func TestForEverySessionOf2020To2030TheOriginalCronsAreAnHourOffInSummerAndOursAreRight(t *testing.T) {
	utc := func(expression string) map[market.Date][]time.Time { return byDate(t, CronIn("UTC", expression)) }
	oldOpen, oldClose, oldHourly, oldDaily := utc(originalOpen), utc(originalClose), utc(originalHourly), utc(originalDaily)
	opens, closes, hours := byDate(t, AtOpen(0)), byDate(t, AtClose(0)), byDate(t, Hourly(0))
	early, late, after := byDate(t, AtOpen(-45*time.Minute)), byDate(t, AtClose(15*time.Minute)), byDate(t, AtClose(time.Hour))
	inNewYork := byDate(t, CronIn("America/New_York", "30 9 * * 1-5"))

	sessions := market.NYSE().Sessions(market.Date{Year: 2020, Month: 1, Day: 1}, market.Date{Year: 2030, Month: 12, Day: 31})
	summer := 0
	for _, s := range sessions {
		d := s.Date
		offset := 5 * time.Hour // New York is so far behind UTC
		if daylight(d) {
			offset = 4 * time.Hour
			summer++
		}
		midnight := d.In(time.UTC).Add(offset)
		open := midnight.Add(9*time.Hour + 30*time.Minute)
		length := 6*time.Hour + 30*time.Minute
		if halfDays[d.String()] {
			length = 3*time.Hour + 30*time.Minute
		}
		closing := open.Add(length)

		// Ours: at the exchange's times, on every session.
		assert.Equal(t, []time.Time{open}, opens[d], d)
		assert.Equal(t, []time.Time{closing}, closes[d], d)
		assert.Equal(t, []time.Time{open.Add(-45 * time.Minute)}, early[d], d)
		assert.Equal(t, []time.Time{closing.Add(15 * time.Minute)}, late[d], d)
		assert.Equal(t, []time.Time{closing.Add(time.Hour)}, after[d], d)
		assert.Equal(t, []time.Time{open}, inNewYork[d], d)
		var want []time.Time
		for at := open; at.Before(closing); at = at.Add(time.Hour) {
			want = append(want, at)
		}
		assert.Equal(t, want, hours[d], d)

		// The original: at the open in winter, an hour after it in summer.
		wrong := 5*time.Hour - offset
		assert.Equal(t, []time.Time{open.Add(wrong)}, oldOpen[d], d)
		if !halfDays[d.String()] {
			assert.Equal(t, []time.Time{closing.Add(wrong)}, oldClose[d], d)
			assert.Equal(t, []time.Time{closing.Add(time.Hour + wrong)}, oldDaily[d], d)
		} else {
			assert.Equal(t, []time.Time{closing.Add(3*time.Hour + wrong)}, oldClose[d], "half day %s", d)
		}
		require.Len(t, oldHourly[d], 8, d)
		assert.Equal(t, open.Add(wrong-30*time.Minute), oldHourly[d][0], d)
		if wrong > 0 {
			assert.True(t, oldHourly[d][7].After(closing), "%s: the original's last hour lies after the close", d)
		}
	}
	assert.Greater(t, len(sessions), 2750)
	assert.InDelta(t, 0.65, float64(summer)/float64(len(sessions)), 0.02, "the share of sessions in daylight saving time: 34 of 52 weeks")

	// The original fires on holidays as well; ours has exactly the sessions.
	for name, ours := range map[string]map[market.Date][]time.Time{"open": opens, "close": closes, "hourly": hours, "briefing": early, "summary": late, "report": after} {
		assert.Len(t, ours, len(sessions), name)
	}
	assert.Greater(t, len(oldOpen), len(sessions)+90, "about nine holidays a year")
}

func TestTheOriginalWeeklyCronMissesWeeksThatEndEarly(t *testing.T) {
	old := byDate(t, CronIn("UTC", originalWeekly))
	ours := byDate(t, AtClose(90*time.Minute).Only(LastOfWeek))
	sessions := market.NYSE().Sessions(market.Date{Year: 2020, Month: 1, Day: 1}, market.Date{Year: 2030, Month: 12, Day: 31})
	weeks, missed := map[[2]int]market.Date{}, 0
	for _, s := range sessions {
		y, w := s.Open.ISOWeek()
		weeks[[2]int{y, w}] = s.Date // the last one stays
	}
	for _, last := range weeks {
		s, _ := market.NYSE().Session(last)
		if last.Year == 2030 && last.Month == time.December && last.Day == 31 {
			continue // the week goes on in 2031
		}
		assert.Equal(t, []time.Time{s.Close.Add(90 * time.Minute).UTC()}, ours[last], last)
		if len(old[last]) == 0 {
			missed++
		}
	}
	assert.Greater(t, missed, 15, "weeks whose Friday is a holiday")
	fridays := 0
	for d := range old {
		if _, open := market.NYSE().Session(d); !open {
			fridays++
		}
	}
	assert.Equal(t, missed, fridays, "and on those Fridays the original reports about a day without trading")
}

func TestCronInAZoneIsRightWhenTheClocksChange(t *testing.T) {
	next := func(zone, expression, after string, n int) []string {
		var all []string
		loc, err := time.LoadLocation(zone)
		require.NoError(t, err)
		for o, err := range CronIn(zone, expression).All(context.Background(), World{}, at(t, after)) {
			require.NoError(t, err)
			all = append(all, o.At.In(loc).Format("01-02 15:04 -07"))
			if len(all) == n {
				break
			}
		}
		return all
	}
	const ny, berlin = "America/New_York", "Europe/Berlin"
	// Forward on 8 March 2026 at 02:00, back on 1 November 2026 at 02:00.
	assert.Equal(t, []string{"03-07 02:30 -05", "03-08 03:30 -04", "03-09 02:30 -04"}, next(ny, "30 2 * * *", "2026-03-07 00:00", 3), "the day is not left out")
	assert.Equal(t, []string{"10-31 01:30 -04", "11-01 01:30 -04", "11-02 01:30 -05"}, next(ny, "30 1 * * *", "2026-10-31 00:00", 3), "and not doubled")
	assert.Equal(t, []string{"11-01 00:30 -04", "11-01 01:30 -04", "11-01 01:30 -05", "11-01 02:30 -05"}, next(ny, "30 * * * *", "2026-11-01 00:00", 4), "every hour is every hour")
	assert.Equal(t, []string{"03-08 01:30 -05", "03-08 03:30 -04"}, next(ny, "30 * * * *", "2026-03-08 01:00", 2))
	assert.Equal(t, []string{"03-06 08:30 -05", "03-09 08:30 -04"}, next(ny, "30 8 * * 1-5", "2026-03-06 00:00", 2))
	// Germany's clocks change on 29 March and 25 October 2026.
	assert.Equal(t, []string{"03-28 15:30 +01", "03-29 15:30 +02"}, next(berlin, "30 15 * * *", "2026-03-28 00:00", 2))
	assert.Equal(t, []string{"10-25 02:15 +02", "10-26 02:15 +01"}, next(berlin, "15 2 * * *", "2026-10-24 18:00", 2))
	// Either kind of days, as POSIX has it: 13 March 2026 is a Friday.
	assert.Equal(t, []string{"03-02 00:00 -05", "03-09 00:00 -04", "03-13 00:00 -04", "03-16 00:00 -04"}, next(ny, "0 0 13 * 1", "2026-03-01 12:00", 4))
	assert.Equal(t, []string{"02-29 00:00 -05"}, next(ny, "0 0 29 2 *", "2026-03-01 12:00", 1))
}
