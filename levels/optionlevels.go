package levels

import (
	"math"
	"time"
)

// OptionLevels are prices that follow from an option chain, computed
// elsewhere. A NaN is a level that is not known; so is a zero, because no
// price of an underlying is.
type OptionLevels struct {
	At   time.Time // when the chain was quoted
	Name string    // for people: "2024-03-15 expiry", "all expiries"

	CallWall  float64 // strike above the market with the most call gamma or open interest
	PutWall   float64 // strike below it with the most put gamma or open interest
	ZeroGamma float64 // price at which dealers' gamma changes its sign
	MaxPain   float64 // price at which options lose the most

	ExpectedLow, ExpectedHigh float64 // the market's move of one standard deviation
}

// Levels returns the known ones, ascending by price, born and confirmed when
// the chain was quoted. Give them to [Engine.Add] to have them followed.
func (o OptionLevels) Levels() []Level {
	var levels []Level
	for _, x := range []struct {
		kind  Kind
		price float64
		side  int
	}{
		{KindCallWall, o.CallWall, -1}, {KindPutWall, o.PutWall, +1}, {KindZeroGamma, o.ZeroGamma, 0}, {KindMaxPain, o.MaxPain, 0},
		{KindExpectedMoveHigh, o.ExpectedHigh, -1}, {KindExpectedMoveLow, o.ExpectedLow, +1},
	} {
		if math.IsNaN(x.price) || math.IsInf(x.price, 0) || x.price == 0 {
			continue
		}
		source := string(x.kind)
		if o.Name != "" {
			source += " of " + o.Name
		}
		levels = append(levels, Level{
			Price: x.price, Low: x.price, High: x.price, Kind: x.kind, Source: source, Born: o.At, Confirmed: o.At, Side: x.side,
		})
	}
	sortByPrice(levels)
	return levels
}
