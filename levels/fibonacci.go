package levels

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// FibonacciOptions says which swings end a leg and which ratios of it matter.
type FibonacciOptions struct {
	Swing SwingOptions

	// Retracements are the shares of the leg given back, measured from its end.
	// Nil means 0.236, 0.382, 0.5, 0.618 and 0.786.
	Retracements []float64
	// Extensions are multiples of the leg, measured from its start in its
	// direction. Nil means 1.272 and 1.618.
	Extensions []float64

	// Legs is how many of the last legs are searched for confluence; 0 means 4.
	Legs int
	// Width is the widest confluence, as a multiple of the average true range
	// when the last leg is confirmed; 0 means 0.25.
	Width float64
}

func (o FibonacciOptions) resolve() (FibonacciOptions, error) {
	var err error
	if o.Swing, err = o.Swing.resolve(); err != nil {
		return o, err
	}
	if o.Retracements == nil {
		o.Retracements = []float64{0.236, 0.382, 0.5, 0.618, 0.786}
	}
	if o.Extensions == nil {
		o.Extensions = []float64{1.272, 1.618}
	}
	for _, r := range append(o.Retracements[:len(o.Retracements):len(o.Retracements)], o.Extensions...) {
		if !(r > 0) || r > 100 {
			return o, invalid.Field("fibonacci.ratio", r, "a number above 0, at most 100")
		}
	}
	if o.Legs, err = count("fibonacci.legs", o.Legs, 4, 100); err != nil {
		return o, err
	}
	o.Width, err = positive("fibonacci.width", o.Width, 0.25)
	return o, err
}

// Fibonacci returns the ratios of the last leg, ascending by price: the move
// between the last two turning points of [Alternate] that are confirmed; and
// where ratios of at least two of the last legs meet. None
// are returned before there are two turning points. Prices at or below zero are left out.
func Fibonacci(s market.Series, opts *FibonacciOptions) ([]Level, error) {
	return everyOne(s, Options{Kinds: []Kind{KindFibonacci, KindFibonacciCluster}, Fibonacci: options(opts)})
}

// A fibonacciFamily keeps the ratios of the last legs.
type fibonacciFamily struct {
	o          FibonacciOptions
	source     *swinger
	alternator alternator[swing]
	turns      []swing // the last ones
	ids        []int32

	waiting moment // confirmed what the turns make, until someone asks
	waits   bool
	width   float64 // of a confluence, then
}

func newFibonacciFamily(e *Engine) *fibonacciFamily {
	return &fibonacciFamily{o: e.o.Fibonacci, source: e.swinger(e.o.Fibonacci.Swing), alternator: swingAlternator()}
}

func (f *fibonacciFamily) lines(_ *Engine, dst []Level) []Level { return dst }

func (f *fibonacciFamily) update(e *Engine) {
	fresh := f.source.fresh
	if len(fresh) == 0 {
		return
	}
	var last [2]swing
	before := last[:copy(last[:], f.turns[max(0, len(f.turns)-2):])]
	if len(fresh) == 2 {
		f.turns = f.alternator.both(f.turns, fresh[0], fresh[1])
	} else {
		f.turns = f.alternator.add(f.turns, fresh[0])
	}
	if extra := len(f.turns) - f.o.Legs - 1; extra > 0 {
		f.turns = slices.Delete(f.turns, 0, extra)
	}
	if n := len(f.turns); n >= 2 && !slices.Equal(before, f.turns[n-2:]) {
		e.replace(&f.ids) // not yet written down means never
		f.waiting, f.waits, f.width = e.moment(), true, f.o.Width*e.touch.mean
	}
}

// settle follows what the last turns make.
func (f *fibonacciFamily) settle(e *Engine) {
	if f.waits {
		f.waits = false
		f.ratios(e)
		f.clusters(e)
	}
}

// A ratio is a price that follows from a leg.
type ratio struct {
	price, ratio float64
	name         string
	leg          int
}

// of returns the ratios of the leg that ends at turn n.
func (f *fibonacciFamily) of(n int, dst []ratio) []ratio {
	from, to := f.turns[n-1], f.turns[n]
	move := to.price - from.price
	for _, r := range f.o.Retracements {
		dst = append(dst, ratio{to.price - r*move, r, "retracement", n})
	}
	for _, r := range f.o.Extensions {
		dst = append(dst, ratio{from.price + r*move, r, "extension", n})
	}
	return slices.DeleteFunc(dst, func(r ratio) bool { return r.price <= 0 || math.IsInf(r.price, 0) || math.IsNaN(r.price) })
}

func (f *fibonacciFamily) ratios(e *Engine) {
	if !e.wants(KindFibonacci) {
		return
	}
	n := len(f.turns) - 1
	from, to := f.turns[n-1], f.turns[n]
	for _, r := range f.of(n, nil) {
		f.ids = append(f.ids, e.book.add(&record{
			price: r.price, low: r.price, high: r.price, kind: KindFibonacci, born: to.born, bornAt: to.bornAt, touched: -1,
			label: &label{form: labelRatio, name: r.name, x: r.ratio, y: from.price, a: from.bornAt, b: to.bornAt, extra: short(to.price)},
		}, &f.waiting, false))
	}
}

// clusters follows the bands in which ratios of different legs lie, the
// closest ones first, without overlaps.
func (f *fibonacciFamily) clusters(e *Engine) {
	width := f.width
	if !e.wants(KindFibonacciCluster) || !(width > 0) {
		return
	}
	var all []ratio
	for n := 1; n < len(f.turns); n++ {
		all = f.of(n, all)
	}
	slices.SortStableFunc(all, func(a, b ratio) int { return cmp.Compare(a.price, b.price) })
	type group struct {
		from, to, legs int
		spread         float64
	}
	var groups []group
	for from, to := 0, 0; from < len(all); from++ {
		for to < len(all) && all[to].price-all[from].price <= width {
			to++
		}
		legs := map[int]bool{}
		for _, r := range all[from:to] {
			legs[r.leg] = true
		}
		if len(legs) > 1 {
			groups = append(groups, group{from, to, len(legs), all[to-1].price - all[from].price})
		}
	}
	slices.SortStableFunc(groups, func(a, b group) int {
		return cmp.Or(cmp.Compare(b.legs, a.legs), cmp.Compare(b.to-b.from, a.to-a.from), cmp.Compare(a.spread, b.spread))
	})
	taken := make([]bool, len(all))
	for _, g := range groups {
		if slices.Contains(taken[g.from:g.to], true) {
			continue
		}
		sum, born, bornAt := 0.0, 0, time.Time{}
		for k := g.from; k < g.to; k++ {
			taken[k] = true
			sum += all[k].price
			if turn := f.turns[all[k].leg]; turn.born >= born {
				born, bornAt = turn.born, turn.bornAt
			}
		}
		low, high := all[g.from].price, all[g.to-1].price
		f.ids = append(f.ids, e.book.add(&record{
			price: min(max(sum/float64(g.to-g.from), low), high), low: low, high: high, kind: KindFibonacciCluster, born: born, bornAt: bornAt, touched: -1,
			label: &label{name: plural(g.to-g.from, "Fibonacci ratio") + " of " + plural(g.legs, "leg")},
		}, &f.waiting, false))
	}
}
