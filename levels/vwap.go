package levels

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// An Anchor is where a volume-weighted average begins: an earnings day, a
// swing, the first day of a trade.
type Anchor struct {
	Name string    // for people: "earnings"; empty means its time
	At   time.Time // the first bar that begins at or after it counts
}

// VWAPOptions says where volume-weighted average prices begin.
type VWAPOptions struct {
	// Periods that begin one anew. Nil means day for intraday bars, month and
	// year for longer ones.
	Periods []Period
	// Anchors are further beginnings; such an average never ends.
	Anchors []Anchor
	// Bands is how many standard deviations are drawn on each side: 0 means 3,
	// negative none.
	Bands int
}

func (o VWAPOptions) resolve() (VWAPOptions, error) {
	switch {
	case o.Bands > 10:
		return o, invalid.Field("vwap.bands", o.Bands, "a whole number up to 10, negative for none")
	case o.Bands == 0:
		o.Bands = 3
	case o.Bands < 0:
		o.Bands = 0
	}
	if len(o.Anchors) > 1000 {
		return o, invalid.Field("vwap.anchors", len(o.Anchors), "at most 1000 anchors")
	}
	o.Anchors = slices.Clone(o.Anchors)
	return o, nil
}

// A vwap is a volume-weighted average of typical prices, (H + L + C) / 3, and
// their deviation around it, by West's recurrence:
//
//	W += v,  d = x - mean,  mean += d·v/W,  M += v·d·(x - mean)
//	sigma = √(M / W)
type vwap struct {
	name   string
	from   time.Time // of an anchor
	k      *tracker  // of a period
	begun  bool
	bornAt time.Time
	lastAt time.Time // the last bar that counted
	w      float64
	mean   float64
	m      float64
	lines  []line // the average, then +1, -1, +2, -2, … deviations
}

// value is the average, or k deviations above it.
func (v *vwap) value(k int) float64 {
	if !(v.w > 0) {
		return math.NaN()
	}
	if k == 0 {
		return v.mean
	}
	return v.mean + float64(k)*math.Sqrt(max(0, v.m/v.w))
}

// compare passes the value of each line to step, or to begin.
func (v *vwap) compare(f func(*line, *look, float64), bar *look) {
	sigma := math.Sqrt(max(0, v.m/v.w))
	for n := range v.lines {
		x := v.mean
		if n > 0 {
			x += float64(deviations(n)) * sigma
		}
		f(&v.lines[n], bar, x)
	}
}

// deviations is how many deviations from the average line n is.
func deviations(n int) int {
	if n%2 == 1 {
		return (n + 1) / 2
	}
	return -n / 2
}

// A vwapFamily follows volume-weighted averages.
type vwapFamily struct{ all []*vwap }

func newVWAPFamily(e *Engine) (*vwapFamily, error) {
	byDefault := []Period{PeriodMonth, PeriodYear}
	if e.o.Interval.Intraday() {
		byDefault = []Period{PeriodDay}
	}
	periods, err := e.periods.wanted("vwap.periods", e.o.VWAP.Periods, byDefault...)
	if err != nil {
		return nil, err
	}
	f := &vwapFamily{}
	for _, p := range periods {
		f.all = append(f.all, &vwap{k: e.periods.tracker(p), lines: make([]line, 1+2*e.o.VWAP.Bands)})
	}
	for _, a := range e.o.VWAP.Anchors {
		name := a.Name
		if name == "" {
			name = stamp(a.At, e.daily)
		}
		f.all = append(f.all, &vwap{name: name, from: a.At, lines: make([]line, 1+2*e.o.VWAP.Bands)})
	}
	return f, nil
}

func (f *vwapFamily) update(e *Engine) {
	bar := e.look()
	for _, v := range f.all {
		v.update(e, &bar)
	}
}

func (v *vwap) update(e *Engine, bar *look) {
	if v.k != nil && v.k.began {
		v.begun, v.w, v.mean, v.m = false, 0, 0, 0
	}
	before := v.w > 0
	if before {
		v.compare((*line).step, bar)
	}
	volume := e.bar.Volume
	counts := e.known && volume > 0 && !math.IsInf(volume, 1)
	if v.k != nil {
		counts = counts && e.periods.counts && (v.k.open || v.k.done)
	} else {
		counts = counts && !e.bar.Time.Before(v.from)
	}
	if !counts {
		return
	}
	if !v.begun {
		v.begun, v.bornAt = true, e.bar.Time
		if v.k != nil {
			v.name = v.k.period.label(v.k.current.begin)
		}
	}
	v.lastAt = e.bar.Time
	x := (e.bar.High + e.bar.Low + e.bar.Close) / 3
	v.w += volume
	d := x - v.mean
	v.mean += d * (volume / v.w)
	v.m += volume * d * (x - v.mean)
	if !before {
		v.compare((*line).begin, bar)
	}
}

func (f *vwapFamily) lines(e *Engine, dst []Level) []Level {
	for _, v := range f.all {
		for n := range v.lines {
			k := deviations(n)
			price := v.value(k)
			if sum := price - price; sum != 0 {
				continue
			}
			kind, source := KindVWAP, "VWAP since "+v.name
			if v.k != nil {
				source = "VWAP of the " + v.name
			}
			if k != 0 {
				kind, source = KindVWAPBand, fmt.Sprintf("%s, %+d sigma", source, k)
			}
			dst = append(dst, v.lines[n].level(Level{Price: price, Kind: kind, Source: source, Born: v.bornAt, Confirmed: v.lastAt}))
		}
	}
	return dst
}
