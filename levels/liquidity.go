package levels

import (
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// LiquidityOptions says which swings are at one price.
type LiquidityOptions struct {
	Swing     SwingOptions
	Width     float64 // how far swings may be apart, as a multiple of the average true range; 0 means 0.25
	MinSwings int     // swings that make a pool; 0 means 2
	Window    int     // swings older than so many bars do not help to make one; 0 means 250
}

func (o LiquidityOptions) resolve() (LiquidityOptions, error) {
	var err error
	if o.Swing, err = o.Swing.resolve(); err != nil {
		return o, err
	}
	if o.Width, err = positive("liquidity.width", o.Width, 0.25); err != nil {
		return o, err
	}
	if o.MinSwings, err = count("liquidity.minSwings", o.MinSwings, 2, 1000); err != nil {
		return o, err
	}
	o.Window, err = count("liquidity.window", o.Window, 250, 100_000)
	return o, err
}

// Liquidity returns the pools of s, ascending by price: swing highs, or swing
// lows, at nearly one price, beyond which stop orders are thought to rest. A
// pool forms with the swing that finds MinSwings - 1 others of its side within
// Width average true ranges, none of them passed by more than that since, and
// does not change after. Its Filled is 1 once price has traded beyond it.
func Liquidity(s market.Series, opts *LiquidityOptions) ([]Level, error) {
	return everyOne(s, Options{Kinds: []Kind{KindLiquidity}, Liquidity: options(opts)})
}

// A liquidityFamily gathers swings of each side into pools. Prices of lows are
// kept negated, so that both sides are alike.
type liquidityFamily struct {
	o      LiquidityOptions
	source *swinger
	sides  [2]poolSide // highs, lows
}

type poolSide struct {
	loose []swing
	pools []band // that no trade has passed
	least float64
	any   bool
}

func newLiquidityFamily(e *Engine) *liquidityFamily {
	return &liquidityFamily{o: e.o.Liquidity, source: e.swinger(e.o.Liquidity.Swing)}
}

func (f *liquidityFamily) lines(_ *Engine, dst []Level) []Level { return dst }

func (f *liquidityFamily) update(e *Engine) {
	width := f.o.Width * e.touch.mean
	if e.known {
		f.sides[0].pass(e.bar.High, width)
		f.sides[1].pass(-e.bar.Low, width)
	}
	for _, w := range f.source.fresh {
		side := &f.sides[0]
		if !w.high {
			side = &f.sides[1]
			w.price = -w.price
		}
		f.take(e, side, w, width)
	}
}

// pass drops what price has left behind.
func (p *poolSide) pass(extreme, width float64) {
	if p.any && extreme > p.least {
		p.loose = slices.DeleteFunc(p.loose, func(w swing) bool { return extreme > w.price+width })
		p.pools = slices.DeleteFunc(p.pools, func(z band) bool { return extreme > z.high })
		p.measure()
	}
}

// measure finds the nearest price that can be passed.
func (p *poolSide) measure() {
	p.any = false
	for _, w := range p.loose {
		p.note(w.price)
	}
	for _, z := range p.pools {
		p.note(z.high)
	}
}

func (p *poolSide) note(x float64) {
	if !p.any || x < p.least {
		p.any, p.least = true, x
	}
}

func (f *liquidityFamily) take(e *Engine, side *poolSide, w swing, width float64) {
	side.loose = slices.DeleteFunc(side.loose, func(x swing) bool { return e.i-x.born > f.o.Window })
	side.pools = slices.DeleteFunc(side.pools, func(z band) bool { return e.i-z.joined > f.o.Window })
	for k, z := range side.pools {
		if w.price >= z.low-width && w.price <= z.high {
			side.pools[k].joined = e.i // one more at a pool that is known
			return
		}
	}
	side.loose = append(side.loose, w)
	first, last := w, w
	low, high, sum, n := w.price, w.price, 0.0, 0
	near := func(x swing) bool { return x.price >= w.price-width && x.price <= w.price+width }
	for _, x := range side.loose {
		if near(x) {
			if x.born < first.born {
				first = x
			}
			low, high, sum, n = min(low, x.price), max(high, x.price), sum+x.price, n+1
		}
	}
	if n < f.o.MinSwings {
		side.measure()
		return
	}
	side.loose = slices.DeleteFunc(side.loose, near)
	side.pools = append(side.pools, band{low, high, e.i})
	side.measure()
	e.follow(poolRecord(low, high, sum/float64(n), n, w.high, first, last.born, last.bornAt), true)
}

// poolRecord makes a pool of n swings; prices of lows are negated.
func poolRecord(low, high, mean float64, n int, highs bool, first swing, lastBorn int, lastAt time.Time) *record {
	x := &record{
		low: low, high: high, kind: KindLiquidity, born: first.born, bornAt: first.bornAt, touched: lastBorn, touchedAt: lastAt, touches: int32(n),
		home: -1, filling: sweptAbove, label: &label{form: labelBetween, name: plural(n, "swing high"), a: first.bornAt, b: lastAt},
	}
	if !highs {
		x.low, x.high, mean = -high, -low, -mean
		x.home, x.filling, x.label.name = +1, sweptBelow, plural(n, "swing low")
	}
	x.price = min(max(mean, x.low), x.high)
	return x
}
