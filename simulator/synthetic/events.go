package synthetic

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// How far ahead things are known, in days.
const (
	announcedAhead = 30  // dividends, splits and confirmed earnings dates
	estimatedAhead = 370 // expected dates of earnings and dividends
)

// exDates returns the quarterly ex-dates of a symbol, amounts not yet set.
func (k *track) exDates() []dividend {
	p := k.profile
	if p.yield <= 0 || p.class == index {
		return nil
	}
	src := k.key.with(streamDividend)
	cycle := 2 // funds pay in March, June, September and December
	if !p.etf() {
		cycle = src.below(3)
	}
	first, last := k.sessions[0].Date, k.sessions[len(k.sessions)-1].Date
	var out []dividend
	for year := first.Year; year <= last.Year; year++ {
		for month := 1 + cycle; month <= 12; month += 3 {
			date := market.Date{Year: year, Month: time.Month(month), Day: 8 + src.with(uint64(year*12+month)).below(16)}
			ex, announced := k.onDate(date), k.onDate(date.AddDays(-announcedAhead))
			if announced > 0 && ex > announced && ex < len(k.sessions) {
				out = append(out, dividend{session: ex, announced: announced})
			}
		}
	}
	return out
}

// scheduleEarnings sets the quarterly reports of a share, earnings per share
// not yet known.
func (k *track) scheduleEarnings() {
	p := k.profile
	if p.jump <= 0 {
		return
	}
	src := k.key.with(streamEarnings)
	offset, morning := 12+src.with(1).below(27), src.with(2).uniform() < 0.45
	first, last := k.sessions[0].Date, k.sessions[len(k.sessions)-1].Date
	for year := first.Year; year <= last.Year; year++ {
		for month := time.January; month <= time.October; month += 3 {
			quarter := src.with(uint64(year*12 + int(month)))
			i := k.onDate(market.Date{Year: year, Month: month, Day: 1}.AddDays(offset + quarter.below(4)))
			if i < 1 || i >= len(k.sessions)-1 {
				continue
			}
			if k.sessions[i].Date.Weekday() == time.Friday {
				i--
			}
			r := report{session: i, morning: morning}
			s := k.sessions[i]
			if r.at = s.Close.Add(5 * time.Minute); morning {
				r.at = s.Open.Add(-150 * time.Minute)
			}
			r.jump = p.jump*max(-3, min(3, quarter.with(5).student())) - p.jump*p.jump/2
			k.earnings = append(k.earnings, r)
		}
	}
}

// Events returns earnings, dividends and splits of symbol dated in [from, to],
// ascending; a zero date is no limit. Of what lies ahead it returns what is
// known at the clock's time: dividends and splits announced within thirty
// days, and for a year the expected dates of earnings and dividends, marked
// Estimated when they lie further ahead than that. For a replayed symbol the
// error is [market.ErrUnsupported]: bars do not say.
func (m *Market) Events(ctx context.Context, symbol market.Symbol, from, to market.Date) ([]market.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if symbol.Kind() == market.KindFuture {
		if _, _, err := m.contractOf(symbol, m.clock.Now()); err != nil {
			return nil, err
		}
		return nil, checkDates(from, to) // nothing of a company happens to it
	}
	k, err := m.track(symbol)
	if err != nil {
		return nil, err
	}
	if k.replayed {
		return nil, fmt.Errorf("synthetic: events of %s, whose bars are replayed: %w", symbol, market.ErrUnsupported)
	}
	if err := checkDates(from, to); err != nil {
		return nil, err
	}
	events := k.events(m.clock.Now())
	return slices.DeleteFunc(events, func(e market.Event) bool {
		return !from.IsZero() && e.Date.Before(from) || !to.IsZero() && e.Date.After(to)
	}), nil
}

// events returns all that is known at now, ascending by date.
func (k *track) events(now time.Time) []market.Event {
	loc := k.market.calendar.Location()
	today := market.DateOf(now.In(loc))
	known, expected := today.AddDays(announcedAhead), today.AddDays(estimatedAhead)
	var events []market.Event
	for _, s := range k.splits {
		if s.session < len(k.sessions) && s.session > 0 && !k.sessions[s.session].Date.After(known) {
			events = append(events, market.Event{Symbol: k.symbol, Kind: market.Split, Date: k.sessions[s.session].Date, Value: s.ratio})
		}
	}
	for _, d := range k.dividends {
		date := k.sessions[d.session].Date
		if date.After(expected) {
			break
		}
		e := market.Event{Symbol: k.symbol, Kind: market.Dividend, Date: date, Value: d.amount}
		if k.sessions[d.announced].Date.After(today) {
			e.Value, e.Estimated = math.NaN(), true
		}
		events = append(events, e)
	}
	for _, r := range k.earnings {
		date := k.sessions[r.session].Date
		if date.After(expected) {
			break
		}
		e := market.Event{Symbol: k.symbol, Kind: market.Earnings, Date: date, Timing: "after close", Value: r.eps, Estimated: date.After(known)}
		if r.morning {
			e.Timing = "before open"
		}
		if r.at.After(now) {
			e.Value = math.NaN()
		}
		events = append(events, e)
	}
	slices.SortStableFunc(events, func(a, b market.Event) int { return a.Date.Compare(b.Date) })
	return events
}
