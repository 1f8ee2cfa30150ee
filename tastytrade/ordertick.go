package tastytrade

import (
	"slices"

	"github.com/shopspring/decimal"
)

// A Rounding says where a price goes that lies between two ticks. Prices are
// signed, credit positive, so that a higher one is always the better one for
// the account: it receives more or pays less.
type Rounding int8

// The roundings.
const (
	// NoRounding leaves prices as they are: one between two ticks is an error.
	NoRounding Rounding = iota
	// RoundNearest goes to the nearer tick, from the middle to the better one.
	RoundNearest
	// RoundPassive goes to the better tick: the order never trades at a worse
	// price than the one given.
	RoundPassive
	// RoundAggressive goes to the worse tick, which is likelier to trade.
	RoundAggressive
)

// A TickTable is the increments of an instrument's price. Each holds for
// magnitudes below its Threshold, the one without for the rest; entries may
// come in any order.
type TickTable []TickSize

// A band is a range of prices with one increment.
type band struct {
	low, tick decimal.Decimal
	high      decimal.Decimal // excluded; zero: no end
}

func (t TickTable) bands() []band {
	type entry struct{ threshold, tick decimal.Decimal }
	var limited []entry
	var rest []decimal.Decimal
	for _, s := range t {
		switch {
		case s.Value == nil || !s.Value.IsPositive():
		case s.Threshold == nil || !s.Threshold.IsPositive():
			rest = append(rest, *s.Value)
		default:
			limited = append(limited, entry{*s.Threshold, *s.Value})
		}
	}
	slices.SortStableFunc(limited, func(a, b entry) int { return a.threshold.Cmp(b.threshold) })
	var out []band
	low := decimal.Zero
	for _, e := range limited {
		out = append(out, band{low: low, tick: e.tick, high: e.threshold})
		low = e.threshold
	}
	if len(rest) > 0 {
		out = append(out, band{low: low, tick: rest[0]})
	} else if len(out) > 0 {
		out[len(out)-1].high = decimal.Zero // no entry for the rest: the last goes on
	}
	return out
}

// Tick returns the increment at a price, of which the magnitude counts; false
// when the table is empty.
func (t TickTable) Tick(price decimal.Decimal) (decimal.Decimal, bool) {
	price = price.Abs()
	for _, b := range t.bands() {
		if b.high.IsZero() || price.LessThan(b.high) {
			return b.tick, true
		}
	}
	return decimal.Zero, false
}

// Fits reports whether a price lies on a tick. An empty table fits every price.
func (t TickTable) Fits(price decimal.Decimal) bool {
	tick, ok := t.Tick(price)
	return !ok || price.Mod(tick).IsZero()
}

// Round returns the price on a tick that the rounding chooses; the price itself
// when it lies on one, or the table is empty. A price is never rounded to zero
// or through it: the smallest tick is as far as it goes.
func (t TickTable) Round(price decimal.Decimal, r Rounding) decimal.Decimal {
	if r == NoRounding || price.IsZero() || t.Fits(price) {
		return price
	}
	bands := t.bands()
	magnitude := price.Abs()
	down, isDown := floorTick(bands, magnitude)
	up := ceilTick(bands, magnitude)
	better := up // a credit grows, a debit shrinks
	worse := down
	if price.IsNegative() {
		better, worse = down, up
	}
	chosen := better
	switch r {
	case RoundAggressive:
		chosen = worse
	case RoundNearest:
		if better.Sub(magnitude).Abs().GreaterThan(magnitude.Sub(worse).Abs()) {
			chosen = worse
		}
	}
	if !isDown {
		chosen = up // there is no tick below
	}
	if price.IsNegative() {
		return chosen.Neg()
	}
	return chosen
}

// floorTick returns the highest price on a tick that is not above p, and false
// when there is none above zero.
func floorTick(bands []band, p decimal.Decimal) (decimal.Decimal, bool) {
	for i := len(bands) - 1; i >= 0; i-- {
		b := bands[i]
		if p.LessThan(b.low) {
			continue
		}
		v := p.Sub(p.Mod(b.tick))
		if !b.high.IsZero() && !v.LessThan(b.high) { // p lies above this band
			v = b.high.Sub(b.high.Mod(b.tick))
			if v.Equal(b.high) {
				v = v.Sub(b.tick)
			}
		}
		if v.IsPositive() && !v.LessThan(b.low) {
			return v, true
		}
	}
	return decimal.Zero, false
}

// ceilTick returns the lowest price on a tick that is not below p.
func ceilTick(bands []band, p decimal.Decimal) decimal.Decimal {
	for _, b := range bands {
		from := decimal.Max(p, b.low)
		v := from
		if rest := from.Mod(b.tick); !rest.IsZero() {
			v = from.Sub(rest).Add(b.tick)
		}
		if b.high.IsZero() || v.LessThan(b.high) {
			return v
		}
	}
	return p // cannot be: the last band has no end
}
