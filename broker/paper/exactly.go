package paper

import (
	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/sums"
)

// one is a decimal 1.
var one = decimal.NewFromInt(1)

// of is a number of units times the leg's ratio.
func (o *order) of(i int, units decimal.Decimal) decimal.Decimal {
	if o.single() {
		return units
	}
	return sums.Times(units, o.legs[i].ratio)
}

// worthOf is an amount per unit times the multiplier.
func (t *terms) worthOf(x sums.Number) sums.Number {
	if t.mult == 1 {
		return x
	}
	return x.Times(sums.Of(t.multiplier))
}

// totalOf is the sum of all fees.
func totalOf(f *broker.Fees) sums.Number {
	return sums.Total(f.Commission, f.Clearing, f.Regulatory, f.Exchange)
}
