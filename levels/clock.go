package levels

import (
	"fmt"
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Period is a stretch of the calendar.
type Period string

// The periods. Weeks begin on Monday. Dates are those of New York.
const (
	PeriodDay     Period = "day"
	PeriodWeek    Period = "week"
	PeriodMonth   Period = "month"
	PeriodQuarter Period = "quarter"
	PeriodYear    Period = "year"
)

// A clock says which day, session and period a bar belongs to. The calendar is
// asked once a day, not once a bar.
type clock struct {
	interval market.Interval
	calendar *market.Calendar // nil when every hour counts
	zone     *time.Location
	length   time.Duration // of an intraday bar; 0 for others
	n        int
	unit     market.Unit

	date       market.Date
	session    market.Session
	hasSession bool
	newDay     bool // the last bar is the first of its date
	counts     bool // the last bar is known and, for intraday bars, in regular hours
	// Seconds since 1970: a fraction of one never decides, because days and
	// sessions begin and end with whole ones.
	now, end, dayTo  int64 // start and end of the last bar; the next midnight
	opens, closes    int64 // the session
	seconds          int64 // of an intraday bar
	calmTo           int64 // known bars that begin before are in the midst of the session and of every period
	sessionFrom      int   // the first bar of the date; bars from it on are kept
	trackers         []*tracker
	started, running bool
}

func newClock(interval market.Interval, calendar *market.Calendar, allHours bool) *clock {
	c := &clock{interval: interval, calendar: calendar, zone: calendar.Location(), length: interval.Duration(), seconds: int64(interval.Duration() / time.Second), calmTo: math.MinInt64}
	c.n, c.unit = interval.Parts()
	if allHours {
		c.calendar = nil
	}
	return c
}

// update takes the engine's last bar.
func (c *clock) update(e *Engine) {
	if !c.running {
		c.sessionFrom = e.i + 1
		return
	}
	t := e.second
	c.now, c.newDay = t, false
	if t < c.calmTo && e.known {
		c.counts, c.end = true, t+c.seconds
		for _, k := range c.trackers {
			k.done, k.began, k.twice = false, false, false
			k.current.add(e.i, &e.bar)
		}
		return
	}
	if !c.started || c.length == 0 || t >= c.dayTo {
		c.turn(e.bar.Time)
		c.newDay, c.started = true, true
		c.sessionFrom = e.i
	}
	c.counts = e.known
	if c.length > 0 {
		c.end = t + c.seconds
		if c.calendar != nil {
			// A last bar that reaches over the close ends with it.
			if c.hasSession && t < c.closes && c.end > c.closes {
				c.end = c.closes
			}
			c.counts = c.counts && c.hasSession && t >= c.opens && t < c.closes
		}
	} else {
		c.end = c.longEnd().Unix()
	}
	c.calmTo = math.MinInt64
	if c.counts && c.length > 0 {
		c.calmTo = c.dayTo
		if c.calendar != nil {
			c.calmTo = min(c.dayTo, c.closes-c.seconds)
		}
	}
	for _, k := range c.trackers {
		k.update(e, c)
		if !k.open {
			c.calmTo = math.MinInt64
		}
		c.calmTo = min(c.calmTo, k.end-c.seconds)
	}
}

// turn begins the date of t.
func (c *clock) turn(t time.Time) {
	if c.length > 0 {
		c.date = market.DateOf(t.In(c.zone))
		c.dayTo = c.date.AddDays(1).In(c.zone).Unix()
	} else {
		c.date = dateOf(t, c.zone)
	}
	c.hasSession = false
	if c.calendar != nil {
		if c.session, c.hasSession = c.calendar.Session(c.date); c.hasSession {
			c.opens, c.closes = c.session.Open.Unix(), c.session.Close.Unix()
		}
	}
}

// longEnd is the instant the last bar, of a day or longer, is over.
func (c *clock) longEnd() time.Time {
	switch c.unit {
	case market.UnitWeek:
		return c.periodEnd(start(c.date, PeriodWeek).AddDays(7*(c.n-1)), PeriodWeek)
	case market.UnitMonth:
		month := start(c.date, PeriodMonth)
		for range c.n - 1 {
			month = next(month, PeriodMonth)
		}
		return c.periodEnd(month, PeriodMonth)
	}
	return c.periodEnd(c.date.AddDays(c.n-1), PeriodDay)
}

// start is the first day of the period that d lies in.
func start(d market.Date, p Period) market.Date {
	switch p {
	case PeriodWeek:
		return d.AddDays(-(int(d.Weekday()) + 6) % 7)
	case PeriodMonth:
		return market.Date{Year: d.Year, Month: d.Month, Day: 1}
	case PeriodQuarter:
		return market.Date{Year: d.Year, Month: d.Month - (d.Month-1)%3, Day: 1}
	case PeriodYear:
		return market.Date{Year: d.Year, Month: time.January, Day: 1}
	}
	return d
}

// next is the first day after the period that begins at d.
func next(d market.Date, p Period) market.Date {
	switch p {
	case PeriodWeek:
		return d.AddDays(7)
	case PeriodMonth:
		return start(d.AddDays(31), PeriodMonth)
	case PeriodQuarter:
		return start(d.AddDays(100), PeriodQuarter)
	case PeriodYear:
		return market.Date{Year: d.Year + 1, Month: time.January, Day: 1}
	}
	return d.AddDays(1)
}

// label names the period that begins at d.
func (p Period) label(d market.Date) string {
	switch p {
	case PeriodWeek:
		return "week of " + d.String()
	case PeriodMonth:
		return fmt.Sprintf("month %04d-%02d", d.Year, int(d.Month))
	case PeriodQuarter:
		return fmt.Sprintf("quarter %04d-Q%d", d.Year, (int(d.Month)+2)/3)
	case PeriodYear:
		return fmt.Sprintf("year %04d", d.Year)
	}
	return string(p) + " " + d.String()
}

// periodEnd is the instant the period that begins at d is over: the close of
// its last session, or midnight when it has none.
func (c *clock) periodEnd(d market.Date, p Period) time.Time {
	after := next(d, p)
	if c.calendar != nil {
		for day := after.AddDays(-1); !day.Before(d); day = day.AddDays(-1) {
			if session, ok := c.calendar.Session(day); ok {
				return session.Close
			}
		}
	}
	return after.In(c.zone)
}

// wanted checks periods against the length of a bar.
func (c *clock) wanted(field string, wanted []Period, byDefault ...Period) ([]Period, error) {
	fits := func(p Period) bool {
		switch {
		case c.length > 0:
			return true
		case p == PeriodDay:
			return c.unit == market.UnitDay && c.n == 1
		case p == PeriodWeek:
			return c.n == 1 && (c.unit == market.UnitDay || c.unit == market.UnitWeek)
		case p == PeriodMonth:
			return c.n == 1 && (c.unit == market.UnitDay || c.unit == market.UnitMonth)
		case p == PeriodQuarter:
			return c.n == 1 && c.unit == market.UnitDay || c.unit == market.UnitMonth && 3%c.n == 0
		}
		return c.n == 1 && c.unit == market.UnitDay || c.unit == market.UnitMonth && 12%c.n == 0
	}
	if wanted == nil {
		var periods []Period
		for _, p := range byDefault {
			if fits(p) {
				periods = append(periods, p)
			}
		}
		return periods, nil
	}
	for _, p := range wanted {
		switch p {
		case PeriodDay, PeriodWeek, PeriodMonth, PeriodQuarter, PeriodYear:
		default:
			return nil, invalid.Field(field, string(p), "day, week, month, quarter or year")
		}
		if !fits(p) {
			return nil, invalid.Fieldf(field, string(p), "periods that bars of %s add up to", c.interval)
		}
	}
	return wanted, nil
}

// A span is a stretch of bars as one bar.
type span struct {
	bar                    market.Bar
	begin                  market.Date
	first, last            int
	highAt, lowAt, closeAt time.Time
	highI, lowI, closeI    int
}

func (x *span) add(i int, bar *market.Bar) {
	if x.first < 0 {
		x.first, x.bar = i, *bar
		x.highAt, x.lowAt, x.highI, x.lowI = bar.Time, bar.Time, i, i
	}
	if bar.High > x.bar.High {
		x.bar.High, x.highAt, x.highI = bar.High, bar.Time, i
	}
	if bar.Low < x.bar.Low {
		x.bar.Low, x.lowAt, x.lowI = bar.Low, bar.Time, i
	}
	x.bar.Close, x.closeAt, x.closeI, x.last = bar.Close, bar.Time, i, i
}

// A tracker sums up the bars of a period, and says when it is over: when its
// last session's close has passed by the end of a bar, which is the period's
// own last bar or the first one after it.
type tracker struct {
	period   Period
	open     bool
	current  span
	until    market.Date // first date after the period
	end      int64
	closed   market.Date // begin of the last finished one
	finished span
	done     bool // the last bar finished a period: finished
	began    bool // the last bar is the first of a period
	twice    bool // the last bar finished two: prior, and finished after it
	prior    span
}

func (c *clock) tracker(p Period) *tracker {
	c.running = true
	for _, k := range c.trackers {
		if k.period == p {
			return k
		}
	}
	k := &tracker{period: p}
	c.trackers = append(c.trackers, k)
	return k
}

func (k *tracker) update(e *Engine, c *clock) {
	k.done, k.began, k.twice = false, false, false
	if k.open && c.newDay && !c.date.Before(k.until) {
		k.finish()
	}
	if c.counts {
		if !k.open {
			if begin := start(c.date, k.period); begin != k.closed {
				k.open, k.began = true, true
				k.current = span{begin: begin, first: -1}
				k.until, k.end = next(begin, k.period), c.periodEnd(begin, k.period).Unix()
			}
		}
		if k.open {
			k.current.add(e.i, &e.bar)
		}
	}
	if k.open && c.end >= k.end {
		k.finish()
	}
}

func (k *tracker) finish() {
	k.twice, k.prior = k.done, k.finished
	k.open, k.done = false, true
	k.finished, k.closed = k.current, k.current.begin
}
