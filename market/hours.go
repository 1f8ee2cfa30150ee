package market

import "time"

// Phases of markets that trade around the clock, beside those of the stock
// exchange. See [TradingHours].
const (
	// PhaseOvernight is trading outside the stock exchange's hours: Globex
	// nights, Cboe's global trading hours.
	PhaseOvernight Phase = "overnight"
	// PhaseCurb is Cboe's session after the regular one.
	PhaseCurb Phase = "curb"
	// PhaseHalt is a scheduled break of at most six hours between two periods
	// of trading, such as the daily one of CME from 17:00 to 18:00.
	PhaseHalt Phase = "halt"
)

// longestHalt separates a break in trading from a closed market.
const longestHalt = 6 * time.Hour

// A Period is an unbroken stretch of trading, [Open, Close).
type Period struct {
	Date        Date  // the trade date it belongs to, often the day after Open
	Phase       Phase // PhaseOvernight, PhaseRegular, PhasePost or PhaseCurb
	Open, Close time.Time
}

// A TradingDay is all trading of one trade date.
type TradingDay struct {
	Date    Date
	Periods []Period // ascending, never overlapping; the first may open days before Date
	Early   bool     // closes before the usual time
	Reason  string   // why it closes early; "" otherwise
}

// Open returns when the first period opens.
func (d TradingDay) Open() time.Time { return d.Periods[0].Open }

// Close returns when the last period closes.
func (d TradingDay) Close() time.Time { return d.Periods[len(d.Periods)-1].Close }

// Regular returns the regular period; false when the day has none.
func (d TradingDay) Regular() (Period, bool) {
	for _, p := range d.Periods {
		if p.Phase == PhaseRegular {
			return p, true
		}
	}
	return Period{}, false
}

// TradingHours are the hours of a market whose trade dates begin the evening
// before, which the one session a day of a [Calendar] cannot say. It is
// immutable and safe for concurrent use. Get one from [CMEEquityIndex],
// [CboeIndexOptions] or [TradingHoursOf].
//
// Instants are in America/New_York. Trading on the days of holidays belongs to
// the next trade date. [TradingHours.Range] says for which dates the hours are
// known to be right; outside it the nearest known ones go on, from 1900 to 2199.
type TradingHours struct {
	name     string
	from, to Date
	// day returns the trading of a trade date, nil for a day that is none.
	day func(d Date) *TradingDay
}

// Name returns "CME equity index" or "Cboe index options".
func (h *TradingHours) Name() string { return h.name }

// Location returns America/New_York.
func (h *TradingHours) Location() *time.Location { return newYork() }

// Range returns the first and the last date for which the hours are known.
func (h *TradingHours) Range() (from, to Date) { return h.from, h.to }

// Day returns the trading of a trade date; false when d is none.
func (h *TradingHours) Day(d Date) (TradingDay, bool) {
	if DateOf(d.In(time.UTC)) != d {
		return TradingDay{}, false
	}
	if day := h.day(d); day != nil {
		return *day, true
	}
	return TradingDay{}, false
}

// Days returns the trade dates from … to, both included.
func (h *TradingHours) Days(from, to Date) []TradingDay {
	var all []TradingDay
	from, to = clampDate(from), clampDate(to)
	for d := from; !d.After(to); d = d.AddDays(1) {
		if day, ok := h.Day(d); ok {
			all = append(all, day)
		}
	}
	return all
}

// Holiday reports whether a weekday is no trade date, and why. There may be
// trading on it nevertheless, for the next trade date.
func (h *TradingHours) Holiday(d Date) (reason string, closed bool) {
	if _, ok := h.Day(d); ok {
		return "", false
	}
	return NYSE().modernHoliday(d)
}

// At returns the period that trades at t; false when none does.
func (h *TradingHours) At(t time.Time) (Period, bool) {
	p := h.next(t, func(p Period) bool { return p.Close.After(t) })
	return p, !p.Open.IsZero() && !p.Open.After(t)
}

// Phase returns what goes on at t: the phase of the period that trades,
// PhaseHalt in a break, PhaseClosed otherwise.
func (h *TradingHours) Phase(t time.Time) Phase {
	p := h.next(t, func(p Period) bool { return p.Close.After(t) })
	if p.Open.IsZero() {
		return PhaseClosed
	}
	if !p.Open.After(t) {
		return p.Phase
	}
	if before := h.Previous(t); !before.Open.IsZero() && p.Open.Sub(before.Close) <= longestHalt {
		return PhaseHalt
	}
	return PhaseClosed
}

// IsOpen reports whether anything trades at t, by day or by night.
func (h *TradingHours) IsOpen(t time.Time) bool {
	_, open := h.At(t)
	return open
}

// TradeDate returns the trade date of a trade at t, or of the next possible
// one when nothing trades at t; the zero Date when the hours end before.
func (h *TradingHours) TradeDate(t time.Time) Date {
	return h.next(t, func(p Period) bool { return p.Close.After(t) }).Date
}

// Next returns the first period that opens after t; the zero Period when the
// hours end before.
func (h *TradingHours) Next(t time.Time) Period {
	return h.next(t, func(p Period) bool { return p.Open.After(t) })
}

// reach is more days than any trade date's trading opens before it, and more
// than the market was ever closed.
const reach = 20

func (h *TradingHours) next(t time.Time, wanted func(Period) bool) Period {
	first := DateOf(t.In(newYork()))
	if clampDate(first) != first {
		if first.Year > lastYear {
			return Period{}
		}
		first = clampDate(first)
	}
	for i := range reach {
		day := h.day(first.AddDays(i))
		if day == nil {
			continue
		}
		for _, p := range day.Periods {
			if wanted(p) {
				return p
			}
		}
	}
	return Period{}
}

// Previous returns the last period that closed at or before t; the zero Period
// when the hours begin after.
func (h *TradingHours) Previous(t time.Time) Period {
	last := DateOf(t.In(newYork()))
	if clampDate(last) != last {
		if last.Year < firstYear {
			return Period{}
		}
		last = clampDate(last)
	}
	for i := range 2 * reach {
		day := h.day(last.AddDays(reach - i))
		if day == nil {
			continue
		}
		for j := len(day.Periods) - 1; j >= 0; j-- {
			if !day.Periods[j].Close.After(t) {
				return day.Periods[j]
			}
		}
	}
	return Period{}
}

// TradingTime returns how long anything trades between two instants, by day or
// by night; negative when to is earlier than from. It looks at every day
// between them.
func (h *TradingHours) TradingTime(from, to time.Time) time.Duration {
	if to.Before(from) {
		return -h.TradingTime(to, from)
	}
	var sum time.Duration
	first, last := clampDate(DateOf(from.In(newYork()))), clampDate(DateOf(to.In(newYork())).AddDays(reach))
	for d := first; !d.After(last); d = d.AddDays(1) {
		day := h.day(d)
		if day == nil {
			continue
		}
		if !day.Open().Before(to) {
			break
		}
		for _, p := range day.Periods {
			if start, end := latest(p.Open, from), earlier(p.Close, to); start.Before(end) {
				sum += end.Sub(start)
			}
		}
	}
	return sum
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// clampDate moves a date into the years that calendars compute.
func clampDate(d Date) Date {
	switch {
	case d.Year < firstYear:
		return date(firstYear, time.January, 1)
	case d.Year > lastYear:
		return date(lastYear, time.December, 31)
	}
	return d
}

// modernHoliday is Holiday without the Saturdays of former times.
func (c *Calendar) modernHoliday(d Date) (reason string, closed bool) {
	if d.Weekday() == time.Saturday {
		return "", false
	}
	return c.Holiday(d)
}

// stretch makes a period from the day and minute at which it opens to those at
// which it closes.
func stretch(d Date, phase Phase, openDay Date, open int, closeDay Date, close int) Period {
	loc := newYork()
	return Period{Date: d, Phase: phase, Open: openDay.At(open/60, open%60, loc), Close: closeDay.At(close/60, close%60, loc)}
}

// TradingHoursOf returns the hours in which an instrument trades around the
// clock: CME's equity-index futures and the options on them (ES, NQ, RTY, YM
// and their micros), and the options on SPX, XSP and VIX. False for everything
// else: shares and other options follow [NYSE] and [CboeOptions].
func TradingHoursOf(s Symbol) (*TradingHours, bool) {
	switch s.Kind() {
	case KindFuture, KindFutureOption:
		if cmeEquityIndexRoots[FutureRoot(s)] {
			return CMEEquityIndex(), true
		}
	case KindOption:
		c, _ := s.Contract()
		switch c.Underlying() {
		case "SPX", "XSP", "VIX":
			return CboeIndexOptions(), true
		}
	}
	return nil, false
}
