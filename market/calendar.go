package market

import (
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	// The zone database is linked in (about 450 KB) because every session,
	// daily bar and expiry depends on America/New_York: containers and Windows
	// often lack one, and a wrong zone would be an hour of wrong data without
	// any error. A database on the computer is preferred when there is one.
	_ "time/tzdata"
)

// A Session is one trading day. Instants are in America/New_York.
type Session struct {
	Date Date
	// Pre-market trading is [PreOpen, Open), the regular session [Open, Close),
	// post-market trading [Close, PostClose). Without pre- or post-market
	// trading the two bounds are equal.
	PreOpen, Open, Close, PostClose time.Time

	Early  bool   // closes before the usual time
	Reason string // why it closes early; "" otherwise
}

// A Phase is a part of a trading day.
type Phase string

// The phases. Nights, weekends and holidays are closed.
const (
	PhaseClosed  Phase = "closed"
	PhasePre     Phase = "pre"
	PhaseRegular Phase = "regular"
	PhasePost    Phase = "post"
)

// The years that a calendar computes sessions for. Outside them it has none,
// so that no absurd date can make it search forever.
const (
	firstYear = 1900
	lastYear  = 2199
)

// A Calendar knows the sessions of an exchange. It is immutable and safe for
// concurrent use. Get one from [NYSE] or [CboeOptions].
//
// Holidays and early closes follow the exchange's rules; closures that no rule
// gives (mourning days, storms, September 2001) stand in a table. [Calendar.Range]
// says for which years days and hours together are known to be right, and
// [Calendar.ClosureRange] for which years the days are: back to 1928, with the
// Saturday sessions until May 1952. Outside them the rules go on; sessions
// exist from 1900 to 2199.
//
// NYSE's usual hours are those of their time: 09:30 to 16:00 since 30 September
// 1985, before it from 10:00, to 15:30 until October 1974 and to 15:00 until
// September 1952. Pre- and post-market hours and the hours of options are
// today's for all years. Delayed openings, halts within a session, and early
// closes before 1990 are not in it.
type Calendar struct {
	name string
	loc  *time.Location
	// minutes of the day
	preOpen, open, close, postClose, earlyPostClose int
	history                                         bool // with the hours and the Saturdays of former times

	years [lastYear - firstYear + 1]atomic.Pointer[yearTable] // computed when first asked for
}

// A yearTable is the computed sessions of one year.
type yearTable struct {
	sessions []Session
	day      [367]int16      // by day of the year: index into sessions plus one, 0 for none
	traded   []time.Duration // by session: regular trading time of the year before it
	total    time.Duration   // regular trading time of the year
	closed   map[Date]string // weekdays without a session, with the reason
}

// NYSE returns the calendar of shares on the New York Stock Exchange and
// Nasdaq: pre-market from 04:00, regular 09:30 to 16:00, post-market to 20:00,
// and to 17:00 when the session closes early.
func NYSE() *Calendar { return nyse() }

// CboeOptions returns the calendar of equity options: the weekdays of [NYSE],
// 09:30 to 16:00, without pre- and post-market. The quarter hour more that some
// ETF options trade is not in it; index options have [CboeIndexOptions].
func CboeOptions() *Calendar { return cboeOptions() }

// Both calendars are computed from constants alone and never change, so one of
// each serves everybody.
var (
	nyse = sync.OnceValue(func() *Calendar {
		return &Calendar{name: "NYSE", loc: newYork(), preOpen: 4 * 60, open: 9*60 + 30, close: 16 * 60, postClose: 20 * 60, earlyPostClose: 17 * 60, history: true}
	})
	cboeOptions = sync.OnceValue(func() *Calendar {
		return &Calendar{name: "Cboe options", loc: newYork(), preOpen: 9*60 + 30, open: 9*60 + 30, close: 16 * 60, postClose: 16 * 60}
	})
	newYork = sync.OnceValue(func() *time.Location {
		loc, err := time.LoadLocation("America/New_York")
		if err != nil { // cannot happen: the database is linked in
			return time.FixedZone("America/New_York", -5*60*60)
		}
		return loc
	})
)

// Name returns "NYSE" or "Cboe options".
func (c *Calendar) Name() string { return c.name }

// Location returns America/New_York.
func (c *Calendar) Location() *time.Location { return c.loc }

// Range returns the first and the last date for which closures and early closes
// are known. Later sessions can still be changed by the exchange.
func (c *Calendar) Range() (from, to Date) {
	return Date{Year: 1990, Month: time.January, Day: 1}, Date{Year: 2030, Month: time.December, Day: 31}
}

// ClosureRange returns the first and the last date for which the days without a
// session are known, whatever the hours of the others were.
func (c *Calendar) ClosureRange() (from, to Date) {
	_, to = c.Range()
	return Date{Year: 1928, Month: time.January, Day: 1}, to
}

// Session returns the session of a date; false when there is none that day.
func (c *Calendar) Session(d Date) (Session, bool) {
	table := c.year(d.Year)
	t := d.In(time.UTC)
	if table == nil || DateOf(t) != d {
		return Session{}, false
	}
	i := table.day[t.YearDay()]
	if i == 0 {
		return Session{}, false
	}
	return table.sessions[i-1], true
}

// Holiday reports whether a weekday has no session, and why. Weekends, which
// have none either, are not holidays; only until May 1952, when [NYSE] traded
// on Saturdays, a Saturday can be one.
func (c *Calendar) Holiday(d Date) (reason string, closed bool) {
	table := c.year(d.Year)
	if table == nil {
		return "", false
	}
	reason, closed = table.closed[d]
	return reason, closed
}

// Phase returns the phase of the trading day at t.
func (c *Calendar) Phase(t time.Time) Phase {
	s, ok := c.Session(DateOf(t.In(c.loc)))
	switch {
	case !ok || t.Before(s.PreOpen) || !t.Before(s.PostClose):
		return PhaseClosed
	case t.Before(s.Open):
		return PhasePre
	case t.Before(s.Close):
		return PhaseRegular
	}
	return PhasePost
}

// IsOpen reports whether the regular session is open at t.
func (c *Calendar) IsOpen(t time.Time) bool { return c.Phase(t) == PhaseRegular }

// Next returns the first session that opens after t; the zero Session when the
// calendar ends before.
func (c *Calendar) Next(t time.Time) Session {
	for y := max(t.In(c.loc).Year(), firstYear); y <= lastYear; y++ {
		sessions := c.year(y).sessions
		i := sort.Search(len(sessions), func(i int) bool { return sessions[i].Open.After(t) })
		if i < len(sessions) {
			return sessions[i]
		}
	}
	return Session{}
}

// Previous returns the last session that closed at or before t; the zero
// Session when the calendar begins after.
func (c *Calendar) Previous(t time.Time) Session {
	for y := min(t.In(c.loc).Year(), lastYear); y >= firstYear; y-- {
		sessions := c.year(y).sessions
		i := sort.Search(len(sessions), func(i int) bool { return sessions[i].Close.After(t) })
		if i > 0 {
			return sessions[i-1]
		}
	}
	return Session{}
}

// Sessions returns the sessions of the dates from … to, both included.
func (c *Calendar) Sessions(from, to Date) []Session {
	var all []Session
	for y := max(from.Year, firstYear); y <= min(to.Year, lastYear); y++ {
		sessions := c.year(y).sessions
		i := sort.Search(len(sessions), func(i int) bool { return !sessions[i].Date.Before(from) })
		j := sort.Search(len(sessions), func(i int) bool { return sessions[i].Date.After(to) })
		if i < j {
			all = append(all, sessions[i:j]...)
		}
	}
	return all
}

// TradingTime returns how long the regular session is open between two
// instants; negative when to is earlier than from.
func (c *Calendar) TradingTime(from, to time.Time) time.Duration {
	if to.Before(from) {
		return -c.TradingTime(to, from)
	}
	first, last := from.In(c.loc).Year(), to.In(c.loc).Year()
	sum := c.tradedInYear(to) - c.tradedInYear(from)
	for y := max(first, firstYear); y < min(last, lastYear+1); y++ {
		sum += c.year(y).total
	}
	return sum
}

// tradedInYear returns the regular trading time from the start of t's year to t.
func (c *Calendar) tradedInYear(t time.Time) time.Duration {
	table := c.year(t.In(c.loc).Year())
	if table == nil {
		return 0
	}
	i := sort.Search(len(table.sessions), func(i int) bool { return table.sessions[i].Close.After(t) })
	if i == len(table.sessions) {
		return table.total
	}
	return table.traded[i] + max(0, t.Sub(table.sessions[i].Open))
}

// year returns the table of a year; nil outside firstYear … lastYear. Two
// callers may compute the same table at once; they get equal ones.
func (c *Calendar) year(y int) *yearTable {
	if y < firstYear || y > lastYear {
		return nil
	}
	slot := &c.years[y-firstYear]
	table := slot.Load()
	if table == nil {
		table = c.compute(y)
		slot.Store(table)
	}
	return table
}

func (c *Calendar) compute(y int) *yearTable {
	table := &yearTable{sessions: make([]Session, 0, 254), closed: holidays(y)}
	for d := range table.closed {
		if !c.tradingWeekday(d) {
			delete(table.closed, d)
		}
	}
	early := earlyCloses(y)
	clock := func(d Date, minutes int) time.Time { return d.At(minutes/60, minutes%60, c.loc) }
	start := time.Date(y, time.January, 1, 0, 0, 0, 0, time.UTC)
	for t := start; t.Year() == y; t = t.AddDate(0, 0, 1) {
		d := DateOf(t)
		if _, holiday := table.closed[d]; holiday || !c.tradingWeekday(d) {
			continue
		}
		opening, closing := c.usualHours(d)
		s := Session{Date: d, PreOpen: clock(d, c.preOpen), Open: clock(d, opening), Close: clock(d, closing), PostClose: clock(d, c.postClose)}
		if t.Weekday() == time.Saturday {
			s.Early, s.Reason, s.PostClose = true, "Saturday", clock(d, c.earlyPostClose)
		} else if e, ok := early[d]; ok {
			s.Early, s.Reason, s.Close = true, e.reason, clock(d, e.hour*60)
			s.PostClose = clock(d, max(c.earlyPostClose, e.hour*60))
		}
		table.sessions = append(table.sessions, s)
		table.day[t.YearDay()] = int16(len(table.sessions))
		table.traded = append(table.traded, table.total)
		table.total += s.Close.Sub(s.Open)
	}
	table.sessions = slices.Clip(table.sessions)
	return table
}

// tradingWeekday reports whether d's day of the week is one of trading.
func (c *Calendar) tradingWeekday(d Date) bool {
	switch d.Weekday() {
	case time.Saturday:
		return c.history && saturdaySession(d)
	case time.Sunday:
		return false
	}
	return true
}

// usualHours returns the minutes of the day of the opening and the usual close.
func (c *Calendar) usualHours(d Date) (open, close int) {
	if c.history {
		if open, close, ok := earlierHours(d); ok {
			return open, close
		}
	}
	return c.open, c.close
}
