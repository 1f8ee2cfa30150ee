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
	PeriodDay   Period = "day"
	PeriodWeek  Period = "week"
	PeriodMonth Period = "month"
)

// PriorOptions says which periods matter and what ends them.
type PriorOptions struct {
	// Periods wanted; nil means day, week and month, without those shorter than a bar.
	Periods []Period
	// Calendar says when periods end and, for intraday bars, which lie in
	// regular hours: the others are left out. Nil means market.NYSE().
	Calendar *market.Calendar
	// AllHours counts every bar and lets days end at midnight in New York, for
	// what trades around the clock. Crypto symbols imply it.
	AllHours bool
}

// Prior returns the high, low and close of the last finished day, week and
// month, ascending by price. A period is finished when its last session's close
// has passed by the end of the last bar. Its levels are confirmed by the bar
// that shows so: the period's own last bar, or the first one after it. Born is
// the bar that made the price.
//
// The series' Interval must be set. Touches are counted with the default
// TouchOptions; [Find] takes others.
func Prior(s market.Series, opts *PriorOptions) ([]Level, error) {
	o := options(opts)
	if err := check(s); err != nil {
		return nil, err
	}
	found, err := prior(s, o.Periods, newGrouper(s, o.Calendar, o.AllHours))
	if err != nil {
		return nil, err
	}
	levels, err := finish(s, found, TouchOptions{})
	sortByPrice(levels)
	return levels, err
}

func prior(s market.Series, wanted []Period, g *grouper) ([]candidate, error) {
	periods, err := g.periods(wanted, PeriodDay, PeriodWeek, PeriodMonth)
	if err != nil {
		return nil, err
	}
	var found []candidate
	for _, period := range periods {
		span, ok := g.lastFinished(period)
		if !ok {
			continue
		}
		for _, x := range []struct {
			kind  Kind
			name  string
			price float64
			born  int
		}{
			{KindPriorHigh, "high", span.bar.High, span.highAt},
			{KindPriorLow, "low", span.bar.Low, span.lowAt},
			{KindPriorClose, "close", span.bar.Close, span.closeAt},
		} {
			found = append(found, candidate{
				Level: Level{
					Price: x.price, Low: x.price, High: x.price, Kind: x.kind, Source: x.name + " of the " + span.label,
					Born: s.Time[x.born], Confirmed: s.Time[span.confirmed],
				},
				born: x.born, confirmed: span.confirmed, touched: -1,
			})
		}
	}
	return found, nil
}

// pivotLevels are the pivot points of the last finished periods.
func pivotLevels(s market.Series, method PivotMethod, wanted []Period, g *grouper) ([]candidate, error) {
	byDefault := []Period{PeriodWeek, PeriodMonth}
	if s.Interval.Intraday() {
		byDefault = []Period{PeriodDay, PeriodWeek}
	}
	periods, err := g.periods(wanted, byDefault...)
	if err != nil {
		return nil, err
	}
	var found []candidate
	for _, period := range periods {
		span, ok := g.lastFinished(period)
		if !ok {
			continue
		}
		points, err := Pivots(span.bar, method, math.NaN())
		if err != nil {
			continue // DeMark without a known open
		}
		for _, x := range points.Prices() {
			if x.Price <= 0 && span.bar.Low > 0 {
				continue // below zero there is no price
			}
			found = append(found, candidate{
				Level: Level{
					Price: x.Price, Low: x.Price, High: x.Price, Kind: x.Kind, Source: fmt.Sprintf("%s of the %s (%s pivots)", x.Name, span.label, points.Method),
					Born: s.Time[span.first], Confirmed: s.Time[span.confirmed],
				},
				born: span.first, confirmed: span.confirmed, touched: -1,
			})
		}
	}
	return found, nil
}

// A span is a finished period as one bar.
type span struct {
	bar                    market.Bar
	label                  string // "week of 2024-03-04"
	first, confirmed       int
	highAt, lowAt, closeAt int
}

// A grouper finds the periods that the bars of a series belong to.
type grouper struct {
	s        market.Series
	calendar *market.Calendar // nil when every hour counts
	zone     *time.Location
}

func newGrouper(s market.Series, calendar *market.Calendar, allHours bool) *grouper {
	if calendar == nil {
		calendar = market.NYSE()
	}
	g := &grouper{s: s, calendar: calendar, zone: calendar.Location()}
	if allHours || s.Symbol.Kind() == market.KindCrypto {
		g.calendar = nil
	}
	return g
}

// periods checks the wanted ones against the length of a bar.
func (g *grouper) periods(wanted []Period, byDefault ...Period) ([]Period, error) {
	n, unit := g.s.Interval.Parts()
	if n == 0 {
		return nil, invalid.Field("series.Interval", string(g.s.Interval), "the length of the bars, such as 5m, 1h or 1d")
	}
	fits := func(p Period) bool {
		switch {
		case g.s.Interval.Intraday():
			return true
		case n > 1:
			return false
		case p == PeriodDay:
			return unit == market.UnitDay
		case p == PeriodWeek:
			return unit == market.UnitDay || unit == market.UnitWeek
		}
		return unit == market.UnitDay || unit == market.UnitMonth
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
		if p != PeriodDay && p != PeriodWeek && p != PeriodMonth {
			return nil, invalid.Field("period", string(p), "day, week or month")
		}
		if !fits(p) {
			return nil, invalid.Fieldf("period", string(p), "periods that bars of %s add up to", g.s.Interval)
		}
	}
	return wanted, nil
}

// dateOf is the trading date of a bar: the one in zone, or the date as it
// stands when the time is a midnight, which is how dates without a zone are kept.
func dateOf(t time.Time, zone *time.Location) market.Date {
	if zone == nil || midnight(t) {
		return market.DateOf(t)
	}
	return market.DateOf(t.In(zone))
}

func (g *grouper) date(i int) market.Date {
	if g.s.Interval.Intraday() {
		return market.DateOf(g.s.Time[i].In(g.zone))
	}
	return dateOf(g.s.Time[i], g.zone)
}

// start is the first day of the period that d lies in.
func start(d market.Date, p Period) market.Date {
	switch p {
	case PeriodWeek:
		return d.AddDays(-(int(d.Weekday()) + 6) % 7)
	case PeriodMonth:
		return market.Date{Year: d.Year, Month: d.Month, Day: 1}
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
	}
	return d.AddDays(1)
}

// end is the instant the period that begins at d is over: the close of its last
// session, or midnight when it has none.
func (g *grouper) end(d market.Date, p Period) time.Time {
	after := next(d, p)
	if g.calendar != nil {
		for day := after.AddDays(-1); !day.Before(d); day = day.AddDays(-1) {
			if session, ok := g.calendar.Session(day); ok {
				return session.Close
			}
		}
	}
	return after.In(g.zone)
}

// barEnd is the instant bar i is over.
func (g *grouper) barEnd(i int) time.Time {
	n, unit := g.s.Interval.Parts()
	if length := g.s.Interval.Duration(); length > 0 {
		end := g.s.Time[i].Add(length)
		// A last bar that reaches over the close ends with it.
		if g.calendar != nil {
			if session, ok := g.calendar.Session(g.date(i)); ok && g.s.Time[i].Before(session.Close) && end.After(session.Close) {
				return session.Close
			}
		}
		return end
	}
	switch unit {
	case market.UnitWeek:
		return g.end(start(g.date(i), PeriodWeek).AddDays(7*(n-1)), PeriodWeek)
	case market.UnitMonth:
		month := start(g.date(i), PeriodMonth)
		for ; n > 1; n-- {
			month = next(month, PeriodMonth)
		}
		return g.end(month, PeriodMonth)
	}
	return g.end(g.date(i).AddDays(n-1), PeriodDay)
}

// counts reports whether bar i belongs to its period: it is known and, for
// intraday bars, in regular hours.
func (g *grouper) counts(i int) bool {
	if !known(g.s, i) {
		return false
	}
	return g.calendar == nil || !g.s.Interval.Intraday() || g.calendar.IsOpen(g.s.Time[i])
}

// lastFinished returns the last finished period that has bars.
func (g *grouper) lastFinished(p Period) (span, bool) {
	for last := g.s.Len() - 1; last >= 0; {
		if !g.counts(last) {
			last--
			continue
		}
		begin := start(g.date(last), p)
		first := last
		for first > 0 && !g.date(first-1).Before(begin) {
			first--
		}
		if confirmed, ok := g.confirms(last, begin, p); ok {
			return g.span(first, last, confirmed, begin, p), true
		}
		last = first - 1
	}
	return span{}, false
}

// confirms returns the first bar from last on by whose end the period that
// begins at begin is known to be over.
func (g *grouper) confirms(last int, begin market.Date, p Period) (int, bool) {
	end := g.end(begin, p)
	for i := last; i < g.s.Len(); i++ {
		if !g.barEnd(i).Before(end) {
			return i, true
		}
	}
	return 0, false
}

// span sums up the bars of one period.
func (g *grouper) span(first, last, confirmed int, begin market.Date, p Period) span {
	s := g.s
	x := span{first: -1, confirmed: confirmed, label: string(p) + " " + begin.String()}
	switch p {
	case PeriodWeek:
		x.label = "week of " + begin.String()
	case PeriodMonth:
		x.label = fmt.Sprintf("month %04d-%02d", begin.Year, int(begin.Month))
	}
	for i := first; i <= last; i++ {
		if !g.counts(i) {
			continue
		}
		if x.first < 0 {
			x.first, x.highAt, x.lowAt = i, i, i
			x.bar.Open = s.Open[i]
		}
		if s.High[i] > s.High[x.highAt] {
			x.highAt = i
		}
		if s.Low[i] < s.Low[x.lowAt] {
			x.lowAt = i
		}
		x.closeAt = i
	}
	x.bar.Time, x.bar.High, x.bar.Low, x.bar.Close = s.Time[x.first], s.High[x.highAt], s.Low[x.lowAt], s.Close[x.closeAt]
	x.bar.Volume = math.NaN()
	return x
}
