package levels

import (
	"fmt"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// OpeningOptions says which opening ranges matter.
type OpeningOptions struct {
	// Minutes are the lengths of the ranges, 1 to 390; nil means 5, 15, 30 and 60.
	// Those that are no multiple of a bar are left out.
	Minutes []int
}

func (o OpeningOptions) resolve() (OpeningOptions, error) {
	if o.Minutes == nil {
		o.Minutes = []int{5, 15, 30, 60}
	}
	o.Minutes = slices.Clone(o.Minutes)
	for _, m := range o.Minutes {
		if m < 1 || m > 390 {
			return o, invalid.Field("opening.minutes", m, "minutes from 1 to 390")
		}
	}
	return o, nil
}

// An openingFamily keeps the range of the night before a session, all bars
// between two regular sessions, and of the session's first minutes.
type openingFamily struct {
	day      *tracker
	night    span
	nightIDs []int32
	opened   bool // the session of the date has begun
	ranges   []openingRange
}

type openingRange struct {
	length time.Duration
	name   string
	x      span
	until  int64
	done   bool
	ids    []int32
}

func newOpeningFamily(e *Engine) *openingFamily {
	f := &openingFamily{day: e.periods.tracker(PeriodDay), night: span{first: -1}}
	for _, m := range e.o.Opening.Minutes {
		length := time.Duration(m) * time.Minute
		if length%e.o.Interval.Duration() == 0 && e.wants(KindOpeningRangeHigh) || e.wants(KindOpeningRangeLow) && length%e.o.Interval.Duration() == 0 {
			f.ranges = append(f.ranges, openingRange{length: length, name: fmt.Sprintf("first %d minutes", m), done: true})
		}
	}
	return f
}

func (f *openingFamily) lines(_ *Engine, dst []Level) []Level { return dst }

func (f *openingFamily) update(e *Engine) {
	c := e.periods
	if c.calendar == nil {
		return // what trades around the clock has no opening
	}
	if c.newDay {
		f.opened = false
	}
	if f.day.began {
		for k := range f.ranges {
			r := &f.ranges[k]
			e.replace(&r.ids)
			r.x, r.until, r.done = span{begin: c.date, first: -1}, c.opens+int64(r.length/time.Second), false
		}
	}
	for k := range f.ranges {
		r := &f.ranges[k]
		if r.done {
			continue
		}
		if c.counts && c.now < r.until {
			r.x.add(e.i, &e.bar)
		}
		if c.end >= r.until {
			r.done = true
			if r.x.first >= 0 {
				r.ids = f.publish(e, r.ids, &r.x, KindOpeningRangeHigh, KindOpeningRangeLow, "the "+r.name+" of "+r.x.begin.String())
			}
		}
	}
	f.overnight(e)
}

func (f *openingFamily) overnight(e *Engine) {
	c := e.periods
	before := !c.hasSession || c.now < c.opens
	if e.known && (!before && c.now >= c.closes || before && !(c.hasSession && c.end > c.opens)) {
		f.night.add(e.i, &e.bar)
	}
	if c.hasSession && !f.opened && c.end >= c.opens && c.now < c.closes {
		f.opened = true
		e.replace(&f.nightIDs)
		if f.night.first >= 0 {
			f.nightIDs = f.publish(e, f.nightIDs, &f.night, KindOvernightHigh, KindOvernightLow, "the night before "+c.date.String())
		}
		f.night = span{first: -1}
	}
}

func (f *openingFamily) publish(e *Engine, ids []int32, x *span, high, low Kind, name string) []int32 {
	if e.wants(high) {
		ids = append(ids, e.follow(&record{price: x.bar.High, low: x.bar.High, high: x.bar.High, kind: high, born: x.highI, bornAt: x.highAt, touched: -1, label: &label{name: "high of " + name}}, false))
	}
	if e.wants(low) {
		ids = append(ids, e.follow(&record{price: x.bar.Low, low: x.bar.Low, high: x.bar.Low, kind: low, born: x.lowI, bornAt: x.lowAt, touched: -1, label: &label{name: "low of " + name}}, false))
	}
	return ids
}
