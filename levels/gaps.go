package levels

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A GapMeasure says between which prices a gap lies.
type GapMeasure string

const (
	// GapRange is what nobody traded: between the range of one session and that
	// of the next one's first bar. It is the default.
	GapRange GapMeasure = "range"
	// GapOpen is the step from a close to the next open.
	GapOpen GapMeasure = "open"
)

// GapOptions says what counts as a gap.
type GapOptions struct {
	Measure GapMeasure // empty means GapRange
	MinATR  float64    // narrower gaps, as a multiple of the average true range, are left out; 0 means none are
}

func (o GapOptions) resolve() (GapOptions, error) {
	switch o.Measure {
	case "":
		o.Measure = GapRange
	case GapRange, GapOpen:
	default:
		return o, invalid.Field("gap.measure", string(o.Measure), "range or open")
	}
	return o, atLeastZero("gap.minATR", o.MinATR)
}

func atLeastZero(field string, x float64) error {
	if !(x >= 0) || math.IsInf(x, 1) {
		return invalid.Field(field, x, "a number, 0 or above")
	}
	return nil
}

// Gaps returns the gaps between the sessions of s, ascending by price, with the
// share of each that price has filled since. For intraday bars the sessions are
// those of the exchange, for longer ones every bar is one. Born and Confirmed
// are the first bar after the gap. The series' Interval must be set.
func Gaps(s market.Series, opts *GapOptions) ([]Level, error) {
	o := Options{Kinds: []Kind{KindGap}, Gap: options(opts), Lookback: -1}
	return Find(s, &o)
}

// A gapFamily keeps gaps.
type gapFamily struct {
	o      GapOptions
	day    *tracker // nil for long bars
	before market.Bar
	has    bool
}

func newGapFamily(e *Engine) *gapFamily {
	f := &gapFamily{o: e.o.Gap}
	if e.o.Interval.Intraday() {
		f.day = e.periods.tracker(PeriodDay)
	}
	return f
}

func (f *gapFamily) lines(_ *Engine, dst []Level) []Level { return dst }

func (f *gapFamily) update(e *Engine) {
	if f.day == nil {
		if !e.known {
			return
		}
		if f.has {
			f.between(e)
		}
		f.before, f.has = e.bar, true
		return
	}
	// The last session may end with the bar that begins this one, when its own
	// last bars are missing.
	if f.day.done && f.day.finished.first != e.i {
		f.before, f.has = f.day.finished.bar, true
	} else if f.day.twice {
		f.before, f.has = f.day.prior.bar, true
	}
	if f.day.began && f.has {
		f.between(e)
	}
	if f.day.done {
		f.before, f.has = f.day.finished.bar, true
	}
}

func (f *gapFamily) between(e *Engine) {
	low, high, up := f.before.High, e.bar.Low, true
	if f.o.Measure == GapOpen {
		low, high = f.before.Close, e.bar.Open
	}
	if !(low < high) {
		up = false
		low, high = e.bar.High, f.before.Low
		if f.o.Measure == GapOpen {
			low, high = e.bar.Open, f.before.Close
		}
	}
	if !(low < high) || high-low < f.o.MinATR*e.touch.mean || math.IsInf(high-low, 0) {
		return
	}
	id := e.follow(gapRecord(KindGap, low, high, up, e.i, e.bar.Time), true)
	if f.o.Measure == GapOpen {
		e.book.records[id].fill(e.bar.Low, e.bar.High) // the bar itself may come back
	}
}

// gapRecord is a band that price has jumped over, and may fill from the other side.
func gapRecord(kind Kind, low, high float64, up bool, born int, bornAt time.Time) *record {
	x := &record{
		price: low + (high-low)/2, low: low, high: high, kind: kind, born: born, bornAt: bornAt, touched: -1,
		home: -1, filling: fillsUp,
	}
	if up {
		x.home, x.filling = +1, fillsDown
	}
	return x
}

// FairValueGapOptions says what counts as a fair value gap.
type FairValueGapOptions struct {
	MinATR float64 // narrower ones, as a multiple of the average true range, are left out; 0 means none are
	// AnyBody counts also gaps whose middle bar closes against them, or whose
	// middle bar's open is not known.
	AnyBody bool
}

func (o FairValueGapOptions) resolve() (FairValueGapOptions, error) {
	return o, atLeastZero("imbalance.minATR", o.MinATR)
}

// FairValueGaps returns the fair value gaps of s, ascending by price, with the
// share of each that price has filled since. One lies between the high of a bar
// and the low of the next but one when the bar between them rises and they do
// not overlap; falling ones mirror that. It is born with the middle bar and
// confirmed by the third.
func FairValueGaps(s market.Series, opts *FairValueGapOptions) ([]Level, error) {
	return everyOne(s, Options{Kinds: []Kind{KindFairValueGap}, Imbalance: options(opts)})
}

// An imbalanceFamily keeps fair value gaps.
type imbalanceFamily struct {
	o           FairValueGapOptions
	first, next market.Bar
	have        int // how many known bars came before in a row
}

func newImbalanceFamily(e *Engine) *imbalanceFamily { return &imbalanceFamily{o: e.o.Imbalance} }

func (f *imbalanceFamily) lines(_ *Engine, dst []Level) []Level { return dst }

func (f *imbalanceFamily) update(e *Engine) {
	if !e.known {
		f.have = 0
		return
	}
	if f.have >= 2 {
		if low, high, up := f.gap(e); low < high && high-low >= f.o.MinATR*e.touch.mean {
			e.follow(gapRecord(KindFairValueGap, low, high, up, e.i-1, f.next.Time), true)
		}
	}
	f.first, f.next = f.next, e.bar
	f.have++
}

func (f *imbalanceFamily) gap(e *Engine) (low, high float64, up bool) {
	switch {
	case f.first.High < e.bar.Low && (f.o.AnyBody || f.next.Close > f.next.Open):
		return f.first.High, e.bar.Low, true
	case f.first.Low > e.bar.High && (f.o.AnyBody || f.next.Close < f.next.Open):
		return e.bar.High, f.first.Low, false
	}
	return 0, 0, false
}
