package paper

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A phase is what may trade at a venue.
type phase int8

const (
	closed   phase = iota
	extended       // orders for extended hours alone
	regular
)

// A segment is a stretch of time in one phase.
type segment struct {
	phase phase
	until time.Time   // its end; the zero time when it never ends
	date  market.Date // the trade date it belongs to; of a closed one, the next
}

// hours say when a group of instruments trades.
type hours interface {
	segment(t time.Time) segment
}

// sessionHours are those of an exchange with one session a day.
type sessionHours struct{ cal *market.Calendar }

func (h sessionHours) segment(t time.Time) segment {
	s, ok := h.cal.Session(market.DateOf(t.In(h.cal.Location())))
	if !ok || !t.Before(s.PostClose) {
		s = h.cal.Next(t)
	}
	switch {
	case s.Date.IsZero():
		return segment{}
	case t.Before(s.PreOpen):
		return segment{closed, s.PreOpen, s.Date}
	case t.Before(s.Open):
		return segment{extended, s.Open, s.Date}
	case t.Before(s.Close):
		return segment{regular, s.Close, s.Date}
	}
	return segment{extended, s.PostClose, s.Date}
}

// roundHours are those of markets that trade around the clock. Futures have one
// kind of hours; index options trade at night for orders that ask for it.
type roundHours struct {
	hours *market.TradingHours
	all   bool
}

func (h roundHours) segment(t time.Time) segment {
	p, open := h.hours.At(t)
	if !open {
		p = h.hours.Next(t)
		if p.Open.IsZero() {
			return segment{}
		}
		return segment{closed, p.Open, p.Date}
	}
	if h.all || p.Phase == market.PhaseRegular {
		return segment{regular, p.Close, p.Date}
	}
	return segment{extended, p.Close, p.Date}
}

// alwaysOpen is a market whose days end at midnight in New York.
type alwaysOpen struct{ location *time.Location }

func (h alwaysOpen) segment(t time.Time) segment {
	d := market.DateOf(t.In(h.location))
	return segment{regular, d.AddDays(1).In(h.location), d}
}

// A venue is a group of instruments that trade at the same hours.
type venue struct {
	name   string
	symbol market.Symbol // the first that trades there
	hours  hours
	at     int64 // an instant of now
	now    segment
	// epoch counts the times it has opened: quotes of an earlier one are stale.
	epoch uint64
	ends  [2]dayEnd // that was asked for last, without extended hours and with them
}

// A dayEnd is when day orders end that are given from a time on until another.
type dayEnd struct {
	from, until int64
	end         time.Time
}

// dayEndFrom is dayEnd at a time that is now, for the many orders of one day.
func (v *venue) dayEndFrom(now int64, t time.Time, ext bool) time.Time {
	known := &v.ends[0]
	if ext {
		known = &v.ends[1]
	}
	if now < known.from || now >= known.until {
		*known = dayEnd{end: v.dayEnd(t, ext)}
		if s := v.hours.segment(t); !s.until.IsZero() {
			known.from, known.until = now, s.until.UnixNano()
		}
	}
	return known.end
}

// Names of the venues, as they stand in snapshots.
const (
	venueShares  = "shares"
	venueOptions = "options"
	venueAlways  = "always"
)

func venueName(symbol market.Symbol, continuous bool) string {
	kind := symbol.Kind()
	if continuous || kind == market.KindCrypto {
		return venueAlways
	}
	if h, ok := market.TradingHoursOf(symbol); ok {
		return h.Name()
	}
	if kind == market.KindOption {
		return venueOptions
	}
	if kind == market.KindEquity {
		return venueShares
	}
	return venueAlways
}

func hoursOf(name string, symbol market.Symbol) hours {
	switch name {
	case venueShares:
		return sessionHours{market.NYSE()}
	case venueOptions:
		return sessionHours{market.CboeOptions()}
	case venueAlways:
		return alwaysOpen{market.NYSE().Location()}
	}
	h, ok := market.TradingHoursOf(symbol)
	if !ok || h.Name() != name {
		return nil
	}
	kind := symbol.Kind()
	return roundHours{h, kind == market.KindFuture || kind == market.KindFutureOption}
}

// venueOf returns the venue of a symbol, opened at the present time when it is
// its first.
func (x *Exchange) venueOf(symbol market.Symbol) *venue {
	name := venueName(symbol, x.opts.Continuous)
	if v := x.venues[name]; v != nil {
		return v
	}
	v := &venue{name: name, symbol: symbol, hours: hoursOf(name, symbol), epoch: 1, at: x.now}
	v.now = v.hours.segment(x.time())
	x.venues[name] = v
	x.scheduleVenue(v)
	return v
}

func (x *Exchange) scheduleVenue(v *venue) {
	at := int64(math.MaxInt64)
	if !v.now.until.IsZero() {
		at = v.now.until.UnixNano()
		x.schedule(event{At: at, Rank: rankVenue, Kind: eventVenue, Venue: v.name})
	}
}

// dayEnd is when a day order given at t ends: with the trading of the first
// trade date on which it could trade.
func (v *venue) dayEnd(t time.Time, ext bool) time.Time {
	least := regular
	if ext {
		least = extended
	}
	s := v.hours.segment(t)
	for s.phase < least {
		if s.until.IsZero() {
			return time.Time{}
		}
		s = v.hours.segment(s.until)
	}
	date, end := s.date, s.until
	for s.date == date && !s.until.IsZero() {
		if s.phase >= least {
			end = s.until
		}
		s = v.hours.segment(s.until)
	}
	return end
}

// dateEnd is when orders that are good till a date end: with the trading of that
// date, or of the last trade date before it.
func (v *venue) dateEnd(d market.Date, ext bool) time.Time {
	location := market.NYSE().Location()
	for i := range 15 {
		day := d.AddDays(-i)
		end := v.dayEnd(day.In(location), ext)
		if s := v.hours.segment(end.Add(-1)); s.date == day {
			return end
		}
	}
	return d.AddDays(1).In(location)
}
