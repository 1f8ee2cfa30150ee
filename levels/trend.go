package levels

import (
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// TrendOptions says which swings lines run through.
type TrendOptions struct {
	Swing  SwingOptions
	Swings int // the last so many swings of a side; 0 means 6, at least 3
}

func (o TrendOptions) resolve() (TrendOptions, error) {
	var err error
	if o.Swing, err = o.Swing.resolve(); err != nil {
		return o, err
	}
	if o.Swings, err = count("trend.swings", o.Swings, 6, 200); err != nil {
		return o, err
	}
	o.Swings = max(o.Swings, 3)
	return o, nil
}

// TrendLines returns the trend lines and the channel of s as they stand at its
// last bar, ascending by price.
//
// A trend line runs through the last Swings swing highs, or lows, by Theil and
// Sen's estimator: its slope is the median of the slopes between any two of
// them, its height the median of what is left, so that a minority of wild
// swings does not bend it. A channel has the median slope of both sides
// together; its upper line lies on the farthest high, its lower one on the
// farthest low. Lines need three swings of their side, a channel two of each.
// They are confirmed by the bar that confirms their newest swing, and followed
// from there.
func TrendLines(s market.Series, opts *TrendOptions) ([]Level, error) {
	return everyOne(s, Options{Kinds: []Kind{KindTrendLine, KindChannelHigh, KindChannelLow}, Trend: options(opts)})
}

// A trendFamily fits lines to the last swings.
type trendFamily struct {
	o           TrendOptions
	source      *swinger
	highs, lows []swing
	fits        [4]fit // resistance, support, channel high, channel low
	slopes      []float64
	heights     []float64

	tolerances []float64 // of the bars from the number from on, which no line was compared with yet
	from       int
}

// A fit is a line through a point at bar i.
type fit struct {
	has, waits        bool // it waits until someone asks for it
	i, known          int  // bar of the point, and the one that confirmed it
	at, slope         float64
	kind              Kind
	name              string
	bornAt, confirmed time.Time
	follower          line
}

func (x *fit) value(i int) float64 { return x.at + x.slope*float64(i-x.i) }

func newTrendFamily(e *Engine) *trendFamily {
	return &trendFamily{o: e.o.Trend, source: e.swinger(e.o.Trend.Swing)}
}

func (f *trendFamily) update(e *Engine) {
	if len(f.tolerances) == 0 {
		f.from = e.i
	}
	f.tolerances = append(f.tolerances, e.o.Touch.Tolerance*e.touch.mean)
	if len(f.source.fresh) == 0 {
		return
	}
	for _, w := range f.source.fresh {
		side := &f.highs
		if !w.high {
			side = &f.lows
		}
		if *side = append(*side, w); len(*side) > f.o.Swings {
			*side = slices.Delete(*side, 0, 1)
		}
	}
	for _, w := range f.source.fresh {
		if w.high && len(f.highs) >= 3 {
			f.fits[0] = fit{has: true, waits: true, known: e.i}
		} else if !w.high && len(f.lows) >= 3 {
			f.fits[1] = fit{has: true, waits: true, known: e.i}
		}
	}
	if len(f.highs) >= 2 && len(f.lows) >= 2 {
		f.fits[2] = fit{has: true, waits: true, known: e.i}
		f.fits[3] = f.fits[2]
	}
}

// settle makes the lines that were put off and compares all with the bars since.
// The swings that a line runs through have not changed since it was confirmed:
// a new one would have put another in its place.
func (f *trendFamily) settle(e *Engine) {
	if len(f.tolerances) == 0 {
		return
	}
	for k := range f.fits {
		x := &f.fits[k]
		if !x.has {
			continue
		}
		from := f.from
		if x.waits {
			from = x.known
			f.make(e, k)
			bar := f.look(e, from)
			x.confirmed = bar.at
			x.follower.begin(&bar, x.value(from))
			from++
		}
		for i := from; i <= e.i; i++ {
			bar := f.look(e, i)
			x.follower.step(&bar, x.value(i))
		}
	}
	f.tolerances = f.tolerances[:0]
}

// look is what lines see of bar i.
func (f *trendFamily) look(e *Engine, i int) look {
	s, k := &e.bars.s, e.bars.at(i)
	return look{s.Time[k], s.Low[k], s.High[k], s.Close[k], f.tolerances[i-f.from], known(*s, k)}
}

// make fits line k.
func (f *trendFamily) make(e *Engine, k int) {
	switch k {
	case 0:
		f.set(e, 0, KindTrendLine, "trend line through the last "+plural(len(f.highs), "swing high"), f.highs, 0, false)
	case 1:
		f.set(e, 1, KindTrendLine, "trend line through the last "+plural(len(f.lows), "swing low"), f.lows, 0, false)
	default:
		f.slopes = pairs(pairs(f.slopes[:0], f.highs), f.lows)
		slope := median(f.slopes)
		name := "channel around the last " + plural(len(f.highs), "swing high") + " and " + plural(len(f.lows), "swing low")
		if k == 2 {
			f.set(e, 2, KindChannelHigh, name, f.highs, slope, true)
		} else {
			f.set(e, 3, KindChannelLow, name, f.lows, slope, true)
		}
	}
}

// set fits a line to swings: with its own slope, or with the given one on the farthest of them.
func (f *trendFamily) set(e *Engine, k int, kind Kind, name string, swings []swing, slope float64, outer bool) {
	if !outer {
		f.slopes = pairs(f.slopes[:0], swings)
		slope = median(f.slopes)
	}
	x := &f.fits[k]
	last := swings[len(swings)-1].born
	f.heights = f.heights[:0]
	for _, w := range swings {
		f.heights = append(f.heights, w.price+slope*float64(last-w.born))
	}
	at := 0.0
	switch {
	case !outer:
		at = median(f.heights)
	case kind == KindChannelHigh:
		at = slices.Max(f.heights)
	default:
		at = slices.Min(f.heights)
	}
	*x = fit{has: true, i: last, known: x.known, at: at, slope: slope, kind: kind, name: name, bornAt: swings[0].bornAt}
}

// pairs appends the slopes between any two swings.
func pairs(dst []float64, swings []swing) []float64 {
	for i, a := range swings {
		for _, b := range swings[i+1:] {
			if b.born != a.born {
				dst = append(dst, (b.price-a.price)/float64(b.born-a.born))
			}
		}
	}
	return dst
}

// median sorts x; the mean of the middle two when their number is even.
func median(x []float64) float64 {
	slices.Sort(x)
	n := len(x)
	if n == 0 {
		return 0
	}
	return x[(n-1)/2]/2 + x[n/2]/2
}

func (f *trendFamily) lines(e *Engine, dst []Level) []Level {
	for k := range f.fits {
		x := &f.fits[k]
		price := x.value(e.i)
		if !x.has || price-price != 0 {
			continue
		}
		dst = append(dst, x.follower.level(Level{Price: price, Kind: x.kind, Source: x.name, Slope: x.slope, Born: x.bornAt, Confirmed: x.confirmed}))
	}
	return dst
}
