package market

import (
	"sort"
	"time"
)

// BarEnd returns the instant at which a bar that starts at start is complete:
// for days, weeks and months the close of the last session of the period; for
// intraday bars start plus the interval, cut at the close of the regular
// session, or of post-market trading for a bar that starts in it. A day
// without a session counts as one that closes at the usual time. For an
// interval that is not valid it returns start.
func (c *Calendar) BarEnd(start time.Time, i Interval) time.Time {
	n, unit := i.Parts()
	return c.barEnd(start, n, unit, i.Duration())
}

// barEnd is BarEnd with the interval taken apart, for loops.
func (c *Calendar) barEnd(start time.Time, n int, unit Unit, length time.Duration) time.Time {
	local := start.In(c.loc)
	d := DateOf(local)
	switch unit {
	case UnitDay:
		return c.closeOf(c.nthSession(d, n))
	case UnitWeek:
		monday := weekStart(d)
		return c.lastClose(monday, monday.AddDays(7*n-1), d)
	case UnitMonth:
		first := Date{Year: d.Year, Month: d.Month, Day: 1}
		next := DateOf(time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC))
		return c.lastClose(first, next.AddDays(-1), d)
	case "":
		return start
	}
	end := start.Add(length)
	s, ok := c.Session(d)
	switch {
	case !ok || start.Before(s.PreOpen) || !start.Before(s.PostClose):
		return end
	case start.Before(s.Close):
		// A bar that starts before the opening may reach into the session
		// (hours are often counted from 09:00), so the opening does not cut it.
		return earlier(end, s.Close)
	}
	return earlier(end, s.PostClose)
}

// Complete returns the leading bars that are complete at at. The bars must be
// in ascending order; they are not copied.
func (c *Calendar) Complete(bars []Bar, i Interval, at time.Time) []Bar {
	n, unit := i.Parts()
	length := i.Duration()
	k := sort.Search(len(bars), func(k int) bool { return c.barEnd(bars[k].Time, n, unit, length).After(at) })
	return bars[:k]
}

// nthSession returns the date of the n-th session counted from d, d included;
// d itself when it is not a session and n is 1.
func (c *Calendar) nthSession(d Date, n int) Date {
	if n <= 1 {
		return d
	}
	// 252 sessions are a year: the loop sees each year once.
	rest := n
	for y := max(d.Year, firstYear); y <= lastYear; y++ {
		sessions := c.year(y).sessions
		i := sort.Search(len(sessions), func(i int) bool { return !sessions[i].Date.Before(d) })
		if i+rest <= len(sessions) {
			return sessions[i+rest-1].Date
		}
		rest -= len(sessions) - i
	}
	return d
}

// closeOf returns the close of a date's session, and the usual time of the
// close when it has none.
func (c *Calendar) closeOf(d Date) time.Time {
	if s, ok := c.Session(d); ok {
		return s.Close
	}
	_, closing := c.usualHours(d)
	return d.At(closing/60, closing%60, c.loc)
}

// lastClose returns the close of the last session in [from, to]; the usual
// close of d, the day of the bar, when there is none from d on.
func (c *Calendar) lastClose(from, to, d Date) time.Time {
	for back := range 12 { // longer than the exchange was ever closed since 1928
		day := to.AddDays(-back)
		if day.Before(from) || day.Before(d) {
			break
		}
		if s, ok := c.Session(day); ok {
			return s.Close
		}
	}
	return c.closeOf(d)
}

// weekStart returns the Monday of d's week.
func weekStart(d Date) Date { return d.AddDays(-((int(d.Weekday()) + 6) % 7)) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
