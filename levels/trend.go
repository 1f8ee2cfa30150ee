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
}

// A fit is a line through a point at bar i.
type fit struct {
	has               bool
	i                 int
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
	for k := range f.fits {
		if x := &f.fits[k]; x.has {
			x.follower.step(e, x.value(e.i))
		}
	}
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
			f.set(e, 0, KindTrendLine, "trend line through the last "+plural(len(f.highs), "swing high"), f.highs, 0, false)
		} else if !w.high && len(f.lows) >= 3 {
			f.set(e, 1, KindTrendLine, "trend line through the last "+plural(len(f.lows), "swing low"), f.lows, 0, false)
		}
	}
	if len(f.highs) >= 2 && len(f.lows) >= 2 {
		f.slopes = pairs(pairs(f.slopes[:0], f.highs), f.lows)
		slope := median(f.slopes)
		name := "channel around the last " + plural(len(f.highs), "swing high") + " and " + plural(len(f.lows), "swing low")
		f.set(e, 2, KindChannelHigh, name, f.highs, slope, true)
		f.set(e, 3, KindChannelLow, name, f.lows, slope, true)
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
	*x = fit{has: true, i: last, at: at, slope: slope, kind: kind, name: name, bornAt: swings[0].bornAt, confirmed: e.bar.Time}
	x.follower.begin(e, x.value(e.i))
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
