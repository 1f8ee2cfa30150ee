package market

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// Resample joins bars of one interval into longer ones.
//
// Intraday bars are counted from the start of their phase (pre-market, regular,
// post-market), so none reaches over the opening or the close; bars that are
// themselves counted from the full hour keep that. Daily and longer bars made
// from intraday ones hold the regular session only. Weeks and months are the
// calendar's; several days, weeks or months are counted from the first bar.
// The last bar is made of what is there: [Calendar.Complete] drops one whose
// period is still running. The volume of a bar is NaN when one of its parts is.
//
// The bars must be in ascending order, and to must be made of whole froms. Nil
// means the calendar [NYSE]. Errors are *[FieldError].
func Resample(bars []Bar, from, to Interval, cal *Calendar) ([]Bar, error) {
	if cal == nil {
		cal = NYSE()
	}
	from, err := ParseInterval(string(from))
	if err != nil {
		return nil, invalid.Field("from", string(from), allowedIntervals)
	}
	target := to
	if to, err = ParseInterval(string(to)); err != nil {
		return nil, invalid.Field("to", string(target), allowedIntervals)
	}
	for i := 1; i < len(bars); i++ {
		if !bars[i-1].Time.Before(bars[i].Time) {
			return nil, invalid.Field("bars", bars[i].Time.Format(time.RFC3339), "times in ascending order")
		}
	}
	if from == to {
		return append([]Bar(nil), bars...), nil
	}
	if !nests(from, to) {
		return nil, invalid.Fieldf("to", string(to), "an interval made of whole bars of %s", from)
	}
	if to.Intraday() {
		return resampleIntraday(bars, from.Duration(), to.Duration(), ownGrid, cal), nil
	}
	return resampleDays(bars, from, to, cal), nil
}

// nests reports whether whole bars of from make one of to.
func nests(from, to Interval) bool {
	n, unit := from.Parts()
	m, wanted := to.Parts()
	if from.Intraday() {
		return !to.Intraday() || to.Duration() > from.Duration() && to.Duration()%from.Duration() == 0
	}
	if unit == wanted {
		return m > n && m%n == 0
	}
	return n == 1 && unit == UnitDay && !to.Intraday()
}

// join adds the next part to a bar.
func (b *Bar) join(part Bar) {
	b.High = math.Max(b.High, part.High)
	b.Low = math.Min(b.Low, part.Low)
	b.Close = part.Close
	b.Volume += part.Volume
}

// ownGrid counts the bars of a session from where the shorter bars themselves
// are counted: 09:30 for most, 09:00 for hours counted from the full hour.
const ownGrid = -1

// resampleIntraday joins intraday bars; grid is how long before the opening the
// bars of the regular session are counted from, or ownGrid.
func resampleIntraday(bars []Bar, from, to, grid time.Duration, cal *Calendar) []Bar {
	var out []Bar
	var session Session
	var day Date
	open := false
	for _, b := range bars {
		if d := DateOf(b.Time.In(cal.loc)); d != day {
			day = d
			session, open = cal.Session(d)
		}
		start := bucket(b.Time, from, to, grid, session, open, day.In(cal.loc))
		if n := len(out); n > 0 && out[n-1].Time.Equal(start) {
			out[n-1].join(b)
			continue
		}
		b.Time = start
		out = append(out, b)
	}
	return out
}

// bucket returns the start of the longer bar that a bar at start is part of.
func bucket(start time.Time, from, to, grid time.Duration, s Session, open bool, midnight time.Time) time.Time {
	anchor := midnight
	switch {
	case !open || start.Before(s.PreOpen) || !start.Before(s.PostClose):
	case !start.Add(from).After(s.Open):
		anchor = s.PreOpen
	case start.Before(s.Close):
		if grid == ownGrid {
			grid = modulo(s.Open.Sub(start), from)
		}
		anchor = s.Open.Add(-grid)
	default:
		anchor = s.Close
	}
	return start.Add(-modulo(start.Sub(anchor), to)).In(midnight.Location())
}

func modulo(a, b time.Duration) time.Duration { return ((a % b) + b) % b }

func resampleDays(bars []Bar, from, to Interval, cal *Calendar) []Bar {
	var out []Bar
	n, unit := to.Parts()
	intraday, length := from.Intraday(), from.Duration()
	var end Date // last day of the current bar's period
	for _, b := range bars {
		d := DateOf(b.Time.In(cal.loc))
		if intraday {
			s, open := cal.Session(d)
			if open && (!b.Time.Add(length).After(s.Open) || !b.Time.Before(s.Close)) {
				continue // before the opening or after the close
			}
		}
		if len(out) > 0 && !d.After(end) {
			out[len(out)-1].join(b)
			continue
		}
		start := cal.periodStart(d, unit)
		end = cal.periodEnd(start, n, unit)
		b.Time = start.In(cal.loc)
		out = append(out, b)
	}
	return out
}

// periodStart returns the first session of d's week or month; d itself for
// days, and when the period has no session up to d.
func (c *Calendar) periodStart(d Date, unit Unit) Date {
	first := d
	switch unit {
	case UnitWeek:
		first = weekStart(d)
	case UnitMonth:
		first = date(d.Year, d.Month, 1)
	}
	for day := first; day.Before(d); day = day.AddDays(1) {
		if _, open := c.Session(day); open {
			return day
		}
	}
	return d
}

// periodEnd returns the last day of n days' sessions, weeks or months from start.
func (c *Calendar) periodEnd(start Date, n int, unit Unit) Date {
	switch unit {
	case UnitWeek:
		return weekStart(start).AddDays(7*n - 1)
	case UnitMonth:
		return DateOf(time.Date(start.Year, start.Month+time.Month(n), 0, 0, 0, 0, 0, time.UTC))
	}
	return c.nthSession(start, n)
}
