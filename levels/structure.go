package levels

import (
	"github.com/ttai-go/ttai/market"
)

// StructureOptions says what breaks the structure of a market.
type StructureOptions struct {
	Swing SwingOptions
	// ByRange lets a high or low beyond a swing break it; otherwise a close must.
	ByRange bool
	// Window is the age in bars at which a swing no longer counts; 0 means 500.
	Window int
}

func (o StructureOptions) resolve() (StructureOptions, error) {
	var err error
	if o.Swing, err = o.Swing.resolve(); err != nil {
		return o, err
	}
	o.Window, err = count("structure.window", o.Window, 500, 100_000)
	return o, err
}

// Structure returns where the structure of s was broken and the order blocks
// before the breaks, ascending by price.
//
// A close above the last confirmed swing high breaks it: a break of structure
// when the last break was upward too or none came before, a change of
// character when it was downward. The level is the swing's price, born with the
// swing, confirmed by the bar that breaks it; it is support from then on.
// Breaks downward mirror that.
//
// The order block of a break upward is the bar with the lowest low between the
// swing and the break, the last of equal ones; its range is the band.
func Structure(s market.Series, opts *StructureOptions) ([]Level, error) {
	return everyOne(s, Options{Kinds: []Kind{KindBreakOfStructure, KindChangeOfCharacter, KindOrderBlock}, Structure: options(opts)})
}

// A structureFamily keeps breaks of structure and order blocks.
type structureFamily struct {
	o               StructureOptions
	source          *swinger
	trend           int
	high, low       swing
	hasHigh, hasLow bool
}

func newStructureFamily(e *Engine) *structureFamily {
	e.remember(e.o.Structure.Window + 2)
	return &structureFamily{o: e.o.Structure, source: e.swinger(e.o.Structure.Swing)}
}

func (f *structureFamily) lines(_ *Engine, dst []Level) []Level { return dst }

func (f *structureFamily) update(e *Engine) {
	if e.known {
		up, down := e.bar.Close, e.bar.Close
		if f.o.ByRange {
			up, down = e.bar.High, e.bar.Low
		}
		if f.hasHigh && up > f.high.price {
			f.hasHigh = false
			f.breaks(e, f.high, +1)
		}
		if f.hasLow && down < f.low.price {
			f.hasLow = false
			f.breaks(e, f.low, -1)
		}
	}
	for _, w := range f.source.fresh {
		if w.high {
			f.high, f.hasHigh = w, true
		} else {
			f.low, f.hasLow = w, true
		}
	}
}

func (f *structureFamily) breaks(e *Engine, w swing, side int) {
	if e.i-w.born > f.o.Window {
		return
	}
	kind := KindBreakOfStructure
	if f.trend == -side {
		kind = KindChangeOfCharacter
	}
	f.trend = side
	if e.wants(kind) {
		e.follow(&record{
			price: w.price, low: w.price, high: w.price, kind: kind, born: w.born, bornAt: w.bornAt, touched: -1, home: int8(side),
			label: &label{form: labelBetween, name: string(kind) + direction(side), a: w.bornAt, b: e.bar.Time},
		}, true)
	}
	if e.wants(KindOrderBlock) {
		f.block(e, w, side)
	}
}

func direction(side int) string {
	if side > 0 {
		return " upward"
	}
	return " downward"
}

func (f *structureFamily) block(e *Engine, w swing, side int) {
	s := e.bars.s
	best := -1
	for k := max(0, e.bars.at(w.born+1)); k < e.bars.at(e.i); k++ {
		if !known(s, k) {
			continue
		}
		if best < 0 || side > 0 && s.Low[k] <= s.Low[best] || side < 0 && s.High[k] >= s.High[best] {
			best = k
		}
	}
	if best < 0 {
		return
	}
	low, high := s.Low[best], s.High[best]
	e.follow(&record{
		price: low + (high-low)/2, low: low, high: high, kind: KindOrderBlock, born: e.bars.base + best, bornAt: s.Time[best], touched: -1, home: int8(side),
	}, true)
}
