package levels

import (
	"math"

	"github.com/ttai-go/ttai/market"
)

// PriorOptions says which periods matter and what ends them.
type PriorOptions struct {
	// Periods wanted; nil means day, week, month, quarter and year, without those shorter than a bar.
	Periods []Period
	// Calendar says when periods end and, for intraday bars, which lie in
	// regular hours: the others are left out. Nil means market.NYSE().
	Calendar *market.Calendar
	// AllHours counts every bar and lets days end at midnight in New York, for
	// what trades around the clock. Crypto symbols imply it.
	AllHours bool
}

// Prior returns the high, low and close of the last finished day, week,
// month, quarter and year, ascending by price. A period is finished when its last session's close
// has passed by the end of the last bar. Its levels are confirmed by the bar
// that shows so: the period's own last bar, or the first one after it. Born is
// the bar that made the price.
//
// The series' Interval must be set. Touches are counted with the default
// TouchOptions; [Find] takes others.
func Prior(s market.Series, opts *PriorOptions) ([]Level, error) {
	o := options(opts)
	return Find(s, &Options{
		Kinds: []Kind{KindPriorHigh, KindPriorLow, KindPriorClose}, PriorPeriods: o.Periods, Calendar: o.Calendar, AllHours: o.AllHours,
	})
}

// A priorFamily keeps the last finished period of each length.
type priorFamily struct {
	trackers []*tracker
	ids      [][]int32
}

func newPriorFamily(e *Engine) (*priorFamily, error) {
	periods, err := e.periods.wanted("period", e.o.PriorPeriods, PeriodDay, PeriodWeek, PeriodMonth, PeriodQuarter, PeriodYear)
	if err != nil {
		return nil, err
	}
	f := &priorFamily{ids: make([][]int32, len(periods))}
	for _, p := range periods {
		f.trackers = append(f.trackers, e.periods.tracker(p))
	}
	return f, nil
}

func (f *priorFamily) lines(_ *Engine, dst []Level) []Level { return dst }

func (f *priorFamily) update(e *Engine) {
	for n, k := range f.trackers {
		if !k.done {
			continue
		}
		e.replace(&f.ids[n])
		x, span := &k.finished, k.period.label(k.finished.begin)
		add := func(kind Kind, name string, price float64, r record) {
			if e.wants(kind) {
				r.price, r.low, r.high, r.kind, r.touched = price, price, price, kind, -1
				r.label = &label{form: labelSpan, name: name, span: span}
				f.ids[n] = append(f.ids[n], e.follow(&r, false))
			}
		}
		add(KindPriorHigh, "high", x.bar.High, record{born: x.highI, bornAt: x.highAt})
		add(KindPriorLow, "low", x.bar.Low, record{born: x.lowI, bornAt: x.lowAt})
		add(KindPriorClose, "close", x.bar.Close, record{born: x.closeI, bornAt: x.closeAt})
	}
}

// A pivotFamily keeps the pivot points of the last finished periods.
type pivotFamily struct {
	trackers []*tracker
	ids      [][]int32
}

func newPivotFamily(e *Engine) (*pivotFamily, error) {
	byDefault := []Period{PeriodWeek, PeriodMonth}
	if e.o.Interval.Intraday() {
		byDefault = []Period{PeriodDay, PeriodWeek}
	}
	periods, err := e.periods.wanted("period", e.o.PivotPeriods, byDefault...)
	if err != nil {
		return nil, err
	}
	f := &pivotFamily{ids: make([][]int32, len(periods))}
	for _, p := range periods {
		f.trackers = append(f.trackers, e.periods.tracker(p))
	}
	return f, nil
}

func (f *pivotFamily) lines(_ *Engine, dst []Level) []Level { return dst }

func (f *pivotFamily) update(e *Engine) {
	for n, k := range f.trackers {
		switch {
		case k.done && !k.began || k.done && k.finished.first == e.i:
			f.set(e, n, math.NaN())
		case k.done:
			// The bar that shows the end of one period also begins the next.
			f.set(e, n, e.bar.Open)
		case k.began && e.o.PivotMethod == PivotWoodie && len(f.ids[n]) > 0 && !math.IsNaN(e.bar.Open):
			f.set(e, n, e.bar.Open) // Woodie weighs the new period's open
		}
	}
}

// set puts the pivot points of the last finished period in place of those before.
func (f *pivotFamily) set(e *Engine, n int, open float64) {
	e.replace(&f.ids[n])
	k := f.trackers[n]
	points, err := Pivots(k.finished.bar, e.o.PivotMethod, open)
	if err != nil {
		return // DeMark without a known open
	}
	span, method := k.period.label(k.finished.begin), string(points.Method)+" pivots"
	for _, x := range points.Prices() {
		if x.Price <= 0 && k.finished.bar.Low > 0 || !e.wants(x.Kind) {
			continue // below zero there is no price
		}
		f.ids[n] = append(f.ids[n], e.follow(&record{
			price: x.Price, low: x.Price, high: x.Price, kind: x.Kind, born: k.finished.first, bornAt: k.finished.bar.Time, touched: -1,
			label: &label{form: labelSpan, name: x.Name, span: span, extra: method},
		}, false))
	}
}
