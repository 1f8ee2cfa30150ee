package levels

import (
	"fmt"
	"math"
	"slices"
)

// RoundOptions says which prices are round.
type RoundOptions struct {
	// Step between round numbers; 0 means a tenth of the power of ten below the
	// price: 10 at 450, 1 at 95, 100 at 5,200.
	Step float64
	// Count is how many are followed on each side of the close, beside the next
	// ten times rounder one; 0 means 2.
	Count int
}

func (o RoundOptions) resolve() (RoundOptions, error) {
	var err error
	if o.Step != 0 {
		if o.Step, err = positive("round.step", o.Step, 0); err != nil {
			return o, err
		}
	}
	o.Count, err = count("round.count", o.Count, 2, 100)
	return o, err
}

// A roundFamily follows the round numbers around the close. One is confirmed
// by the bar that first brought it near, and forgotten when the close goes away.
type roundFamily struct {
	o         RoundOptions
	low, high float64 // the step that the close lies in
	near      []roundNumber
}

type roundNumber struct {
	price, step float64
	id          int32
}

func newRoundFamily(e *Engine) *roundFamily { return &roundFamily{o: e.o.Round} }

func (f *roundFamily) lines(_ *Engine, dst []Level) []Level { return dst }

func (f *roundFamily) update(e *Engine) {
	closed := e.bar.Close
	if !e.known || closed > f.low && closed < f.high || !(closed > 0) || math.IsInf(closed, 1) {
		return
	}
	step := f.o.Step
	if step == 0 {
		step = powerOfTen(closed) / 10
	}
	k := math.Floor(closed/step + nearlyWhole)
	if !(step > 0) || !(k < 1e12) {
		return // too small or too large to have round numbers
	}
	var wanted []roundNumber
	want := func(multiple, step float64) {
		if price := multipleOf(multiple, step); price > 0 && !slices.ContainsFunc(wanted, func(n roundNumber) bool { return n.price == price }) {
			wanted = append(wanted, roundNumber{price: price, step: step})
		}
	}
	f.low, f.high = multipleOf(k, step), multipleOf(k+1, step)
	major := math.Floor(k / 10)
	want(major, 10*step)
	want(major+1, 10*step)
	for n := range f.o.Count {
		want(k-float64(n), step)
		want(k+1+float64(n), step)
	}
	kept := f.near[:0]
	for _, x := range f.near {
		at := slices.IndexFunc(wanted, func(n roundNumber) bool { return n.price == x.price && n.step == x.step })
		if at < 0 {
			e.book.remove(x.id)
			continue
		}
		kept = append(kept, x)
		wanted = slices.Delete(wanted, at, at+1)
	}
	f.near = kept
	for _, x := range wanted {
		x.id = e.follow(&record{
			price: x.price, low: x.price, high: x.price, kind: KindRound, born: e.i, bornAt: e.bar.Time, touched: -1,
			label: &label{name: fmt.Sprintf("multiple of %s", short(x.step))},
		}, false)
		f.near = append(f.near, x)
	}
}

// powerOfTen is the largest power of ten not above x.
func powerOfTen(x float64) float64 {
	exponent := math.Floor(math.Log10(x))
	if p := math.Pow(10, exponent+1); p <= x {
		return p
	}
	if p := math.Pow(10, exponent); p <= x {
		return p
	}
	return math.Pow(10, exponent-1)
}

// multipleOf is k times step, by division when the step is a fraction of one,
// so that 115 hundredths are 1.15.
func multipleOf(k, step float64) float64 {
	if whole := math.Round(1 / step); whole >= 1 && math.Abs(whole*step-1) < 1e-12 {
		return k / whole
	}
	return k * step
}
