package schedule

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// lastYear is the last with sessions.
const lastYear = 2199

func dateOf(t time.Time) market.Date { return market.DateOf(t) }

// Next returns the first occurrence after an instant; false when there is none:
// the calendar has ended, or no earnings are known.
func (t Trigger) Next(ctx context.Context, w World, after time.Time) (Occurrence, bool, error) {
	for o, err := range t.All(ctx, w, after) {
		return o, err == nil, err
	}
	return Occurrence{}, false, nil
}

// All yields the occurrences after an instant, in order, until the calendar
// ends; those before earnings as far ahead as reports are asked for, 120 days.
// It ends at the first error.
func (t Trigger) All(ctx context.Context, w World, after time.Time) iter.Seq2[Occurrence, error] {
	return func(yield func(Occurrence, error) bool) {
		if err := t.Validate(); err != nil {
			yield(Occurrence{}, err)
			return
		}
		if t.Cron != "" {
			t.yieldCron(ctx, after, yield)
			return
		}
		cal := w.calendar()
		// What is counted from a session may lie days from it.
		from := dateOf(after.In(cal.Location())).AddDays(-5)
		for s, err := range t.sessions(ctx, w, from) {
			if err != nil {
				yield(Occurrence{}, err)
				return
			}
			for _, o := range t.within(s.Session) {
				o.Symbols = s.symbols
				if o.At.After(after) && !yield(o, nil) {
					return
				}
			}
		}
	}
}

func (t Trigger) yieldCron(ctx context.Context, after time.Time, yield func(Occurrence, error) bool) {
	spec, err := parseCron(t.Cron, t.Zone)
	if err != nil {
		yield(Occurrence{}, err)
		return
	}
	for {
		if err := ctx.Err(); err != nil {
			yield(Occurrence{}, err)
			return
		}
		o, ok := spec.after(after)
		if !ok || !yield(o, nil) {
			return
		}
		after = o.At
	}
}

// within returns the occurrences of one session.
func (t Trigger) within(s market.Session) []Occurrence {
	one := func(at time.Time) []Occurrence {
		return []Occurrence{{At: at.Add(t.Offset), Session: s.Date.String(), Date: s.Date}}
	}
	switch {
	case t.Clock != "":
		hour, minute, _ := clockTime(t.Clock) // validated
		return one(s.Date.At(hour, minute, s.Open.Location()))
	case t.At == PreOpen:
		return one(s.PreOpen)
	case t.At == Open:
		return one(s.Open)
	case t.At == Close:
		return one(s.Close)
	case t.At == EndOfDay:
		return one(s.PostClose)
	}
	first := s.Open
	if t.Full {
		midnight := s.Date.At(0, 0, s.Open.Location())
		// The clock's own hours: the offset of the zone does not change in a session.
		since := time.Duration(s.Open.Hour())*time.Hour + time.Duration(s.Open.Minute())*time.Minute
		steps := (since + t.Every - 1) / t.Every
		first = s.Open.Add(steps*t.Every - since)
		if first.Before(midnight) {
			return nil
		}
	}
	var all []Occurrence
	for at := first; at.Before(s.Close); at = at.Add(t.Every) {
		all = append(all, Occurrence{At: at.Add(t.Offset), Session: at.Format("2006-01-02T15:04"), Date: s.Date})
	}
	return all
}

// A chosen session is one on which the trigger fires.
type chosen struct {
	market.Session
	symbols []market.Symbol
}

// Sessions are looked at in windows of firstWindow days and then ever longer ones,
// up to lastWindow: mostly only the next occurrence is asked for. By ahead days the
// next session is surely reached: no closure since 1928 was longer.
const (
	firstWindow = 8
	lastWindow  = 128
	ahead       = 15
	horizon     = 120 // how far ahead reports are asked for
)

// sessions yields the sessions from a date on on which the trigger fires.
func (t Trigger) sessions(ctx context.Context, w World, from market.Date) iter.Seq2[chosen, error] {
	return func(yield func(chosen, error) bool) {
		if t.On == BeforeEarnings {
			all, err := t.beforeEarnings(ctx, w, from)
			for _, s := range all {
				if !yield(s, nil) {
					return
				}
			}
			if err != nil {
				yield(chosen{}, err)
			}
			return
		}
		cal := w.calendar()
		for window := firstWindow; from.Year <= lastYear; window = min(2*window, lastWindow) {
			if err := ctx.Err(); err != nil {
				yield(chosen{}, err)
				return
			}
			to := from.AddDays(window - 1)
			expire, err := t.expirations(from, to, cal)
			if err != nil {
				yield(chosen{}, err)
				return
			}
			around := cal.Sessions(from.AddDays(-ahead), to.AddDays(ahead))
			for i, s := range around {
				if s.Date.Before(from) || s.Date.After(to) || !t.fits(around, i, expire) {
					continue
				}
				if !yield(chosen{Session: s}, nil) {
					return
				}
			}
			from = to.AddDays(1)
		}
	}
}

// expirations returns the dates in [from, to] on which the underlying's options
// expire; nil for other triggers.
func (t Trigger) expirations(from, to market.Date, cal *market.Calendar) (map[market.Date]bool, error) {
	if t.On != Expirations || to.Year > lastYear {
		return nil, nil
	}
	days, err := market.ExpirationDays(t.Symbols[0], from, to, cal)
	if err != nil {
		return nil, err
	}
	dates := map[market.Date]bool{}
	for _, d := range days {
		if t.Cycle == "" || d.Cycle == t.Cycle {
			dates[d.Date] = true
		}
	}
	return dates, nil
}

// fits tells whether the i-th of some sessions is one of On.
func (t Trigger) fits(all []market.Session, i int, expire map[market.Date]bool) bool {
	d := all[i].Date
	differs := func(j int, period func(market.Date) int) bool {
		return j < 0 || j >= len(all) || period(all[j].Date) != period(d)
	}
	switch t.On {
	case FirstOfWeek:
		return differs(i-1, week)
	case LastOfWeek:
		return differs(i+1, week)
	case FirstOfMonth:
		return differs(i-1, month)
	case LastOfMonth:
		return differs(i+1, month)
	case LastOfQuarter:
		return differs(i+1, quarter)
	case Expirations:
		return expire[d]
	}
	return true
}

// week counts weeks that begin on Monday.
func week(d market.Date) int {
	const day = 24 * 60 * 60
	// 5 January 1970 was a Monday, and no session lies before 1900.
	return int((d.In(time.UTC).Unix()/day - 4 + 7*10_000) / 7)
}

func month(d market.Date) int { return d.Year*12 + int(d.Month) - 1 }

func quarter(d market.Date) int { return month(d) / 3 }

// beforeEarnings returns the sessions from a date on, in order, that lie so many
// before a report. Sessions of companies whose dates are known come even when
// those of others cannot be asked for; the error says which.
func (t Trigger) beforeEarnings(ctx context.Context, w World, from market.Date) ([]chosen, error) {
	if w.Events == nil {
		return nil, invalid.Missing("Events", "a source of earnings dates, for triggers before earnings")
	}
	cal := w.calendar()
	back := max(t.Sessions, 1)
	to := from.AddDays(horizon)
	found := map[market.Date][]market.Symbol{}
	var failed []error
	for _, symbol := range t.Symbols {
		events, err := w.Events.Events(ctx, symbol, from, to)
		if err != nil {
			failed = append(failed, fmt.Errorf("earnings of %s: %w", symbol, err))
			continue
		}
		for _, e := range events {
			if e.Kind != market.Earnings {
				continue
			}
			last := e.Date // the last session that has closed when it comes is at most this
			if e.Timing != "after close" {
				last = last.AddDays(-1)
			}
			before := cal.Sessions(last.AddDays(-2*back-ahead), last)
			if len(before) < back {
				continue
			}
			if d := before[len(before)-back].Date; !d.Before(from) && !slices.Contains(found[d], symbol) {
				found[d] = append(found[d], symbol)
			}
		}
	}
	var all []chosen
	for d, symbols := range found {
		s, ok := cal.Session(d)
		if ok {
			slices.Sort(symbols)
			all = append(all, chosen{Session: s, symbols: symbols})
		}
	}
	slices.SortFunc(all, func(a, b chosen) int { return a.Date.Compare(b.Date) })
	return all, errors.Join(failed...)
}
