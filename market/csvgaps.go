package market

import (
	"fmt"
	"time"
)

// noteGaps lists missing sessions and bars, and daily bars of days without a
// session. It drops nothing.
func (t *table) noteGaps(rows []barRow, interval Interval, cal *Calendar) {
	n, unit := interval.Parts()
	g := gaps{table: t, cal: cal}
	if len(rows) == 0 {
		return
	}
	switch unit {
	case UnitDay:
		if n == 1 {
			g.days(rows)
		}
	case UnitWeek, UnitMonth:
		g.periods(rows, n, unit)
	default:
		g.intraday(rows, interval.Duration())
	}
	g.finish()
}

// gaps counts what it lists, so that a file from another market does not list
// every day of it.
type gaps struct {
	table           *table
	cal             *Calendar
	missing, closed int
	last            int // line
}

func (g *gaps) gap(line int, value, reason string) {
	if g.missing++; g.missing <= mostNotes {
		g.table.note(line, "time", value, "gap: "+reason)
	}
	g.last = line
}

func (g *gaps) finish() {
	if more := g.missing - mostNotes; more > 0 {
		g.table.note(g.last, "time", "", fmt.Sprintf("%s more like these", plural(more, "gap")))
	}
	if more := g.closed - mostNotes; more > 0 {
		g.table.note(g.last, "time", "", fmt.Sprintf("%s more on days without a session", plural(more, "bar")))
	}
}

// sessionsBetween notes the sessions after the date a and before the date b.
func (g *gaps) sessionsBetween(line int, a, b Date) {
	if a.DaysUntil(b) <= 1 {
		return
	}
	lost := g.cal.Sessions(a.AddDays(1), b.AddDays(-1))
	if len(lost) == 0 {
		return
	}
	first, last := lost[0].Date.String(), lost[len(lost)-1].Date.String()
	what := fmt.Sprintf("%s missing before this line: %s", plural(len(lost), "session"), first)
	if first != last {
		what += " to " + last
	}
	g.gap(line, first, what)
}

func (g *gaps) days(rows []barRow) {
	for i := range rows {
		d := DateOf(rows[i].bar.Time)
		if _, open := g.cal.Session(d); !open {
			g.last = max(g.last, rows[i].line)
			if g.closed++; g.closed <= mostNotes {
				g.table.note(rows[i].line, "time", d.String(), "a bar on a day without a session")
			}
		}
		if i > 0 {
			g.sessionsBetween(rows[i].line, DateOf(rows[i-1].bar.Time), d)
		}
	}
}

func (g *gaps) periods(rows []barRow, n int, unit Unit) {
	for i := 1; i < len(rows); i++ {
		a, b := DateOf(rows[i-1].bar.Time), DateOf(rows[i].bar.Time)
		steps, name := weekStart(a).DaysUntil(weekStart(b))/7, "week"
		if unit == UnitMonth {
			steps, name = 12*(b.Year-a.Year)+int(b.Month)-int(a.Month), "month"
		}
		if lost := steps/n - 1; lost > 0 {
			g.gap(rows[i].line, a.String(), fmt.Sprintf("%s missing after %s", plural(lost*n, name), a))
		}
	}
}

// intraday notes missing sessions, and bars missing between the first and the
// last minute of a regular session.
func (g *gaps) intraday(rows []barRow, length time.Duration) {
	var session Session
	var end time.Time // until when the session is covered
	open := false
	closeGap := func(line int) {
		if open && session.Close.Sub(end) >= length {
			g.bars(line, end, session.Close, length, "before the close")
		}
	}
	for i := range rows {
		start := rows[i].bar.Time
		d := DateOf(start.In(g.cal.loc))
		if i == 0 || d != session.Date {
			if i > 0 {
				closeGap(rows[i-1].line)
				g.sessionsBetween(rows[i].line, session.Date, d)
			}
			session, open = g.cal.Session(d)
			session.Date = d
			end = session.Open
			if i == 0 && start.After(session.Open) {
				end = start // the file may begin within a session
			}
		}
		if !open || !start.Before(session.Close) {
			continue
		}
		if start.Sub(end) >= length {
			g.bars(rows[i].line, end, start, length, "before this line")
		}
		if stop := start.Add(length); stop.After(end) {
			end = stop
		}
	}
}

func (g *gaps) bars(line int, from, to time.Time, length time.Duration, where string) {
	lost := int((to.Sub(from) + length - 1) / length)
	g.gap(line, from.In(g.cal.loc).Format(time.DateTime), fmt.Sprintf("%s missing %s: %s to %s", plural(lost, "bar"), where, from.In(g.cal.loc).Format("15:04:05"), to.In(g.cal.loc).Format("15:04:05")))
}
