package paper

import (
	"strconv"

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
func (t *terms) worthOf(x decimal.Decimal) decimal.Decimal {
	if t.mult == 1 {
		return x
	}
	return sums.Times(x, t.multiplier)
}

// totalOf is the sum of all fees.
func totalOf(f *broker.Fees) decimal.Decimal {
	return sums.Plus(sums.Plus(sums.Plus(f.Commission, f.Clearing), f.Regulatory), f.Exchange)
}

// numberedID is a letter and a number.
func numberedID(letter byte, n uint64) string {
	var room [24]byte
	room[0] = letter
	return string(strconv.AppendUint(room[:1], n, 10))
}
